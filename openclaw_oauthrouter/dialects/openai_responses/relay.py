"""The transparent lane: a Responses client at a Responses upstream; bodies and streams pass as they are but for what must change.

Where a body was made for or by somebody else (a history that began at another maker, a client of another API), what the upstream would
refuse is mended; where nothing is wrong, the very objects of the client's body are sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import is_
from typing import Any

import orjson

from openclaw_oauthrouter.canonical.by_identity import by_identity
from openclaw_oauthrouter.canonical.events import Frame, ResponseFailed, ResponseFinished, ResponseStarted
from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.canonical.model_info import ModelInfo
from openclaw_oauthrouter.canonical.opaque import unseal
from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.request import ChatRequest, EncodedRequest, Note
from openclaw_oauthrouter.dialects.openai_responses.content import (
    ANSWER,
    UNREADABLE,
    as_asked,
    is_plain,
    read_summary,
    told_summary,
)
from openclaw_oauthrouter.dialects.openai_responses.errors import encode_fault
from openclaw_oauthrouter.dialects.openai_responses.stream_encoder import CONTENT_TYPE, KEEP_ALIVE, encode
from openclaw_oauthrouter.dialects.openai_responses.tools import ADDED, FOUND, SEARCH, target_schema
from openclaw_oauthrouter.dialects.openai_responses.vocabulary import COMPACTIONS, MAX_ID, ResponseObject, wire_call_id
from openclaw_oauthrouter.errors import OAuthRouterError
from openclaw_oauthrouter.wire.sse import ServerSentEvent, ServerSentEventDecoder, encode_event

_SEQUENCE = lazily(rb'"sequence_number"\s*:\s*(\d{1,15})')
_ITEM_DONE = b"response.output_item.done"
_ENDS = (b"response.completed", b"response.incomplete", b"response.done")
_OPENAI_MODEL = lazily(r"gpt-\d|o\d|codex|chatgpt|computer-use", re.IGNORECASE)
_OPENAI_ITEMS = frozenset(
    {ADDED, FOUND, f"{SEARCH}_call", "compaction_trigger", "web_search_call", "mcp_call", "mcp_list_tools", *COMPACTIONS}
)
_OPENAI_TOOLS = frozenset({SEARCH, "namespace", "custom"})
_END_TYPES = frozenset(kind.decode() for kind in _ENDS)


def speaks_natively(request: ChatRequest, info: ModelInfo) -> bool:
    """Whether the client's own body can go to the model, mended at most.

    Items and tools that only OpenAI's models understand (tools that come within the conversation, compactions, hosted tools) must be told
    in other ways to any other maker's model, though its endpoint speaks this dialect.
    """
    if _OPENAI_MODEL.match(info.id.rpartition("/")[2]):
        return True
    items = request.body.get("input")
    kinds = {str(item.get("type")) for item in items} if isinstance(items, list) else set()
    tools = {str(tool.get("type")) for tool in request.body.get("tools") or ()}
    return not (kinds & _OPENAI_ITEMS or tools & _OPENAI_TOOLS)


def relay_request(request: ChatRequest, info: ModelInfo) -> EncodedRequest:
    """The client's own body for another model, with what fitting changed; reasoning that another maker sealed stays behind."""
    body = dict(request.body)
    body["model"] = info.id
    notes: list[Note] = []
    items = body.get("input")
    if isinstance(items, list) and not (request.decoded or request).overview.plain:
        body["input"] = _relay_items(items, request, info, notes, stored=body.get("store") is not False)
    if body.get("tools"):
        body["tools"], found = _relay_tools(body["tools"])
        notes += found
    _relay_format(body, notes)
    if request.decoded is not None:
        _write_fitted(body, request, request.decoded)
    return EncodedRequest(body, tuple(dict.fromkeys(notes)))


def _relay_items(
    items: Sequence[JsonObject], request: ChatRequest, info: ModelInfo, notes: list[Note], *, stored: bool
) -> list[JsonObject]:
    sent: list[JsonObject] = []
    told: set[Note] = set()
    for item in items:
        if is_plain(item):
            sent.append(item)
        else:
            sent += _relay_item(item, request, info, told, stored=stored)
    notes += [note for note in (_DROPPED, _REPAIRED, _unseen(info)) if note in told]
    return sent


_DROPPED = Note("dropped", "reasoning", "only its own maker can read it")
_REPAIRED = Note("repaired", "input", "items that were made for another API or by another maker")


def _unseen(info: ModelInfo) -> Note:
    return Note("dropped", "images", f"{info.id} does not take them; a line of text says that they were there")


def _relay_item(item: JsonObject, request: ChatRequest, info: ModelInfo, told: set[Note], *, stored: bool) -> list[JsonObject]:
    kept = [*_keep(item, request.foreign_opaque, stored=stored)]
    if not kept:
        told.add(_DROPPED)
        return []
    mended = [*mend_item(kept[0], request.foreign_opaque)]
    if len(mended) != 1 or mended[0] is not kept[0]:
        told.add(_REPAIRED)
    if info.accepts is not None and not info.accepts.system_role:
        mended = [{**item, "role": "developer"} if item.get("role") == "system" else item for item in mended]
    if info.images and info.documents:
        return mended
    seen = [_as_seen(item, info) for item in mended]
    if any(new is not old for new, old in zip(seen, mended, strict=True)):
        told.add(_unseen(info))
    return seen


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
    elif opaque.kind == "encrypted" and opaque.part is None and opaque.data not in foreign:
        yield {**item, "encrypted_content": opaque.data, **({"id": opaque.item_id} if opaque.item_id else {})}


def _as_seen(item: JsonObject, info: ModelInfo) -> JsonObject:
    """The item with a line of text for each picture and document that the model cannot see."""
    for key in ("content", "output"):
        parts = item.get(key)
        if not isinstance(parts, list):
            continue
        told = [_told(part, info) for part in parts]
        if any(new is not old for new, old in zip(told, parts, strict=True)):
            return {**item, key: told}
    return item


def _told(part: Any, info: ModelInfo) -> Any:
    kind = part.get("type") if isinstance(part, dict) else None
    if (kind == "input_image" and not info.images) or (kind == "input_file" and not info.documents):
        name = "image" if kind == "input_image" else "document"
        return {"type": "input_text", "text": f"[{name}: this model cannot see it]"}
    return part


@by_identity(64)
def _relay_tools(tools: list[JsonObject]) -> tuple[list[JsonObject], Sequence[Note]]:
    """The very list where nothing is wrong with it."""
    notes: list[Note] = []
    mended = [_relay_tool(tool, notes) for tool in tools]
    return (tools if all(map(is_, mended, tools)) else mended), notes


def _relay_tool(tool: JsonObject, notes: list[Note]) -> JsonObject:
    if tool.get("type") == "namespace" and isinstance(tool.get("tools"), list):
        members = [_relay_tool(member, notes) for member in tool["tools"]]
        same = all(new is old for new, old in zip(members, tool["tools"], strict=True))
        return tool if same else {**tool, "tools": members}
    if "input_schema" in tool and "type" not in tool:
        tool = {
            "type": "function",
            "name": tool.get("name"),
            "description": tool.get("description"),
            "parameters": tool["input_schema"],
            "strict": None,
        }
    elif tool.get("type") == "function" and "name" not in tool and isinstance(tool.get("function"), dict):
        tool = {"type": "function", "strict": None, **tool["function"]}
    if tool.get("type") != "function":
        return tool
    schema, strict, found = target_schema(tool.get("parameters"), tool.get("strict"), str(tool.get("name")))
    if schema is tool.get("parameters") and strict is tool.get("strict"):
        return tool
    notes += found
    return {**tool, "parameters": schema, **({"strict": strict} if "strict" in tool else {})}


def _relay_format(body: JsonObject, notes: list[Note]) -> None:
    text = body.get("text")
    format_ = text.get("format") if isinstance(text, dict) else None
    if not isinstance(text, dict) or not isinstance(format_, dict) or format_.get("type") != "json_schema":
        return
    schema, strict, found = target_schema(format_.get("schema"), format_.get("strict"), "text.format")
    if schema is not format_.get("schema") or strict is not format_.get("strict"):
        notes += found
        body["text"] = {**text, "format": {**format_, "schema": schema, "strict": strict}}


def _write_fitted(body: JsonObject, request: ChatRequest, decoded: ChatRequest) -> None:
    """Put what fitting changed into the body; what it left alone stays as the client wrote it."""
    for name in ("temperature", "top_p", "max_output_tokens", "service_tier", "user", "parallel_tool_calls"):
        if getattr(request, name) != getattr(decoded, name):
            _put(body, name, getattr(request, name))
    if request.native.get("safety_identifier") != decoded.native.get("safety_identifier"):
        _put(body, "safety_identifier", request.native.get("safety_identifier"))
    if request.reasoning != decoded.reasoning:
        effort = None if request.reasoning is None else request.reasoning.effort or request.reasoning.answer_effort
        reasoning = {**(body.get("reasoning") or {}), "effort": effort}
        _put(body, "reasoning", None if request.reasoning is None else _without_nothing(reasoning))
    if request.verbosity != decoded.verbosity:
        text = _without_nothing({**(body.get("text") or {}), "verbosity": request.verbosity})
        _put(body, "text", text or None)
    if request.tool_choice != decoded.tool_choice and request.tool_choice is not None:
        body["tool_choice"] = request.tool_choice.mode


def _put(body: JsonObject, name: str, value: object) -> None:
    if value is None:
        body.pop(name, None)
    else:
        body[name] = value


def _without_nothing(value: JsonObject) -> JsonObject:
    return {name: entry for name, entry in value.items() if entry is not None}


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


def mend_item(item: JsonObject, foreign: frozenset[str] = frozenset()) -> Iterator[JsonObject]:
    """An item as the API takes it: the very object where nothing is wrong with it; several where it held several in another API's shape.

    :param foreign: what other makers sealed

    Mended are ids that are too long or another maker's, reasoning in clear beside the sealed one, words in parts of the other side, and
    arguments and answers that are no strings. Sources: the 400s that users of several gateways report after a failover.
    """
    kind = item.get("type") or "message"
    if kind in COMPACTIONS:
        yield _readable_compaction(item, foreign)
    elif kind == "message" and (item.get("role") == "tool" or item.get("tool_calls")):
        yield from _chat_message(item)
    else:
        yield _mended(item, kind)


def _readable_compaction(item: JsonObject, foreign: frozenset[str]) -> JsonObject:
    """The gateway's own summary is words; one that another maker sealed cannot be read by anybody here."""
    sealed = item.get("encrypted_content")
    summary = read_summary(sealed)
    if summary is None and sealed not in foreign:
        return item
    words = UNREADABLE if summary is None else told_summary(summary)
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": words}]}


def _chat_message(item: JsonObject) -> Iterator[JsonObject]:
    """A message of Chat Completions that answers a tool or calls some."""
    if item.get("role") == "tool":
        yield _mended({"type": ANSWER, "call_id": item.get("tool_call_id"), "output": item.get("content") or ""}, ANSWER)
        return
    if item.get("content"):
        yield _mended({name: value for name, value in item.items() if name != "tool_calls"}, "message")
    for call in item.get("tool_calls") or ():
        function = call["function"]
        spelt = {"type": "function_call", "call_id": call["id"], "name": function["name"], "arguments": function["arguments"]}
        yield _mended(spelt, "function_call")


def _mended(item: JsonObject, kind: str) -> JsonObject:
    changes: JsonObject = {}
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
    _mend_parts(item, "content", _SAID if item.get("role") == "assistant" else _ASKED, changes)


def _mend_parts(item: JsonObject, key: str, names: Mapping[str, str], changes: JsonObject) -> None:
    parts = item.get(key)
    if not isinstance(parts, list):
        return
    mended = [new for part in parts for new in _mend_part(part, names)]
    if len(mended) != len(parts) or any(new is not old for new, old in zip(mended, parts, strict=True)):
        changes[key] = mended


def _mend_part(part: Any, names: Mapping[str, str]) -> tuple[Any, ...]:
    if not isinstance(part, dict):
        return (part,)
    kind = str(part.get("type"))
    if kind in names:
        kept = {name: value for name, value in part.items() if name not in ("annotations", "logprobs")}
        return ({**(part if names is _SAID else kept), "type": names[kind]},)
    return as_asked(part) if names is _ASKED else (part,)


def _mend_reasoning(item: JsonObject, changes: JsonObject) -> None:
    if item.get("content") and item.get("encrypted_content"):
        changes["content"] = None


def _mend_call(item: JsonObject, changes: JsonObject) -> None:
    if isinstance(item.get("arguments"), (dict, list)):
        changes["arguments"] = orjson.dumps(item["arguments"]).decode()


def _mend_answer(item: JsonObject, changes: JsonObject) -> None:
    if isinstance(item.get("output"), dict):
        changes["output"] = orjson.dumps(item["output"]).decode()
    else:
        _mend_parts(item, "output", _ASKED, changes)


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


def input_items(body: FrozenObject) -> list[JsonObject]:
    """A request's own input as items; its very list, where it is one."""
    given = body.get("input")
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": given}]}]
    return given if isinstance(given, list) else []


def without_ids(items: Iterable[JsonObject]) -> Iterator[JsonObject]:
    """Items of an answer as a client that keeps the conversation itself would send them.

    An id would be looked up at whoever answers next, and reasoning that is not sealed can be found by nothing else.
    """
    for item in items:
        if item.get("type") != "reasoning":
            yield {name: value for name, value in item.items() if name != "id"}
        elif item.get("encrypted_content"):
            yield item


def whole_answer(stream: bytes) -> JsonObject:
    """The answer that a stream ends with, as a client would get it whole.

    :param stream: all that ``RelayEncoder`` wrote for one answer
    """
    # It stands in the last event of its kind; the hundreds before it need not be read again.
    at = max(map(stream.rfind, _ENDS))
    start = stream.rfind(b"\n\n", 0, max(at, 0)) + 2 if b"\r" not in stream else 0
    return _end_of(stream[start:]) or _end_of(stream)


def _end_of(stream: bytes) -> JsonObject:
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
        raw = frame.raw
        if frame.plain and raw and not self._names and _ITEM_DONE not in raw:
            self._last = raw  # deltas, which nothing here looks into
            return raw
        failure = None
        for event in frame.told:
            if isinstance(event, ResponseStarted):
                self._started = True
                self._answer.identify(event.id)
            elif isinstance(event, ResponseFinished):
                self._over = True
            elif isinstance(event, ResponseFailed):
                failure = event.error
        raw = self._adapted(raw)
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
        return encode([*created, self._stage("failed", self._answer.failed(encode_fault(error)), number + len(created))])

    def _adapted(self, raw: bytes) -> bytes:
        if not self._names and _ITEM_DONE not in raw and not _tells_an_end(raw):
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


def _tells_an_end(raw: bytes) -> bool:
    for end in _ENDS:  # noqa: SIM110 - on the path of every token, where a generator would cost more than the loop
        if end in raw:
            return True
    return False


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
