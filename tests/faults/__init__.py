"""The matrix of faults: each fault on each platform, watched through the whole system (tests/README.md)."""
