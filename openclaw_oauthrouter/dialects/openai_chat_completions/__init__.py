"""OpenAI's Chat Completions, the dialect most clients and most providers speak."""

from __future__ import annotations

from openclaw_oauthrouter.dialects.openai_chat_completions.dialect import ChatCompletions

__all__ = ["ChatCompletions"]
