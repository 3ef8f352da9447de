"""The four tables, and how they are spoken to."""
