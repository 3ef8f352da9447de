"""What assistants ask: the Model Context Protocol, and tools that only read."""
