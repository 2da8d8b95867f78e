"""The wire protocol of Anthropic's Messages API."""

from openclaw_oauthrouter.dialects.anthropic_messages.dialect import AnthropicMessages

__all__ = ["AnthropicMessages"]
