"""Proposes a mapping for a file from its header and its first rows."""
