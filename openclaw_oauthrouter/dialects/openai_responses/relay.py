"""The transparent lane: a Responses client at a Responses upstream; bodies and streams pass as they are but for what must change."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from openclaw_oauthrouter.canonical.events import Frame, ResponseFailed, ResponseFinished, ResponseStarted
from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.canonical.opaque import unseal
from openclaw_oauthrouter.canonical.request import ChatRequest, EncodedRequest, Note
from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.dialects.openai_responses.stream_encoder import CONTENT_TYPE, KEEP_ALIVE, ResponseObject, encode
from openclaw_oauthrouter.errors import OAuthRouterError
from openclaw_oauthrouter.wire.sse import ServerSentEventDecoder, encode_event

_SEQUENCE = re.compile(rb'"sequence_number"\s*:\s*(\d{1,15})')


def relay_request(request: ChatRequest, info: ModelInfo) -> EncodedRequest:
    """The client's own body for another model; reasoning that another maker sealed stays behind."""
    body = dict(request.body)
    body["model"] = info.id
    notes: list[Note] = []
    items = body.get("input")
    if isinstance(items, list):
        stored = body.get("store") is not False
        kept = [kept for item in items for kept in _keep(item, request.foreign_opaque, stored=stored)]
        if len(kept) < len(items):
            notes.append(Note("dropped", "reasoning", "only its own maker can read it"))
        body["input"] = kept
    return EncodedRequest(body, tuple(notes))


def _keep(item: JsonObject, foreign: frozenset[str], *, stored: bool) -> Iterator[JsonObject]:
    encrypted = item.get("encrypted_content") if item.get("type") == "reasoning" else None
    if not isinstance(encrypted, str):
        # Unsealed reasoning is looked up by its id, which a provider that stores nothing cannot do.
        if stored or item.get("type") != "reasoning":
            yield item
        return
    opaque = unseal(encrypted)
    if opaque is None:
        if encrypted not in foreign:
            yield item
    elif opaque.kind == "encrypted" and opaque.data not in foreign:
        yield {**item, "encrypted_content": opaque.data, **({"id": opaque.item_id} if opaque.item_id else {})}


def rename_tools(body: JsonObject, names: FrozenObject) -> JsonObject:
    """A whole answer with the names its client knows."""
    output = body.get("output") or []
    if not names or not isinstance(output, list):
        return body
    return {**body, "output": [_rename_item(item, names) if isinstance(item, dict) else item for item in output]}


def _rename_item(item: JsonObject, names: FrozenObject) -> JsonObject:
    name: Any = item.get("name")
    return {**item, "name": names[name]} if isinstance(name, str) and name in names else item


class RelayEncoder:
    """Forwards raw bytes; speaks itself only to keep a client waiting or to report a failure."""

    content_type = CONTENT_TYPE

    def __init__(self, answer: ResponseObject, tool_names: FrozenObject) -> None:
        self._answer = answer
        self._names = tool_names
        self._last = b""
        self._started = self._over = False

    def send(self, frame: Frame) -> bytes:
        """Forward a frame; what follows the end of the answer as well."""
        failure = None
        for event in frame.events:
            if isinstance(event, ResponseStarted):
                self._started = True
                self._answer.identify(event.id)
            elif isinstance(event, ResponseFinished):
                self._over = True
            elif isinstance(event, ResponseFailed):
                failure = event.error
        raw = _rename_stream(frame.raw, self._names) if self._names else frame.raw
        self._last = raw or self._last
        return raw if failure is None else raw + self.fail(failure)

    def keep_alive(self) -> bytes:
        """A repetition of what the client knows: not all clients count a comment. Before the first event nothing else is legal."""
        if not self._started or self._over:
            return KEEP_ALIVE
        number = max(self._next_number() - 1, 0)
        return encode([self._stage("in_progress", self._answer.in_progress(), number)])

    def fail(self, error: OAuthRouterError) -> bytes:
        """End the stream, unless it has ended."""
        if self._over:
            return b""
        self._over = True
        number = self._next_number()
        created = [] if self._started else [self._stage("created", self._answer.in_progress(), number)]
        return encode([*created, self._stage("failed", self._answer.failed(error), number + len(created))])

    def _stage(self, name: str, response: JsonObject, number: int) -> JsonObject:
        return {"type": f"response.{name}", "response": response, "sequence_number": number}

    def _next_number(self) -> int:
        numbers = _SEQUENCE.findall(self._last)
        return int(numbers[-1]) + 1 if numbers else 0


def _rename_stream(raw: bytes, names: FrozenObject) -> bytes:
    decoder = ServerSentEventDecoder()
    events = [*decoder.feed(raw)[1], *decoder.finish()[1]]
    return b"".join(encode_event(_rename_event(event.data, names), event.event) for event in events)


def _rename_event(data: bytes, names: FrozenObject) -> bytes:
    try:
        event: Any = orjson.loads(data)
    except ValueError:
        return b" ".join(data.splitlines())
    for field, rename in _RENAMED.items():
        if isinstance(event, dict) and isinstance(event.get(field), dict):
            event[field] = rename(event[field], names)
    return orjson.dumps(event)


_RENAMED: dict[str, Callable[[JsonObject, FrozenObject], JsonObject]] = {"item": _rename_item, "response": rename_tools}
