"""Puts this room's built-in things in place through the hooks."""
