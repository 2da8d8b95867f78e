"""The items of an answer as its client sees them, each from its announcement to its end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import orjson

from openclaw_oauthrouter.canonical.content import Citation, Opaque
from openclaw_oauthrouter.canonical.free_text import unwrap_input
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.opaque import seal


class ItemWriter(Protocol):
    """Yields wire events without ``output_index`` and ``sequence_number``.

    :ivar chunks: its text so far
    """

    chunks: list[str]

    def open(self) -> Iterator[JsonObject]:
        """Announce the item."""

    def append(self, text: str) -> Iterator[JsonObject]:
        """More of it."""

    def delta(self, text: str) -> JsonObject | None:
        """The event for more of it, where ``append`` yields no other; ``None`` where it does, or none at all."""

    def close(self, opaque: Opaque | None) -> Iterator[JsonObject]:
        """Finish it."""


class ReasoningWriter:
    """A reasoning item: the text as its summary, the sealed form as its encrypted content."""

    def __init__(self, item_id: str) -> None:
        self._id = item_id
        self.chunks: list[str] = []

    def open(self) -> Iterator[JsonObject]:
        """Announce the item."""
        yield {"type": "response.output_item.added", "item": self._item({})}

    def append(self, text: str) -> Iterator[JsonObject]:
        """More words; the first open the summary."""
        if not self.chunks:
            yield self._event("part.added", part=_summary(""))
        self.chunks.append(text)
        yield self._event("text.delta", delta=text)

    def delta(self, text: str) -> JsonObject | None:
        """The event for more words."""
        return self._event("text.delta", delta=text) if self.chunks else None

    def close(self, opaque: Opaque | None) -> Iterator[JsonObject]:
        """Finish the item."""
        text = "".join(self.chunks)
        if text:
            yield self._event("text.done", text=text)
            yield self._event("part.done", part=_summary(text))
        sealed = {} if opaque is None else {"encrypted_content": _encrypted(opaque)}
        yield {"type": "response.output_item.done", "item": self._item(sealed, text)}

    def _event(self, name: str, **fields: object) -> JsonObject:
        return {"type": f"response.reasoning_summary_{name}", "item_id": self._id, "summary_index": 0, **fields}

    def _item(self, sealed: JsonObject, text: str = "") -> JsonObject:
        return {"type": "reasoning", "id": self._id, "summary": [_summary(text)] if text else [], **sealed}


class CallWriter:
    """A ``function_call`` item, or a ``custom_tool_call`` one, which takes free text.

    :param identity: ``call_id``, ``name`` and, for a grouped tool, ``namespace``
    :param unwrap: the client's tool takes free text, but the provider only knows JSON and wrote ``{"input": …}``
    :ivar cut: the answer reached its limit within the call
    """

    def __init__(self, item_id: str, identity: JsonObject, *, custom: bool, unwrap: bool) -> None:
        self._id = item_id
        self._identity = identity
        self._unwrap = unwrap
        self.cut = False
        self.chunks: list[str] = []
        self._type, self._field, self._event = (
            ("custom_tool_call", "input", "response.custom_tool_call_input")
            if custom
            else ("function_call", "arguments", "response.function_call_arguments")
        )

    def open(self) -> Iterator[JsonObject]:
        """Announce the item."""
        yield {"type": "response.output_item.added", "item": self._item("", "in_progress")}

    def append(self, text: str) -> Iterator[JsonObject]:
        """More arguments."""
        self.chunks.append(text)
        event = self.delta(text)
        if event is not None:
            yield event

    def delta(self, text: str) -> JsonObject | None:
        """The event for more arguments; ``None`` where they are held back."""
        return None if self._unwrap else {"type": f"{self._event}.delta", "item_id": self._id, "delta": text}

    def close(self, opaque: Opaque | None) -> Iterator[JsonObject]:
        """Finish the item."""
        text = "".join(self.chunks)
        if self._unwrap:
            text = unwrap_input(text)
            yield {"type": f"{self._event}.delta", "item_id": self._id, "delta": text}
        elif not text and self._type == "function_call":
            text = "{}"
        yield {"type": f"{self._event}.done", "item_id": self._id, self._field: text, "name": self._identity["name"]}
        yield {"type": "response.output_item.done", "item": self._item(text, "incomplete" if self.cut else "completed")}

    def _item(self, text: str, status: str) -> JsonObject:
        return {"type": self._type, "id": self._id, "status": status, **self._identity, self._field: text}


class SearchCallWriter(CallWriter):
    """A ``tool_search_call``, by which Codex CLI is asked for further tools; its arguments are an object, and come whole."""

    def open(self) -> Iterator[JsonObject]:
        """Announce the item."""
        yield {"type": "response.output_item.added", "item": self._searching({}, "in_progress")}

    def append(self, text: str) -> Iterator[JsonObject]:
        """More arguments."""
        self.chunks.append(text)
        return iter(())

    def delta(self, text: str) -> JsonObject | None:
        """Its arguments come whole."""
        return None

    def close(self, opaque: Opaque | None) -> Iterator[JsonObject]:
        """Finish the item."""
        text = "".join(self.chunks)
        try:
            arguments = orjson.loads(text or "{}")
        except orjson.JSONDecodeError:
            arguments = {"query": text}
        status = "incomplete" if self.cut else "completed"
        yield {"type": "response.output_item.done", "item": self._searching(arguments, status)}

    def _searching(self, arguments: object, status: str) -> JsonObject:
        call_id = self._identity["call_id"]
        item: JsonObject = {
            "type": "tool_search_call",
            "id": self._id,
            "call_id": call_id,
            "execution": "client",
            "status": status,
        }
        return {**item, "arguments": arguments}


def _summary(text: str) -> JsonObject:
    return {"type": "summary_text", "text": text}


def _encrypted(opaque: Opaque) -> str:
    # Content of this very dialect that nobody has marked goes back as it came; everything else must say whose it is.
    return opaque.data if opaque.kind == "encrypted" and not opaque.origin else seal(opaque)


class MessageWriter:
    """Yields wire events without ``output_index`` and ``sequence_number``."""

    def __init__(self, item_id: str) -> None:
        self._id = item_id
        self._content: list[JsonObject] = []
        self._kind: str | None = None
        self._base = 0
        self.chunks: list[str] = []
        self._citations: list[JsonObject] = []

    def open(self) -> Iterator[JsonObject]:
        """Announce the item."""
        yield {"type": "response.output_item.added", "item": self._item("in_progress")}

    def begin(self, kind: str, base: int) -> Iterator[JsonObject]:
        """Open a content part.

        :param kind: ``text`` or ``refusal``
        :param base: where its text begins in the text of the whole answer
        """
        self._kind, self._base, self.chunks, self._citations = kind, base, [], []
        yield self._event("content_part.added", part=self._part(""))

    def append(self, text: str) -> Iterator[JsonObject]:
        """More words."""
        self.chunks.append(text)
        yield self.delta(text)

    def delta(self, text: str) -> JsonObject:
        """The event for more words."""
        if self._kind == "refusal":
            return self._event("refusal.delta", delta=text)
        return self._event("output_text.delta", delta=text, logprobs=[])

    def cite(self, citation: Citation) -> Iterator[JsonObject]:
        """The open part names a source."""
        annotation = {
            "type": "url_citation",
            "url": citation.url,
            "title": citation.title,
            "start_index": max(citation.start - self._base, 0),
            "end_index": max(citation.end - self._base, 0),
        }
        number = len(self._citations)
        self._citations.append(annotation)
        yield self._event("output_text.annotation.added", annotation_index=number, annotation=annotation)

    def end(self) -> Iterator[JsonObject]:
        """Close the open content part, if there is one."""
        if self._kind is None:
            return
        text = "".join(self.chunks)
        part = self._part(text)
        if self._kind == "refusal":
            yield self._event("refusal.done", refusal=text)
        else:
            yield self._event("output_text.done", text=text, logprobs=[])
        yield self._event("content_part.done", part=part)
        self._content.append(part)
        self._kind = None

    def close(self) -> Iterator[JsonObject]:
        """Finish the item."""
        yield from self.end()
        yield {"type": "response.output_item.done", "item": self._item("completed")}

    def _event(self, name: str, **fields: object) -> JsonObject:
        return {"type": f"response.{name}", "item_id": self._id, "content_index": len(self._content), **fields}

    def _part(self, text: str) -> JsonObject:
        if self._kind == "refusal":
            return {"type": "refusal", "refusal": text}
        return {"type": "output_text", "text": text, "annotations": list(self._citations), "logprobs": []}

    def _item(self, status: str) -> JsonObject:
        return {"type": "message", "id": self._id, "status": status, "role": "assistant", "content": list(self._content)}
