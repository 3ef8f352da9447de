"""Planning windows, collecting, polling, receiving, loading."""
