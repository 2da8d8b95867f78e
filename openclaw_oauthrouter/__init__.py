"""A local LLM gateway: one address, all of a person's own credentials, the cheapest capable model."""

__version__ = "0.1.0"
