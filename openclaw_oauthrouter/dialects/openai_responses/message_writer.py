"""Writes a message item; consecutive text and refusal parts of an answer are its content parts."""

from __future__ import annotations

from collections.abc import Iterator

from openclaw_oauthrouter.canonical.content import Citation
from openclaw_oauthrouter.canonical.json import JsonObject


class MessageWriter:
    """Yields wire events without ``output_index`` and ``sequence_number``."""

    def __init__(self, item_id: str) -> None:
        self._id = item_id
        self._content: list[JsonObject] = []
        self._kind: str | None = None
        self._base = 0
        self._chunks: list[str] = []
        self._citations: list[JsonObject] = []

    def open(self) -> Iterator[JsonObject]:
        """Announce the item."""
        yield {"type": "response.output_item.added", "item": self._item("in_progress")}

    def begin(self, kind: str, base: int) -> Iterator[JsonObject]:
        """Open a content part.

        :param kind: ``text`` or ``refusal``
        :param base: where its text begins in the text of the whole answer
        """
        self._kind, self._base, self._chunks, self._citations = kind, base, [], []
        yield self._event("content_part.added", part=self._part(""))

    def append(self, text: str) -> Iterator[JsonObject]:
        """More words."""
        self._chunks.append(text)
        yield (
            self._event("refusal.delta", delta=text)
            if self._kind == "refusal"
            else self._event("output_text.delta", delta=text, logprobs=[])
        )

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
        text = "".join(self._chunks)
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
