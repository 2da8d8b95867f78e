"""Overrides a classifier, a tier and a translator of the gateway; needs nothing but the hook marker."""

from __future__ import annotations

import time

from openclaw_oauthrouter import hookimpl
from openclaw_oauthrouter.canonical.routing import Classification, Tier
from openclaw_oauthrouter.dialects.openai_chat_completions import ChatCompletions


@hookimpl
def oauthrouter_classify(features):
    """Prompts that begin with "urgent" are REASONING; the rest is left to others."""
    if features.text.lower().startswith("urgent"):
        return Classification(Tier.REASONING, 9.0, 0.99, "sample-router", "it is urgent")
    return None


@hookimpl
def oauthrouter_register_tiers():
    """SIMPLE goes to a model of our choice."""
    return {"SIMPLE": ["anthropic/claude-haiku-5-5"]}


class SignedChat(ChatCompletions):
    """Chat Completions whose answers carry a field of ours."""

    def encode_response(self, response, request, model):
        """Add the field."""
        return {**super().encode_response(response, request, model), "translated_by": "sample-router"}


@hookimpl
def oauthrouter_register_dialects():
    """Replace the built-in translator of the same name."""
    return [SignedChat(time.time)]
