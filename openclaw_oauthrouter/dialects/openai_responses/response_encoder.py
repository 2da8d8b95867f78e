"""A whole answer: what its stream would have ended with."""

from __future__ import annotations

from collections.abc import Iterator

from openclaw_oauthrouter.canonical.content import NativePart, Opaque, Part, ReasoningPart, RefusalPart, TextPart, ToolCallPart
from openclaw_oauthrouter.canonical.events import (
    CitationAdded,
    PartDelta,
    PartFinished,
    PartStarted,
    ResponseFinished,
    ResponseStarted,
    StreamEvent,
    UsageReported,
)
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.response import ChatResponse
from openclaw_oauthrouter.dialects.openai_responses.response_writer import ResponseWriter


def encode_response(response: ChatResponse, writer: ResponseWriter) -> JsonObject:
    """Write a whole answer."""
    answer: JsonObject = {}
    for event in _unfold(response):
        for wire in writer.receive(event):
            answer = wire.get("response", answer)
    return answer


def _unfold(response: ChatResponse) -> Iterator[StreamEvent]:
    yield ResponseStarted(response.id, response.model)
    for index, part in enumerate(response.parts):
        yield from _unfold_part(index, part)
    yield UsageReported(response.usage)
    yield ResponseFinished(response.finish_reason, response.stop_sequence, response.explanation)


def _unfold_part(index: int, part: Part) -> Iterator[StreamEvent]:
    opaque: Opaque | None = None
    text = ""
    match part:
        case TextPart(text):
            yield PartStarted(index, "text")
        case RefusalPart(text):
            yield PartStarted(index, "refusal")
        case ReasoningPart(text, opaque):
            yield PartStarted(index, "reasoning")
        case ToolCallPart(id, name, text, custom):
            yield PartStarted(index, "tool_call", id, name, custom)
        case NativePart(dialect, type, value):
            yield PartStarted(index, "native", native=(dialect, type, value))
        case _:
            return
    if text:
        yield PartDelta(index, text)
    if isinstance(part, TextPart):
        yield from (CitationAdded(index, citation) for citation in part.citations)
    yield PartFinished(index, opaque)
