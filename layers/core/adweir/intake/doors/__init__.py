"""What comes in uninvited: webhooks, metric pushes, credentials."""
