"""Released clients of the platforms, unmodified, against the sandbox: `make contract`."""
