"""OpenAI's Responses API, spoken by Codex CLI and the ``openai`` SDKs, and by OpenAI's and the ChatGPT backend's upstreams."""

from openclaw_oauthrouter.dialects.openai_responses.dialect import OpenAIResponses

__all__ = ["OpenAIResponses"]
