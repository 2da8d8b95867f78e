"""The transparent lane: a Messages client at a Messages provider. Everything passes as it came, but for what has to change.

What has to change was decided before: the request that arrives here differs from the one the client's body was decoded to where the model
demands it. Only that is written anew, block by block, and whatever this dialect's words would be a lie in: thinking sealed by us for the
way, sources and searches of another vendor's model, blocks in another dialect's shape.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import is_

import orjson

from openclaw_oauthrouter.canonical.by_identity import by_identity
from openclaw_oauthrouter.canonical.content import Part
from openclaw_oauthrouter.canonical.events import Frame, ResponseFailed
from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.canonical.model_info import Accepts, ModelInfo
from openclaw_oauthrouter.canonical.opaque import unseal
from openclaw_oauthrouter.canonical.request import ChatRequest, EncodedRequest, Message, Note, Tool
from openclaw_oauthrouter.dialects.anthropic_messages.content import PartWriter, is_made_up
from openclaw_oauthrouter.dialects.anthropic_messages.errors import encode_error
from openclaw_oauthrouter.dialects.anthropic_messages.mending import (
    THINKING,
    citations,
    is_to_mend,
    needs_mending,
    sealed,
    without_made_up,
)
from openclaw_oauthrouter.dialects.anthropic_messages.request_encoder import write_effort, write_format, write_thinking
from openclaw_oauthrouter.dialects.anthropic_messages.stream_encoder import PING, write_event
from openclaw_oauthrouter.dialects.anthropic_messages.tools import read_listed, write_schema, write_tool, write_tool_choice
from openclaw_oauthrouter.dialects.anthropic_messages.vocabulary import CONTENT_TYPE, WireNames, model_id
from openclaw_oauthrouter.errors import OAuthRouterError
from openclaw_oauthrouter.wire.sse import ServerSentEvent, ServerSentEventDecoder, closed, encode_event, raw_before

_SAMPLING = ("temperature", "top_p", "top_k")
_KNOWN_THINKING = frozenset({"enabled", "adaptive", "disabled", "between_tools"})
_THINKING_EDIT = "clear_thinking_20251015"


def relay_request(request: ChatRequest, info: ModelInfo) -> EncodedRequest:
    """The client's own body for the model that shall serve it; the client's object itself is left as it is."""
    notes: list[Note] = []
    body: JsonObject = {**request.body, "model": model_id(info.id)}
    decoded = request.decoded or request
    names = WireNames()
    unsigned = info.accepts is not None and info.accepts.unsigned_thinking
    _write_messages(body, request, decoded, PartWriter(names, unsigned=unsigned), notes)
    _write_tools(body, request, decoded, names, notes)
    if decoded is not request:
        _write_settings(body, request, decoded)
    _name_format(body)
    if model_id(request.model) != body["model"]:
        # Written for another model, the body may hold what goes with that one's abilities only.
        notes.extend(_clear_no_thinking(body, request, info.accepts or Accepts()))
        notes.extend(_without_turn_settings(body, request.body["messages"]))
    return EncodedRequest(body, tuple(notes))


# ---------------------------------------------------------------------------------------------------------- conversation


def _write_messages(body: JsonObject, request: ChatRequest, decoded: ChatRequest, writer: PartWriter, notes: list[Note]) -> None:
    if request.messages is decoded.messages and (request.overview.plain or not any(map(needs_mending, body["messages"]))):
        return
    has_system = bool(decoded.messages) and len(decoded.messages) > len(body["messages"])
    known = dict(
        zip(
            map(id, decoded.messages[has_system:]), zip(decoded.messages[has_system:], body["messages"], strict=True), strict=True
        )
    )
    sources = {id(part): raw for message, raw in known.values() for part, raw in _pairs(message, raw)}
    messages: list[JsonObject] = []
    lost = 0
    fitted = request.messages[has_system:] if has_system and request.messages[0].role == "system" else request.messages
    for message in fitted:
        raw = known.get(id(message), (None, None))[1]
        if raw is not None and not needs_mending(raw):
            messages.append(raw)
            continue
        before = len(message.parts)
        content = [block for part in message.parts for block in _block(part, sources.get(id(part)), writer)]
        lost += before - len(content)
        if content or not before:
            messages.append({**(raw or {}), "role": message.role, "content": content})
    if any(new is not old for new, old in zip(messages, body["messages"], strict=False)) or len(messages) != len(
        body["messages"]
    ):
        body["messages"] = messages
    notes.extend(dict.fromkeys(writer.notes))
    if has_system and request.messages[:1] != decoded.messages[:1]:
        body["system"] = [block for part in request.messages[0].parts for block in writer.write([part])]


def _pairs(message: Message, raw: JsonObject) -> Iterator[tuple[Part, JsonObject]]:
    """Each part with the block it was read from."""
    content = raw.get("content")
    if isinstance(content, str):
        return iter(())
    blocks = [block for block in content or () if not _is_carrier(block)]
    return iter(zip(message.parts, blocks, strict=False))


def _is_carrier(block: JsonObject) -> bool:
    opaque = unseal(sealed(block)) if block.get("type") in THINKING else None
    return opaque is not None and opaque.part is not None


def _block(part: Part, raw: JsonObject | None, writer: PartWriter) -> Iterator[JsonObject]:
    """A part as a block: the very one it was read from, where that can be said to this provider."""
    if raw is None or (is_to_mend(raw) and raw.get("type") != "text"):
        yield from (block for block in writer.write([part]) if block.get("type") != "text" or block["text"])
    elif raw.get("type") == "text" and any(map(is_made_up, citations(raw))):
        yield without_made_up(raw)
    else:
        yield raw


def _without_turn_settings(body: JsonObject, given: list[JsonObject]) -> Iterator[Note]:
    """Settings of single turns, which system messages hold at some models."""
    if not any("output_config" in message for message in given):
        return
    stripped = [{key: value for key, value in message.items() if key != "output_config"} for message in body["messages"]]
    body["messages"] = [message for message in stripped if message.get("content") or message.get("role") != "system"]
    yield Note("dropped", "messages.output_config", "effort cannot change within a conversation at this model")


# ----------------------------------------------------------------------------------------------------------------- tools


def _write_tools(body: JsonObject, request: ChatRequest, decoded: ChatRequest, names: WireNames, notes: list[Note]) -> None:
    given = body.get("tools")
    if not given:
        return
    if request.tools is decoded.tools:
        written, found = _mended_list(given) if decoded.tools is read_listed(given) else _all_mended(given, decoded.tools)
        notes += found
    else:
        raws = {tool.name: raw for raw, tool in zip(given, decoded.tools, strict=False)}
        written = [_loaded(raws.get(tool.name), tool, names, notes) for tool in request.tools]
    body["tools"] = written
    if not written:
        del body["tools"]
        body.pop("tool_choice", None)


@by_identity(64)
def _mended_list(given: list[JsonObject]) -> tuple[list[JsonObject], Sequence[Note]]:
    return _all_mended(given, read_listed(given))


def _all_mended(given: list[JsonObject], tools: Sequence[Tool]) -> tuple[list[JsonObject], Sequence[Note]]:
    """The very list where nothing is wrong with it."""
    notes: list[Note] = []
    written = [_mended(raw, tool, notes) for raw, tool in zip(given, tools, strict=False)]
    return (given if len(written) == len(given) and all(map(is_, written, given)) else written), notes


def _mended(raw: JsonObject, tool: Tool, notes: list[Note]) -> JsonObject:
    """A definition whose schema has a root that the provider takes, in this dialect's shape."""
    if tool.native is not None:
        return raw
    if raw.get("type") == "function":
        return write_tool(tool, WireNames(), notes)
    schema = write_schema(tool.name, tool.parameters, notes)
    return raw if schema is raw["input_schema"] else {**raw, "input_schema": schema}


def _loaded(raw: JsonObject | None, tool: Tool, names: WireNames, notes: list[Note]) -> JsonObject:
    if raw is None:
        return write_tool(tool, names, notes)
    mended = _mended(raw, tool, notes)
    if tool.loading != "now" or "defer_loading" not in mended:
        return mended
    return {key: value for key, value in mended.items() if key != "defer_loading"}


# -------------------------------------------------------------------------------------------------------------- settings


def _write_settings(body: JsonObject, request: ChatRequest, decoded: ChatRequest) -> None:
    """The fields whose value fitting has changed."""
    for name in _SAMPLING:
        if getattr(request, name) != getattr(decoded, name):
            _set(body, name, getattr(request, name))
    if request.max_output_tokens != decoded.max_output_tokens:
        _set(body, "max_tokens", request.max_output_tokens)
    if request.stop != decoded.stop:
        _set(body, "stop_sequences", list(request.stop) or None)
    if request.tool_choice != decoded.tool_choice or request.parallel_tool_calls != decoded.parallel_tool_calls:
        _set(body, "tool_choice", write_tool_choice(request, WireNames()))
    if request.user != decoded.user:
        _set(body, "metadata", {**(body.get("metadata") or {}), "user_id": request.user})
    if request.reasoning != decoded.reasoning:
        _write_reasoning(body, request)
    if request.response_format != decoded.response_format:
        written = write_format(request.response_format) if request.response_format is not None else None
        _configure(body, "format", written)
    for name in decoded.native.keys() - request.native.keys():
        body.pop(name, None)


def _write_reasoning(body: JsonObject, request: ChatRequest) -> None:
    thinking = write_thinking(request.reasoning)
    before = body.get("thinking")
    if thinking is not None and thinking["type"] in ("enabled", "adaptive") and isinstance(before, dict):
        kept = {key: value for key, value in before.items() if key not in ("type", "budget_tokens")}
        thinking = {**kept, **thinking} if thinking["type"] == "adaptive" else thinking
    if not isinstance(before, dict) or before.get("type") in _KNOWN_THINKING:
        _set(body, "thinking", thinking)
    _configure(body, "effort", write_effort(request.reasoning))


def _configure(body: JsonObject, name: str, value: object) -> None:
    config = {key: held for key, held in (body.get("output_config") or {}).items() if key != name}
    if value is not None:
        config[name] = value
    _set(body, "output_config", config or None)


def _set(body: JsonObject, name: str, value: object) -> None:
    if value is None:
        body.pop(name, None)
    else:
        body[name] = value


def _name_format(body: JsonObject) -> None:
    """``output_format`` is what ``output_config.format`` was called before; only the newer name is taken by all."""
    older = body.get("output_format")
    if isinstance(older, dict) and "format" not in (body.get("output_config") or {}):
        del body["output_format"]
        body["output_config"] = {**(body.get("output_config") or {}), "format": older}


def _clear_no_thinking(body: JsonObject, request: ChatRequest, accepts: Accepts) -> Iterator[Note]:
    """Without thinking, the request to clear old thinking is a 400."""
    management = body.get("context_management")
    edits = management.get("edits") if isinstance(management, dict) else None
    wanted = request.reasoning
    thinks = accepts.reasons_by_default if wanted is None else wanted.budget_tokens is not None or wanted.adaptive
    thinks = thinks or (accepts.reasons_by_default and wanted is not None and wanted.effort != "none")
    if thinks or not isinstance(management, dict) or not isinstance(edits, list):
        return
    kept = [edit for edit in edits if not (isinstance(edit, dict) and edit.get("type") == _THINKING_EDIT)]
    if len(kept) < len(edits):
        _set(body, "context_management", {**management, "edits": kept} if kept else None)
        yield Note("dropped", _THINKING_EDIT, "there is no thinking to clear")


# --------------------------------------------------------------------------------------------------------------- answers


def relay_message(body: JsonObject, tool_names: FrozenObject) -> JsonObject:
    """A whole answer, tools named as the client knows them."""
    if not tool_names:
        return body
    content = [_renamed(block, tool_names) for block in body.get("content", ())]
    return {**body, "content": content}


def _renamed(block: JsonObject, tool_names: Mapping[str, str]) -> JsonObject:
    """A content block, a tool call in it named as the client knows it."""
    name = block.get("name")
    if block.get("type") == "tool_use" and isinstance(name, str) and name in tool_names:
        return {**block, "name": tool_names[name]}
    return block


class MessagesRelayEncoder:
    """One client stream; implements ``interfaces.StreamEncoder``.

    :param tool_names: name on the wire -> name the client knows
    """

    content_type = CONTENT_TYPE

    def __init__(self, tool_names: FrozenObject) -> None:
        self._names = tool_names
        self._ended = False

    def send(self, frame: Frame) -> bytes:
        """Pass a frame on."""
        raw = self._renamed(frame.raw) if self._names and b"tool_use" in frame.raw else frame.raw
        for event in frame.told:
            if isinstance(event, ResponseFailed):
                # The last event may have lost its blank line with the connection.
                return closed(raw) + self.fail(event.error)
        return raw

    def keep_alive(self) -> bytes:
        """A ``ping``."""
        return PING

    def fail(self, error: OAuthRouterError) -> bytes:
        """End the stream with an ``error`` event; nothing if it has ended already."""
        if self._ended:
            return b""
        self._ended = True
        return write_event({"type": "error", "error": encode_error(error, "")["error"]})

    def _renamed(self, raw: bytes) -> bytes:
        _, events = ServerSentEventDecoder().feed(raw)
        # From the back, so that the positions before stay what they are.
        for position in reversed(range(len(events))):
            changed = self._rename(events[position])
            if changed is not None:
                raw = raw_before(raw, position) + changed + raw[len(raw_before(raw, position + 1)) :]
        return raw

    def _rename(self, event: ServerSentEvent) -> bytes | None:
        """The event with the client's tool name in it; ``None`` when it stays as it is."""
        if b"tool_use" not in event.data:
            return None
        data = orjson.loads(event.data)
        block = data.get("content_block") if isinstance(data, dict) else None
        if not isinstance(block, dict):
            return None
        renamed = _renamed(block, self._names)
        return None if renamed is block else encode_event(orjson.dumps({**data, "content_block": renamed}), event.event)
