"""The transparent lane: client and upstream both speak Chat Completions, so everything passes that need not change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import is_
from typing import Any

import orjson

from openclaw_oauthrouter.canonical.by_identity import by_identity
from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.content import ReasoningPart, TextPart, ToolCallPart
from openclaw_oauthrouter.canonical.error_envelope import encode_error
from openclaw_oauthrouter.canonical.events import Frame, PartDelta, PartDeltas, PartStarted, ResponseFailed, ResponseStarted
from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.canonical.json_schema import normalise
from openclaw_oauthrouter.canonical.model_info import Accepts, ModelInfo
from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.request import ChatRequest, EncodedRequest, Message, Note
from openclaw_oauthrouter.dialects.openai_chat_completions.content import is_foreign_part
from openclaw_oauthrouter.dialects.openai_chat_completions.request_encoder import (
    encode_fields,
    encode_message,
    encode_messages,
)
from openclaw_oauthrouter.dialects.openai_chat_completions.stream_encoder import ChatStreamEncoder, ChunkTemplate
from openclaw_oauthrouter.dialects.openai_chat_completions.tools import has_foreign_tools
from openclaw_oauthrouter.dialects.openai_chat_completions.vocabulary import DIALECT, FOREIGN_FIELDS, completion_id
from openclaw_oauthrouter.errors import OAuthRouterError, UpstreamError
from openclaw_oauthrouter.wire.sse import ServerSentEventDecoder, encode_event

_FIELDS: Mapping[str, tuple[str, ...]] = {
    "max_output_tokens": ("max_completion_tokens", "max_tokens"),
    "temperature": ("temperature",),
    "top_p": ("top_p",),
    "top_k": ("top_k",),
    "stop": ("stop",),
    "response_format": ("response_format",),
    "reasoning": ("reasoning_effort", "reasoning", "thinking"),
    "verbosity": ("verbosity",),
    "service_tier": ("service_tier",),
    "user": ("user", "safety_identifier"),
    "logprobs": ("logprobs", "top_logprobs"),
    "tools": ("tools",),
    "tool_choice": ("tool_choice",),
    "parallel_tool_calls": ("parallel_tool_calls",),
}
"""What fitting may change -> the fields of the body that say it."""

_SPELLED = frozenset(
    {
        "role",
        "content",
        "refusal",
        "tool_calls",
        "tool_call_id",
        "function_call",
        "reasoning",
        "reasoning_content",
        "reasoning_details",
        "thinking_blocks",
        "extra_content",
    }
)
"""Fields of a message that are written anew where it was fitted; others stay."""


def relay_request(request: ChatRequest, info: ModelInfo) -> EncodedRequest:
    """The client's own body, but for the model's id and what the model or its provider does not take.

    :raises InvalidRequestError: a fitted message holds a block that has no counterpart
    """
    notes: list[Note] = []
    accepts = info.accepts or Accepts(known=False)
    if _is_foreign(request):
        return EncodedRequest({**_restated(request, accepts, notes), "model": info.id}, notes=tuple(notes))
    body: JsonObject = {**request.body, "model": info.id}
    if request.decoded is not None:
        _fit_fields(body, request, request.decoded, accepts, notes)
    body["messages"] = _messages(request, accepts, notes)
    _name_limit(body, accepts)
    _mend_schemas(body, notes)
    return EncodedRequest(body, notes=tuple(notes))


def _is_foreign(request: ChatRequest) -> bool:
    """Whether the body holds anything in another dialect's shape; one look at the types of all parts."""
    body = request.body
    if "messages" not in body or FOREIGN_FIELDS & body.keys() or has_foreign_tools(body):
        return True
    if (request.decoded or request).overview.plain:
        return False
    contents = (message.get("content") for message in body["messages"])
    return any(is_foreign_part(part) for content in contents if isinstance(content, list) for part in content)


def _restated(request: ChatRequest, accepts: Accepts, notes: list[Note]) -> JsonObject:
    """The body as a client of this dialect would have sent it."""
    lost = {*FOREIGN_FIELDS, "messages", *(key for keys in _FIELDS.values() for key in keys)}
    kept = {key: value for key, value in request.body.items() if key not in lost}
    return {**kept, "messages": encode_messages(request, accepts, notes), **encode_fields(request, accepts, notes)}


def _fit_fields(body: JsonObject, request: ChatRequest, decoded: ChatRequest, accepts: Accepts, notes: list[Note]) -> None:
    changed = [name for name in _FIELDS if getattr(request, name) != getattr(decoded, name)]
    spelled = encode_fields(request, accepts, notes) if changed else {}
    for name in changed:
        keys = _FIELDS[name]
        if name == "user" and body.get("user") is not None:
            keys = ("user",)  # the other one is a field of its own beside it
        kept = next((key for key in keys if key in body), keys[0])
        for key in keys:
            body.pop(key, None)
        value = next((spelled[key] for key in keys if key in spelled), None)
        if value is not None:
            body[kept if name in ("max_output_tokens", "user") else keys[0]] = value
    for key in decoded.native.keys() | request.native.keys():
        if request.native.get(key) != decoded.native.get(key):
            body[key] = request.native.get(key)
            if body[key] is None:
                del body[key]


def _messages(request: ChatRequest, accepts: Accepts, notes: list[Note]) -> Sequence[FrozenObject]:
    raw: list[JsonObject] = request.body["messages"]
    decoded = (request.decoded or request).messages
    sealed = bool(request.overview.opaque) and any(map(_carries_sealed, request.messages))
    if request.messages is decoded and len(raw) == len(decoded) and not sealed:
        if request.overview.plain and not accepts.reasoning_in_tool_loops:
            return raw
        return [_as_the_model_wants(message, accepts) for message in raw]
    # What the operator puts in front (the tool preamble) is for translated requests only.
    ahead = len(decoded) - len(raw)
    places = {id(message): position - ahead for position, message in enumerate(decoded)}
    aligned = len(decoded) <= len(request.messages)
    out: list[FrozenObject] = []
    for position, message in enumerate(request.messages):
        place = places.get(id(message))
        if place is not None and place < 0:
            continue
        if place is not None and not _carries_sealed(message):
            out.append(_as_the_model_wants(raw[place], accepts))
            continue
        if place is None and aligned and 0 <= position - ahead < len(raw):
            place = position - ahead
        spelled = encode_message(message, accepts, f"messages[{position}]", notes)
        if place is not None and spelled:
            rest = {key: value for key, value in raw[place].items() if key not in _SPELLED}
            spelled[0] = {**rest, **spelled[0]}
        out += spelled
    return out


def _carries_sealed(message: Message) -> bool:
    """Whether it holds what we have sealed, which only we can read."""
    if message.role != "assistant":
        return False
    for part in message.parts:
        if isinstance(part, (ReasoningPart, TextPart, ToolCallPart)) and part.opaque is not None and part.opaque.origin:
            return True
    return False


def _as_the_model_wants(message: JsonObject, accepts: Accepts) -> JsonObject:
    """The client's own message, but for a role that only OpenAI knows and thoughts that a model wants back."""
    role = message.get("role")
    if role == "developer":
        return _with_known_role(message, accepts)
    return _with_reasoning(message) if role == "assistant" and accepts.reasoning_in_tool_loops else message


def _with_known_role(message: JsonObject, accepts: Accepts) -> JsonObject:
    """``developer`` is OpenAI's own word; all others, and OpenAI's models too, know ``system``."""
    if accepts.known and accepts.developer_role:
        return message
    return {**message, "role": "system"}


def _with_reasoning(message: JsonObject) -> JsonObject:
    """An assistant's turn with calls, where the model wants its thoughts back: those of another maker's turn are not known."""
    if not message.get("tool_calls") or message.get("reasoning_content") is not None:
        return message
    words = message.get("reasoning")
    return {**message, "reasoning_content": words if isinstance(words, str) else ""}


def _name_limit(body: JsonObject, accepts: Accepts) -> None:
    """The limit of the answer under the name that the model knows."""
    wanted = accepts.max_tokens_field or ("max_completion_tokens" if accepts.known and accepts.reasons else None)
    other = "max_tokens" if wanted == "max_completion_tokens" else "max_completion_tokens"
    if wanted is not None and other in body:
        value = body.pop(other)
        body.setdefault(wanted, value)


def _mend_schemas(body: JsonObject, notes: list[Note]) -> None:
    tools = body.get("tools")
    if isinstance(tools, list):
        body["tools"], found = _mended_tools(tools)
        notes += found
    if isinstance(body.get("response_format"), dict):
        body["response_format"] = _with_mended_schema(body["response_format"], "json_schema", "schema", "response_format", notes)


@by_identity(64)
def _mended_tools(tools: list[Any]) -> tuple[list[Any], Sequence[Note]]:
    """The very list where nothing is wrong with it."""
    notes: list[Note] = []
    mended = [_with_mended_schema(tool, "function", "parameters", f"tools[{at}]", notes) for at, tool in enumerate(tools)]
    return (tools if all(map(is_, mended, tools)) else mended), notes


def _with_mended_schema(holder: Any, key: str, field: str, path: str, notes: list[Note]) -> Any:
    inner = holder.get(key) if isinstance(holder, dict) else None
    if not isinstance(inner, dict) or field not in inner:
        return holder
    schema = inner[field]
    if schema is not None and not isinstance(schema, dict):
        return holder
    strict = inner.get("strict") is True
    normal = normalise(schema, "openai-strict" if strict else "openai")
    loose = strict and not normal.fits
    if normal.schema is schema and not loose:
        return holder
    notes.extend(Note("repaired", f"{path}.{key}.{field}", words) for words in normal.changed)
    if loose:
        notes.append(Note("mapped", f"{path}.{key}.strict", "OpenAI's strict mode does not take this schema"))
    return {**holder, key: {**inner, field: normal.schema, **({"strict": False} if loose else {})}}


def relay_response(body: JsonObject, tool_names: FrozenObject) -> JsonObject:
    """A whole answer as it came, with the client's own tool names and calls that the client can tell apart."""
    if tool_names:
        _rename(body, "message", tool_names)
    for choice in _objects(body.get("choices")):
        _mend_calls(choice, str(body.get("id") or ""))
    return body


def _mend_calls(choice: JsonObject, answer_id: str) -> None:
    """Every call gets an id of its own; an end for calls that were not made is an ordinary end."""
    [message] = [*_objects([choice.get("message")])] or [{}]
    calls = [*_objects(message.get("tool_calls"))]
    seen: set[str] = set()
    for position, call in enumerate(calls):
        id_ = call.get("id")
        if not isinstance(id_, str) or not id_ or id_ in seen:
            id_ = call["id"] = f"{id_ if isinstance(id_, str) and id_ else f'call_{answer_id}'}_{position}"
        seen.add(id_)
    if choice.get("finish_reason") == "tool_calls" and not calls and not message.get("function_call"):
        choice["finish_reason"] = "stop"


class RelayEncoder:
    """Forwards an upstream stream byte by byte, until it numbers its calls so that no client can tell them apart.

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
        # What would be said if the stream were translated: it follows along, and takes over where the upstream's numbers mislead.
        self._own = ChatStreamEncoder(request, request.model, clock) if request.tools else None
        self._takes_over = False
        self._calls: set[int] = set()
        self._made_calls = False

    def send(self, frame: Frame) -> bytes:
        """The frame's own bytes, and an error chunk if the stream broke in it."""
        if self._own is not None:
            if self._takes_over or self._misleads(frame):
                return self._own.send(frame)
            self._follow(self._own, frame)
        out = self._rename_in(frame.raw) if any(mark in frame.raw for mark in self._marks) else frame.raw
        if _CALLS in out:
            self._made_calls = self._made_calls or _MADE.search(out) is not None
            out = out if self._made_calls else _ENDED.sub(rb'\1"stop"', out)
        for event in frame.told:
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
        if isinstance(error, UpstreamError) and error.refusal is not None and error.refusal.dialect == DIALECT:
            return encode_event(b" ".join(error.refusal.body.splitlines()))
        return encode_event(orjson.dumps(encode_error(error)))

    def _misleads(self, frame: Frame) -> bool:
        """Whether calls begin here under other numbers than their order; then this encoder goes on by itself."""
        begun = [event.index for event in frame.told if isinstance(event, PartStarted) and event.kind == "tool_call"]
        if not begun:
            return False
        first = len(self._calls)
        self._calls.update(begun)
        self._takes_over = _numbers(frame.raw) != list(range(first, len(self._calls)))
        if self._takes_over and self._own is not None and self._template is not None:
            self._own.adopt(self._template)
        return self._takes_over

    def _follow(self, own: ChatStreamEncoder, frame: Frame) -> None:
        told = tuple(
            event for event in frame.told if not isinstance(event, (PartDelta, PartDeltas)) or event.index in self._calls
        )
        if told:
            own.send(Frame(b"", told))

    def _prepare(self, id_: str, model: str) -> ChunkTemplate:
        self._template = ChunkTemplate(id_ or completion_id("", self._created), model, int(self._created))
        return self._template

    def _rename_in(self, raw: bytes) -> bytes:
        return _rewritten(raw, lambda chunk: _rename(chunk, "delta", self._tool_names), self._marks)


_CALLS = b'"tool_calls"'
_MADE = lazily(rb'"tool_calls"\s*:\s*\[')
_ENDED = lazily(rb'("finish_reason"\s*:\s*)"tool_calls"')
"""An end for calls: an ordinary one where no choice has made any."""


def _rewritten(raw: bytes, change: Callable[[Any], None], marks: Sequence[bytes]) -> bytes:
    """The events, those that hold one of the marks changed."""
    decoder = ServerSentEventDecoder()
    events = [*decoder.feed(raw)[1], *decoder.finish()[1]]
    return b"".join(encode_event(_changed(event.data, change, marks), event.event) for event in events)


def _changed(data: bytes, change: Callable[[Any], None], marks: Sequence[bytes]) -> bytes:
    if not any(mark in data for mark in marks):
        return b" ".join(data.splitlines())
    chunk = orjson.loads(data)
    change(chunk)
    return orjson.dumps(chunk)


def _numbers(raw: bytes) -> list[object]:
    """The indexes under which calls begin in some chunks: each entry with a name begins one."""
    decoder = ServerSentEventDecoder()
    events = [*decoder.feed(raw)[1], *decoder.finish()[1]]
    chunks = _objects([orjson.loads(event.data) for event in events if _CALLS in event.data])
    choices = (choice for chunk in chunks for choice in _objects(chunk.get("choices")) if not choice.get("index"))
    fragments = (
        entry for choice in choices for delta in _objects([choice.get("delta")]) for entry in _objects(delta.get("tool_calls"))
    )
    return [
        entry.get("index")
        for entry in fragments
        if any(spec.get("name") for spec in _objects([entry.get("function") or entry.get("custom")]))
    ]


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
