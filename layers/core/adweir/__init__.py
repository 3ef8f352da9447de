"""adweir: pulls, checks, stores and models advertising performance data."""
