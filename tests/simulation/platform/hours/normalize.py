"""The answers are read in the same way."""

from simulation.platform.normalize import NORMALIZER

__all__ = ["NORMALIZER"]
