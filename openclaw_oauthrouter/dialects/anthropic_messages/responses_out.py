"""Writes a whole answer as a message."""

from __future__ import annotations

from collections.abc import Iterator

from openclaw_oauthrouter.canonical.content import (
    NativePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
)
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.opaque import seal
from openclaw_oauthrouter.canonical.response import ChatResponse
from openclaw_oauthrouter.dialects.anthropic_messages.block_writers import write_citation
from openclaw_oauthrouter.dialects.anthropic_messages.finish_reasons import encode_finish
from openclaw_oauthrouter.dialects.anthropic_messages.name import DIALECT
from openclaw_oauthrouter.dialects.anthropic_messages.tool_inputs import read_input
from openclaw_oauthrouter.dialects.anthropic_messages.usage import encode_usage


def encode_response(response: ChatResponse, model: str) -> JsonObject:
    """Write an answer.

    :param model: the name the client shall see
    """
    return {
        "id": message_id(response.id),
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [block for part in response.parts for block in _blocks(part)],
        **encode_finish(response.finish_reason, response.stop_sequence, response.explanation),
        "usage": encode_usage(response.usage),
    }


def message_id(id_: str) -> str:
    """An id as clients of this dialect expect it."""
    return id_ if id_.startswith("msg_") else f"msg_{id_}"


def _blocks(part: Part) -> Iterator[JsonObject]:
    match part:
        case TextPart(text) if text:
            block: JsonObject = {"type": "text", "text": text}
            if part.citations:
                block["citations"] = [write_citation(citation) for citation in part.citations]
            yield block
        case RefusalPart(text) if text:
            yield {"type": "text", "text": text}
        case ReasoningPart(text, opaque) if text or opaque:
            yield {"type": "thinking", "thinking": text, "signature": seal(opaque) if opaque else ""}
        case ToolCallPart():
            yield {"type": "tool_use", "id": part.id, "name": part.name, "input": read_input(part.arguments)}
        case NativePart(dialect, _, value) if dialect == DIALECT:
            yield dict(value)
        case _:
            pass
