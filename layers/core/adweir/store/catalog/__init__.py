"""Accounts, credentials, profiles, API keys and the platforms' objects."""
