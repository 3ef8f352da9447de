"""The connector is the same."""

from simulation.platform.client import connect

__all__ = ["connect"]
