"""Byte formats shared by several dialects; no I/O."""
