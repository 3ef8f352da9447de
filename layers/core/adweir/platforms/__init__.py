"""One folder a platform, the same files in each."""
