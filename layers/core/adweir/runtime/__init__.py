"""The composition root: settings, clients, the queue consumer."""
