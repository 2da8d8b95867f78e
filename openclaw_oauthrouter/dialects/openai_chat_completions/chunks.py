"""Bytes of one stream's chunks, prepared once so that a delta costs one ``orjson.dumps`` of its text."""

from __future__ import annotations

import orjson

from openclaw_oauthrouter.canonical.json import JsonObject

DONE = b"data: [DONE]\n\n"

_CLOSING = bytes.maketrans(b"{[", b"}]")
_NOT_OPENING = bytes(set(range(256)) - set(b"{["))


class ChunkTemplate:
    """Everything of a chunk that is the same all through a stream.

    :param id_: the answer's id
    :param created: Unix seconds
    :param null_usage: chunks say ``"usage": null``, as OpenAI's do when the client asked for a usage chunk
    """

    def __init__(self, id_: str, model: str, created: int, *, null_usage: bool = False) -> None:
        head = {"id": id_, "object": "chat.completion.chunk", "created": created, "model": model}
        self._head = b"data: " + orjson.dumps(head)[:-1] + b',"choices":['
        self._tail = (b'],"usage":null}' if null_usage else b"]}") + b"\n\n"

    def around(self, field: bytes) -> tuple[bytes, bytes]:
        """What stands before and after the JSON string of a delta whose only field is ``field``, e.g. ``b'{"content":'``."""
        closing = field[::-1].translate(_CLOSING, _NOT_OPENING)
        return self._head + b'{"index":0,"delta":' + field, closing + b',"finish_reason":null}' + self._tail

    def delta(self, delta: JsonObject, finish_reason: str | None = None) -> bytes:
        """A chunk of any content."""
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return self._head + orjson.dumps(choice) + self._tail

    def usage(self, usage: JsonObject) -> bytes:
        """The chunk without choices that carries the token counts."""
        return self._head + b'],"usage":' + orjson.dumps(usage) + b"}\n\n"
