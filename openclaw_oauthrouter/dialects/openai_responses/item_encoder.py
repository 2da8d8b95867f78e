"""Canonical messages, as input items."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from openclaw_oauthrouter.canonical.content import (
    BlobPart,
    FilePart,
    NativePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolCallResponsePart,
    UriPart,
)
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.request import Message, Note
from openclaw_oauthrouter.canonical.tool_names import wire_name
from openclaw_oauthrouter.dialects.openai_responses.media_encoder import encode_media
from openclaw_oauthrouter.dialects.openai_responses.names import wire_call_id


def encode_instructions(messages: Sequence[Message]) -> tuple[str | None, Sequence[Message]]:
    """The leading system messages as one text, and the rest; a request of nothing but system messages keeps them as items."""
    leading = list(takewhile(lambda message: message.role == "system", messages))
    rest = messages[len(leading) :]
    if not rest:
        return None, messages
    texts = (part.text for message in leading for part in message.parts if isinstance(part, TextPart) and part.text)
    return "\n\n".join(texts) or None, rest


class InputEncoder:
    """Writes messages one after the other.

    :ivar items: what has been written
    :ivar notes: what could not be
    """

    def __init__(self, foreign_opaque: frozenset[str]) -> None:
        self.items: list[JsonObject] = []
        self.notes: list[Note] = []
        self._foreign = foreign_opaque
        self._custom_calls: set[str] = set()

    def write(self, message: Message) -> None:
        """Add a message."""
        if message.role == "assistant":
            self._write_assistant(message.parts)
            return
        role = "developer" if message.role == "system" else "user"
        content: list[JsonObject] = []
        for part in message.parts:
            if isinstance(part, ToolCallResponsePart):
                self._flush(role, content)
                self._write_answer(part)
            else:
                content.extend(self._encode_content(part))
        self._flush(role, content)

    def _write_assistant(self, parts: Sequence[Part]) -> None:
        content: list[JsonObject] = []
        for position, part in enumerate(parts):
            match part:
                case TextPart(text) | RefusalPart(text):
                    content.extend(_said(part, text))
                case ToolCallPart():
                    self._flush("assistant", content)
                    self._write_call(part)
                case ReasoningPart():
                    self._flush("assistant", content)
                    self._write_reasoning(part, last=position == len(parts) - 1)
                case _:
                    self._drop(part, "has no counterpart in an assistant turn")
        self._flush("assistant", content)

    def _flush(self, role: str, content: list[JsonObject]) -> None:
        if content:
            self.items.append({"type": "message", "role": role, "content": list(content)})
            content.clear()

    def _write_call(self, call: ToolCallPart) -> None:
        item: JsonObject = {"call_id": wire_call_id(call.id), "name": wire_name(call.name)}
        if call.custom:
            self._custom_calls.add(call.id)
            self.items.append({"type": "custom_tool_call", **item, "input": call.arguments})
        else:
            self.items.append({"type": "function_call", **item, "arguments": call.arguments or "{}"})

    def _write_answer(self, answer: ToolCallResponsePart) -> None:
        custom = answer.custom or answer.id in self._custom_calls
        self.items.append(
            {
                "type": "custom_tool_call_output" if custom else "function_call_output",
                "call_id": wire_call_id(answer.id),
                "output": self._encode_output(answer),
            }
        )

    def _encode_output(self, answer: ToolCallResponsePart) -> str | list[JsonObject]:
        if not answer.content:
            return "The tool failed." if answer.is_error else ""
        if len(answer.content) == 1 and isinstance(answer.content[0], TextPart):
            return answer.content[0].text
        return [encoded for part in answer.content for encoded in self._encode_content(part)]

    def _write_reasoning(self, part: ReasoningPart, *, last: bool) -> None:
        opaque = part.opaque
        if opaque is None or opaque.kind != "encrypted" or opaque.data in self._foreign:
            self.notes.append(Note("dropped", "reasoning", "only its own maker can read it"))
        elif last:
            self.notes.append(Note("dropped", "reasoning", "nothing follows it, which the API refuses"))
        else:
            summary = [{"type": "summary_text", "text": part.text}] if part.text else []
            item: JsonObject = {"type": "reasoning", "summary": summary, "encrypted_content": opaque.data}
            self.items.append({**item, "id": opaque.item_id} if opaque.item_id else item)

    def _encode_content(self, part: Part) -> list[JsonObject]:
        match part:
            case TextPart(text):
                return [{"type": "input_text", "text": text}] if text else []
            case BlobPart() | UriPart() | FilePart():
                return [encode_media(part)]
            case _:
                self._drop(part, "has no counterpart in the Responses API")
                return []

    def _drop(self, part: Part, reason: str) -> None:
        subject = part.type if isinstance(part, NativePart) else type(part).__name__.removesuffix("Part").lower()
        self.notes.append(Note("dropped", subject, reason))


def _said(part: Part, text: str) -> list[JsonObject]:
    if isinstance(part, RefusalPart):
        return [{"type": "refusal", "refusal": text}]
    return [{"type": "output_text", "text": text}] if text else []
