"""The system on one machine: MiniStack stands in for AWS, a server of our own for the advertising platforms."""
