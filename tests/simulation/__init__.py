"""A deterministic simulation of the whole pipeline: one process, one seed, every AWS and platform call a turn."""
