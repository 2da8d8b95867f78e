"""Writes the items that are one part each: reasoning and calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from openclaw_oauthrouter.canonical.content import Opaque
from openclaw_oauthrouter.canonical.free_text import unwrap_input
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.opaque import seal


class ItemWriter(Protocol):
    """Yields wire events without ``output_index`` and ``sequence_number``."""

    def open(self) -> Iterator[JsonObject]:
        """Announce the item."""

    def append(self, text: str) -> Iterator[JsonObject]:
        """More of it."""

    def close(self, opaque: Opaque | None) -> Iterator[JsonObject]:
        """Finish it."""


class ReasoningWriter:
    """A reasoning item: the text as its summary, the sealed form as its encrypted content."""

    def __init__(self, item_id: str) -> None:
        self._id = item_id
        self._chunks: list[str] = []

    def open(self) -> Iterator[JsonObject]:
        """Announce the item."""
        yield {"type": "response.output_item.added", "item": self._item({})}

    def append(self, text: str) -> Iterator[JsonObject]:
        """More words; the first open the summary."""
        if not self._chunks:
            yield self._event("part.added", part=_summary(""))
        self._chunks.append(text)
        yield self._event("text.delta", delta=text)

    def close(self, opaque: Opaque | None) -> Iterator[JsonObject]:
        """Finish the item."""
        text = "".join(self._chunks)
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
        self._chunks: list[str] = []
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
        self._chunks.append(text)
        if not self._unwrap:
            yield {"type": f"{self._event}.delta", "item_id": self._id, "delta": text}

    def close(self, opaque: Opaque | None) -> Iterator[JsonObject]:
        """Finish the item."""
        text = "".join(self._chunks)
        if self._unwrap:
            text = unwrap_input(text)
            yield {"type": f"{self._event}.delta", "item_id": self._id, "delta": text}
        elif not text and self._type == "function_call":
            text = "{}"
        yield {"type": f"{self._event}.done", "item_id": self._id, self._field: text, "name": self._identity["name"]}
        yield {"type": "response.output_item.done", "item": self._item(text, "incomplete" if self.cut else "completed")}

    def _item(self, text: str, status: str) -> JsonObject:
        return {"type": self._type, "id": self._id, "status": status, **self._identity, self._field: text}


def _summary(text: str) -> JsonObject:
    return {"type": "summary_text", "text": text}


def _encrypted(opaque: Opaque) -> str:
    # Content of this very dialect that nobody has marked goes back as it came; everything else must say whose it is.
    return opaque.data if opaque.kind == "encrypted" and not opaque.origin else seal(opaque)
