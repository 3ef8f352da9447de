"""The vocabulary. Imports nothing of ours; every other room may import it."""
