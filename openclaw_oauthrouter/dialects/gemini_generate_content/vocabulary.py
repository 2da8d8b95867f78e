"""The words Gemini uses for what the canonical vocabulary names differently: finish reasons, generations of models, token counts.

Source of the wire facts: Google's reference of ``models.generateContent`` (v1beta) and its guides on thinking and thought signatures,
as of November 2026.
"""

from __future__ import annotations

from typing import Final

from openclaw_oauthrouter.canonical.events import FinishReason
from openclaw_oauthrouter.canonical.json import FrozenObject
from openclaw_oauthrouter.canonical.model_info import ModelInfo
from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.usage import Usage, token_count

DIALECT: Final = "gemini_generate_content"

SKIP_SIGNATURE: Final = "skip_thought_signature_validator"
"""What Google documents for a call that another model made: the first call of a step must carry a signature or this."""

AFTER_TEXT: Final = "after"
"""``Opaque.item_id`` of a signature that came in an empty part behind its text, where it goes again."""

CANONICAL_FINISH_REASONS: Final[dict[str, FinishReason]] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "LANGUAGE": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
}
"""Wire to canonical; any other word counts as ``stop``."""

BROKEN_ANSWERS: Final = frozenset(
    {
        "MALFORMED_FUNCTION_CALL",
        "MALFORMED_RESPONSE",
        "UNEXPECTED_TOOL_CALL",
        "TOO_MANY_TOOL_CALLS",
        "MISSING_THOUGHT_SIGNATURE",
    }
)
"""Finish reasons of an answer that is none: what the model wrote could not be read."""

_GENERATION = lazily(r"gemini-(\d+)")


def generation_of(info: ModelInfo) -> int:
    """2 for Gemini 2.5, 3 for Gemini 3.1 and so on; a model whose id does not say is taken for a new one."""
    if info.generation:
        return info.generation[0]
    found = _GENERATION.search(info.id)
    return int(found[1]) if found else 3


def decode_usage(usage: FrozenObject, searches: int) -> Usage:
    """Read token counts: thoughts count beside the answer here, and what tools brought into the prompt beside the prompt.

    :param searches: of the web, made by the provider
    """
    thoughts = token_count(usage, "thoughtsTokenCount")
    return Usage(
        input_tokens=token_count(usage, "promptTokenCount") + token_count(usage, "toolUsePromptTokenCount"),
        output_tokens=token_count(usage, "candidatesTokenCount") + thoughts,
        cache_read_input_tokens=token_count(usage, "cachedContentTokenCount"),
        reasoning_output_tokens=thoughts,
        web_search_requests=searches,
        input_audio_tokens=_of_sound(usage.get("promptTokensDetails")),
        output_audio_tokens=_of_sound(usage.get("candidatesTokensDetails")),
    )


def _of_sound(details: object) -> int:
    entries = details if isinstance(details, list) else ()
    return sum(
        token_count(entry, "tokenCount") for entry in entries if isinstance(entry, dict) and entry.get("modality") == "AUDIO"
    )
