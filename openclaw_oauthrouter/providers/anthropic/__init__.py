"""Anthropic's own endpoint."""

from openclaw_oauthrouter.providers.anthropic.provider import Anthropic

__all__ = ["Anthropic"]
