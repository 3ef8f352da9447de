"""The soak: the whole system on the sandbox for days of the world, with faults that a seed chooses, then compared."""
