"""Sealed reasoning in Chat Completions: the ``thinking_blocks`` extension on assistant messages.

The protocol has no field of its own for it. Clients that replay reasoning at all (LiteLLM and what is built on it) keep a list of
Anthropic-shaped blocks, so that is the shape used here; what stands in ``signature`` or ``data`` is sealed with its origin.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from openclaw_oauthrouter.canonical.content import Opaque, ReasoningPart
from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.canonical.opaque import seal, unseal
from openclaw_oauthrouter.dialects.openai_chat_completions import schema

_OPAQUE_FIELDS: dict[str, tuple[str, Literal["signature", "redacted"]]] = {
    "thinking": ("signature", "signature"),
    "redacted_thinking": ("data", "redacted"),
}


def encode_block(text: str, opaque: Opaque) -> JsonObject:
    """One entry of ``thinking_blocks``."""
    if text or opaque.kind == "signature":
        return {"type": "thinking", "thinking": text, "signature": seal(opaque)}
    return {"type": "redacted_thinking", "data": seal(opaque)}


def decode_reasoning(message: FrozenObject, path: str) -> Iterator[ReasoningPart]:
    """The reasoning an assistant message carries; blocks win over plain text, which only repeats them."""
    blocks = [_decode_block(block) for _, block in schema.objects(message, "thinking_blocks", path)]
    if blocks:
        yield from (block for block in blocks if block.text or block.opaque)
        return
    text = schema.optional_text(message, "reasoning_content", path) or schema.optional_text(message, "reasoning", path)
    if text:
        yield ReasoningPart(text)


def sealed_data(block: FrozenObject) -> str | None:
    """What a block holds for its maker, as it stands on the wire; ``None`` if it holds nothing."""
    field = _OPAQUE_FIELDS.get(str(block.get("type")))
    value = block.get(field[0]) if field else None
    return value if isinstance(value, str) and value else None


def _decode_block(block: FrozenObject) -> ReasoningPart:
    text = block.get("thinking")
    data = sealed_data(block)
    words = text if isinstance(text, str) else ""
    if data is None:
        return ReasoningPart(words)
    kind = _OPAQUE_FIELDS[str(block["type"])][1]
    return ReasoningPart(words, unseal(data) or Opaque(kind, data))
