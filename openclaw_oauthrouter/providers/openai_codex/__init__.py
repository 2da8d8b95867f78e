"""The ChatGPT plan's Codex backend as an upstream."""

from openclaw_oauthrouter.providers.openai_codex.provider import OpenAICodex

__all__ = ["OpenAICodex"]
