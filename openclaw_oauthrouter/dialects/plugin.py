"""Puts the three built-in dialects in place through the hooks."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence

from openclaw_oauthrouter.hookspecs import hookimpl
from openclaw_oauthrouter.interfaces import Dialect


@hookimpl
def oauthrouter_register_dialects() -> Sequence[Dialect]:
    """Chat Completions, Messages, Responses."""
    from openclaw_oauthrouter.dialects.anthropic_messages import AnthropicMessages
    from openclaw_oauthrouter.dialects.openai_chat_completions import ChatCompletions
    from openclaw_oauthrouter.dialects.openai_responses import OpenAIResponses

    return [
        ChatCompletions(time.time),
        AnthropicMessages(time.time),
        OpenAIResponses(time.time, lambda: secrets.token_hex(16)),
    ]
