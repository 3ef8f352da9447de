"""Mutation testing: `python -m ops.mutants`, `make mutants` (CONTRIBUTING.md says how to read it)."""
