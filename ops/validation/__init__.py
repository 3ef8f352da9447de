"""Checks a file as loading it would, on this machine alone: nothing is stored, and nothing is asked for."""
