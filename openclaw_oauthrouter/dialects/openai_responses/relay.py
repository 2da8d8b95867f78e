"""The transparent lane: a Responses client at a Responses upstream; bodies and streams pass as they are but for what must change.

Where a body was made for or by somebody else (a history that began at another maker, a client of another API), what the upstream would
refuse is mended; where nothing is wrong, the very objects of the client's body are sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import orjson

from openclaw_oauthrouter.canonical.events import Frame, ResponseFailed, ResponseFinished, ResponseStarted
from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.canonical.opaque import unseal
from openclaw_oauthrouter.canonical.request import ChatRequest, EncodedRequest, Note
from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.dialects.openai_responses.stream_encoder import CONTENT_TYPE, KEEP_ALIVE, ResponseObject, encode
from openclaw_oauthrouter.dialects.openai_responses.vocabulary import MAX_ID, wire_call_id
from openclaw_oauthrouter.errors import OAuthRouterError
from openclaw_oauthrouter.wire.sse import ServerSentEvent, ServerSentEventDecoder, encode_event

_SEQUENCE = re.compile(rb'"sequence_number"\s*:\s*(\d{1,15})')
_ITEM_DONE = b"response.output_item.done"
_ENDS = (b"response.completed", b"response.incomplete", b"response.done")
_END_TYPES = frozenset(kind.decode() for kind in _ENDS)


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
        mended = [mend_item(item) for item in kept]
        if any(new is not old for new, old in zip(mended, kept, strict=True)):
            notes.append(Note("repaired", "input", "items that were made for another API or by another maker"))
        body["input"] = mended
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


# ------------------------------------------------------------------------------------------------------ mending single items

_ID_PREFIXES = {
    "message": "msg",
    "function_call": "fc",
    "custom_tool_call": "ctc",
    "reasoning": "rs",
}
"""What the API wants an item's id to begin with, where it looks at it (400 "Expected an ID that begins with 'fc'")."""

_SAID = {"input_text": "output_text", "text": "output_text"}
_ASKED = {"output_text": "input_text", "text": "input_text"}


def mend_item(item: JsonObject) -> JsonObject:
    """An item as the API takes it: the very object where nothing is wrong with it.

    Mended are ids that are too long or another maker's, reasoning in clear beside the sealed one, words in parts of the other side, and
    arguments and answers that are no strings. Sources: the 400s that users of several gateways report after a failover.
    """
    changes: JsonObject = {}
    kind = item.get("type") or "message"
    if _is_foreign_id(item.get("id"), _ID_PREFIXES.get(kind)):
        changes["id"] = None
    call_id = item.get("call_id")
    if isinstance(call_id, str) and wire_call_id(call_id) != call_id:
        changes["call_id"] = wire_call_id(call_id)
    mend = _MENDERS.get(kind)
    if mend is not None:
        mend(item, changes)
    if not changes:
        return item
    return {name: value for name, value in {**item, **changes}.items() if name not in changes or value is not None}


def _is_foreign_id(id_: object, prefix: str | None) -> bool:
    if not isinstance(id_, str):
        return False
    return len(id_) > MAX_ID or (prefix is not None and not id_.startswith(prefix))


def _mend_message(item: JsonObject, changes: JsonObject) -> None:
    content = item.get("content")
    if not isinstance(content, list):
        return
    names = _SAID if item.get("role") == "assistant" else _ASKED
    mended = [_mend_part(part, names) for part in content]
    if any(new is not old for new, old in zip(mended, content, strict=True)):
        changes["content"] = mended


def _mend_part(part: Any, names: Mapping[str, str]) -> Any:
    if not isinstance(part, dict):
        return part
    kind = str(part.get("type"))
    if kind in names:
        kept = {name: value for name, value in part.items() if name not in ("annotations", "logprobs")}
        return {**(part if names is _SAID else kept), "type": names[kind]}
    if kind == "image_url" and names is _ASKED:
        image = part.get("image_url")
        url = image.get("url") if isinstance(image, dict) else image
        detail = image.get("detail") if isinstance(image, dict) else None
        return {"type": "input_image", "image_url": url, "detail": detail or "auto"}
    return part


def _mend_reasoning(item: JsonObject, changes: JsonObject) -> None:
    if item.get("content") and item.get("encrypted_content"):
        changes["content"] = None


def _mend_call(item: JsonObject, changes: JsonObject) -> None:
    if isinstance(item.get("arguments"), dict | list):
        changes["arguments"] = orjson.dumps(item["arguments"]).decode()


def _mend_answer(item: JsonObject, changes: JsonObject) -> None:
    output = item.get("output")
    if isinstance(output, list):
        mended = [_mend_part(part, _ASKED) for part in output]
        if any(new is not old for new, old in zip(mended, output, strict=True)):
            changes["output"] = mended
    elif isinstance(output, dict):
        changes["output"] = orjson.dumps(output).decode()


_MENDERS: dict[str, Callable[[JsonObject, JsonObject], None]] = {
    "message": _mend_message,
    "reasoning": _mend_reasoning,
    "function_call": _mend_call,
    "function_call_output": _mend_answer,
    "custom_tool_call_output": _mend_answer,
}


# ------------------------------------------------------------------------------------------------------------------- answers


def rename_tools(body: JsonObject, names: FrozenObject) -> JsonObject:
    """A whole answer with the names its client knows."""
    output = body.get("output") or []
    if not names or not isinstance(output, list):
        return body
    return {**body, "output": [_rename_item(item, names) if isinstance(item, dict) else item for item in output]}


def _rename_item(item: JsonObject, names: FrozenObject) -> JsonObject:
    name: Any = item.get("name")
    return {**item, "name": names[name]} if isinstance(name, str) and name in names else item


def whole_answer(stream: bytes) -> JsonObject:
    """The answer that a stream ends with, as a client would get it whole.

    :param stream: all that ``RelayEncoder`` wrote for one answer
    """
    answer: JsonObject = {}
    for event in _events_of(stream):
        data = _parsed(event.data)
        if data.get("type") in _END_TYPES and isinstance(data.get("response"), dict):
            answer = data["response"]
    return answer


class RelayEncoder:
    """Forwards raw bytes; speaks itself only to keep a client waiting, to report a failure, and to fill an empty final list of items.

    The ChatGPT backend ends its streams with ``output: []``; clients that read the last event only (``openai`` for Node, the Agents SDKs)
    would take the answer for empty.
    """

    content_type = CONTENT_TYPE

    def __init__(self, answer: ResponseObject, tool_names: FrozenObject) -> None:
        self._answer = answer
        self._names = tool_names
        self._last = b""
        self._started = self._over = False
        self._items: dict[int, JsonObject] = {}

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
        raw = self._adapted(frame.raw)
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

    def _adapted(self, raw: bytes) -> bytes:
        # Most reads bring deltas only, which nothing here looks into.
        if not self._names and _ITEM_DONE not in raw and not any(end in raw for end in _ENDS):
            return raw
        events = list(_events_of(raw))
        parsed = [_parsed(event.data) for event in events]
        adapted = [self._filled(_renamed(data, self._names)) for data in parsed]
        if all(new is old for new, old in zip(adapted, parsed, strict=True)):
            return raw
        return b"".join(_written(event, new, old) for event, new, old in zip(events, adapted, parsed, strict=True))

    def _filled(self, data: JsonObject) -> JsonObject:
        """Take note of an item that is whole; put what was noted into a last event that lists none."""
        kind, response = data.get("type"), data.get("response")
        if kind == _ITEM_DONE.decode() and isinstance(data.get("item"), dict):
            position = data.get("output_index")
            self._items[position if isinstance(position, int) else len(self._items)] = data["item"]
        elif kind in _END_TYPES and isinstance(response, dict) and self._items and not response.get("output"):
            items = [item for _, item in sorted(self._items.items())]
            return {**data, "response": {**response, "output": items}}
        return data

    def _stage(self, name: str, response: JsonObject, number: int) -> JsonObject:
        return {"type": f"response.{name}", "response": response, "sequence_number": number}

    def _next_number(self) -> int:
        numbers = _SEQUENCE.findall(self._last)
        return int(numbers[-1]) + 1 if numbers else 0


def _events_of(raw: bytes) -> Iterable[ServerSentEvent]:
    decoder = ServerSentEventDecoder()
    return (*decoder.feed(raw)[1], *decoder.finish()[1])


def _parsed(data: bytes) -> JsonObject:
    try:
        value = orjson.loads(data)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _written(event: ServerSentEvent, new: JsonObject, old: JsonObject) -> bytes:
    data = b" ".join(event.data.splitlines()) if new is old else orjson.dumps(new)
    return encode_event(data, event.event)


def _renamed(data: JsonObject, names: FrozenObject) -> JsonObject:
    changes = {
        field: rename(data[field], names) for field, rename in _RENAMED.items() if names and isinstance(data.get(field), dict)
    }
    return {**data, **changes} if changes else data


_RENAMED: dict[str, Callable[[JsonObject, FrozenObject], JsonObject]] = {"item": _rename_item, "response": rename_tools}
