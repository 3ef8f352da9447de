"""Queries over stored metrics and the formats they leave in."""
