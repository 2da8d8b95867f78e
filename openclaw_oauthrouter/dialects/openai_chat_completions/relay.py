"""The transparent lane: client and upstream both speak Chat Completions, so everything passes that need not change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.error_envelope import encode_error
from openclaw_oauthrouter.canonical.events import Frame, ResponseFailed, ResponseStarted
from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.canonical.opaque import unseal
from openclaw_oauthrouter.canonical.request import ChatRequest, EncodedRequest, Note
from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.dialects.openai_chat_completions.content import sealed_data
from openclaw_oauthrouter.dialects.openai_chat_completions.stream_encoder import ChunkTemplate
from openclaw_oauthrouter.dialects.openai_chat_completions.vocabulary import completion_id
from openclaw_oauthrouter.errors import OAuthRouterError
from openclaw_oauthrouter.wire.json_fields import JsonFields
from openclaw_oauthrouter.wire.sse import ServerSentEventDecoder, encode_event


def relay_request(request: ChatRequest, info: ModelInfo) -> EncodedRequest:
    """The client's own body with the model's id, less reasoning that was sealed by somebody else.

    :raises InvalidRequestError: a message's ``thinking_blocks`` are no list of objects
    """
    notes: list[Note] = []
    body: JsonObject = {**request.body, "model": info.id}
    body["messages"] = [
        _without_foreign_blocks(message, request.foreign_opaque, notes) for message in JsonFields(body).objects("messages")
    ]
    return EncodedRequest(body, notes=tuple(notes))


def relay_response(body: JsonObject, tool_names: FrozenObject) -> JsonObject:
    """A whole answer as it came, with the client's own tool names."""
    if tool_names:
        _rename(body, "message", tool_names)
    return body


class RelayEncoder:
    """Forwards an upstream stream byte by byte.

    :param tool_names: name on the wire -> name the client used, where they differ
    """

    content_type = "text/event-stream"

    def __init__(self, request: ChatRequest, tool_names: FrozenObject, clock: Clock) -> None:
        self._tool_names = tool_names
        self._marks = tuple(name.encode() for name in tool_names)
        self._model = request.model
        self._created = clock()
        self._template: ChunkTemplate | None = None
        self._over = False

    def send(self, frame: Frame) -> bytes:
        """The frame's own bytes, and an error chunk if the stream broke in it."""
        out = self._rename_in(frame.raw) if any(mark in frame.raw for mark in self._marks) else frame.raw
        for event in frame.events:
            if isinstance(event, ResponseStarted):
                self._prepare(event.id, event.model or self._model)
            elif isinstance(event, ResponseFailed):
                out += self.fail(event.error)
        return out

    def keep_alive(self) -> bytes:
        """An empty delta."""
        return (self._template or self._prepare("", self._model)).delta({})

    def fail(self, error: OAuthRouterError) -> bytes:
        """An error chunk; nothing follows."""
        if self._over:
            return b""
        self._over = True
        return encode_event(orjson.dumps(encode_error(error)))

    def _prepare(self, id_: str, model: str) -> ChunkTemplate:
        self._template = ChunkTemplate(id_ or completion_id("", self._created), model, int(self._created))
        return self._template

    def _rename_in(self, raw: bytes) -> bytes:
        decoder = ServerSentEventDecoder()
        events = [*decoder.feed(raw)[1], *decoder.finish()[1]]
        return b"".join(encode_event(self._rename_data(event.data), event.event) for event in events)

    def _rename_data(self, data: bytes) -> bytes:
        if not any(mark in data for mark in self._marks):
            return b" ".join(data.splitlines())
        chunk = orjson.loads(data)
        _rename(chunk, "delta", self._tool_names)
        return orjson.dumps(chunk)


def _rename(holder: Any, field: str, names: FrozenObject) -> None:
    for function in _functions(holder, field):
        name = function.get("name")
        if isinstance(name, str) and name in names:
            function["name"] = names[name]


def _functions(holder: Any, field: str) -> Iterator[JsonObject]:
    """The functions an answer calls; the first choice has been decoded, the others may hold anything."""
    for choice in _objects(holder.get("choices")):
        for said in _objects([choice.get(field)]):
            for call in _objects(said.get("tool_calls")):
                yield from _objects([call.get("function") or call.get("custom")])
            yield from _objects([said.get("function_call")])


def _objects(values: object) -> Iterator[JsonObject]:
    return (value for value in values if isinstance(value, dict)) if isinstance(values, list) else iter(())


def _without_foreign_blocks(message: JsonFields, foreign: frozenset[str], notes: list[Note]) -> FrozenObject:
    if not message.get("thinking_blocks"):
        return message.holder
    blocks = [block.holder for block in message.objects("thinking_blocks")]
    kept = [block for block in blocks if not _is_foreign(block, foreign)]
    if len(kept) == len(blocks):
        return message.holder
    notes.append(Note("dropped", message.at("thinking_blocks"), "reasoning sealed by another provider"))
    rest = {key: value for key, value in message.holder.items() if key != "thinking_blocks"}
    return {**rest, "thinking_blocks": kept} if kept else rest


def _is_foreign(block: FrozenObject, foreign: frozenset[str]) -> bool:
    data = sealed_data(block)
    # What we sealed came out of another dialect, so no upstream of this one can be its maker.
    return data is not None and (unseal(data) is not None or data in foreign)
