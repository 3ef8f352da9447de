"""Mutated inputs against everything that reads what strangers send: `make fuzz` (tests/README.md)."""
