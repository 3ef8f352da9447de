"""What others bring: webhook deliveries, metric pushes, credentials."""
