"""Clients' bodies as JSON: at once, or in a process of its own where one is so large that others would have to wait."""
