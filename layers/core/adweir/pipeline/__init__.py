"""Workflows as data, the run engine, the sweep, health."""
