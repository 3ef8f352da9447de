"""The four tables, and the connection to them."""
