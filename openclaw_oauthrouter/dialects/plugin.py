"""Puts the built-in dialects in place through the hooks."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from typing import cast

from openclaw_oauthrouter.hookspecs import hookimpl
from openclaw_oauthrouter.interfaces import Dialect


@hookimpl
def oauthrouter_register_dialects() -> Sequence[Dialect]:
    """Chat Completions, Messages, Responses for clients and upstreams; Gemini for upstreams."""
    from openclaw_oauthrouter.dialects.anthropic_messages import AnthropicMessages
    from openclaw_oauthrouter.dialects.gemini_generate_content import GeminiGenerateContent
    from openclaw_oauthrouter.dialects.openai_chat_completions import ChatCompletions
    from openclaw_oauthrouter.dialects.openai_responses import OpenAIResponses

    return [
        ChatCompletions(time.time),
        AnthropicMessages(time.time),
        OpenAIResponses(time.time, lambda: secrets.token_hex(16)),
        cast("Dialect", GeminiGenerateContent(time.time)),  # the half of a Dialect that upstreams need
    ]
