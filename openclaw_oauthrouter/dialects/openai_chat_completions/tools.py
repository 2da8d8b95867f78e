"""Tools, the choice among them, and which of an upstream's open calls a fragment belongs to.

A client may still use the deprecated ``functions``; it is answered with ``function_call`` then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from openclaw_oauthrouter.canonical.by_identity import by_identity
from openclaw_oauthrouter.canonical.content import Opaque
from openclaw_oauthrouter.canonical.events import PartDelta, PartStarted, StreamEvent
from openclaw_oauthrouter.canonical.free_text import wrapper_schema
from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject, string
from openclaw_oauthrouter.canonical.json_schema import normalise
from openclaw_oauthrouter.canonical.request import ChatRequest, Note, Tool, ToolChoice, WebSearchOptions
from openclaw_oauthrouter.canonical.tool_names import wire_name
from openclaw_oauthrouter.dialects.openai_chat_completions.content import cache_mark, signature_of
from openclaw_oauthrouter.dialects.openai_chat_completions.vocabulary import DIALECT
from openclaw_oauthrouter.wire.json_fields import JsonFields

# ------------------------------------------------------------------ a client's tools

SEARCH_FIELD = "web_search_options"

_MODES: dict[str, Literal["auto", "none", "required"]] = {
    "auto": "auto",
    "none": "none",
    "required": "required",
    "any": "required",  # Mistral's word
}


def decode_tools(body: JsonFields) -> tuple[Tool, ...]:
    """Read ``tools``, or ``functions`` where a client still sends them.

    :raises InvalidRequestError: naming the tool and the field
    """
    listed = body.optional_list("tools")
    tools = _decode_listed(listed) if listed else tuple(map(_decode_function, body.objects("functions")))
    searching = body.optional_nested("web_search_options")
    if searching is not None:
        return (*tools, _decode_search(searching))
    return tools


@by_identity(64)
def _decode_listed(listed: list[Any]) -> tuple[Tool, ...]:
    return tuple(map(_decode_tool, JsonFields({"tools": listed}).objects("tools")))


def decode_tool_choice(body: JsonFields) -> ToolChoice | None:
    """Read ``tool_choice``, or ``function_call`` where a client still sends it."""
    key = "tool_choice" if "tool_choice" in body else "function_call"
    if isinstance(body.get(key), str):
        return ToolChoice(body.choice(key, _MODES))
    choice = body.optional_nested(key)
    if choice is None:
        return None
    if key == "function_call":
        return ToolChoice("tool", choice.name("name"))
    return choice.choice("type", _CHOICES)(choice)


def has_foreign_tools(body: FrozenObject) -> bool:
    """Whether tools, or the choice among them, have another dialect's shape: flat as in Responses, or Anthropic's."""
    tools, choice = body.get("tools"), body.get("tool_choice")
    if isinstance(choice, dict) and ({"name", "tools"} & choice.keys() or choice.get("type") in _MODES):
        return True
    return isinstance(tools, list) and _any_flat(tools)


@by_identity(64)
def _any_flat(tools: list[Any]) -> bool:
    return any(_is_flat(tool) for tool in tools if isinstance(tool, dict))


def _is_flat(tool: FrozenObject) -> bool:
    kind = tool.get("type") or "function"
    return isinstance(tool.get("name"), str) and ("input_schema" in tool or (kind in ("function", "custom") and kind not in tool))


def answers_by_function_call(request: ChatRequest) -> bool:
    """The client uses the deprecated ``functions`` and expects ``function_call`` back."""
    return request.dialect == DIALECT and bool(request.body.get("functions")) and not request.body.get("tools")


def _decode_tool(tool: JsonFields) -> Tool:
    kind = tool.optional_string("type") or "function"
    if _is_flat(tool.holder):
        return _decode_flat(tool)
    if kind == "function":
        return _decode_function(tool.nested("function"), tool.holder)
    if kind == "custom":
        return _decode_custom(tool.nested("custom"), tool.holder)
    return Tool(tool.optional_string("name") or kind, native=(DIALECT, tool.holder))


def _decode_function(function: JsonFields, holder: FrozenObject | None = None) -> Tool:
    return Tool(
        name=function.name("name"),
        description=function.optional_string("description"),
        parameters=function.optional_mapping("parameters"),
        strict=function.optional_boolean("strict"),
        cache=cache_mark(holder or {}) or cache_mark(function.holder),
    )


def _decode_search(options: JsonFields) -> Tool:
    """What other dialects offer as a tool is a field of its own here."""
    location = options.optional_nested("user_location")
    place = location.optional_mapping("approximate") if location is not None else None
    native: FrozenObject = {"type": SEARCH_FIELD, SEARCH_FIELD: options.holder}
    return Tool("web_search", native=(DIALECT, native), search=WebSearchOptions(user_location=place))


def _decode_flat(tool: JsonFields) -> Tool:
    if tool.get("type") == "custom" and "input_schema" not in tool:
        return _decode_custom(tool, tool.holder)
    return Tool(
        name=tool.name("name"),
        description=tool.optional_string("description"),
        parameters=tool.optional_mapping("input_schema") or tool.optional_mapping("parameters"),
        strict=tool.optional_boolean("strict"),
        cache=cache_mark(tool.holder),
    )


def _decode_custom(custom: JsonFields, holder: FrozenObject) -> Tool:
    return Tool(
        name=custom.name("name"),
        description=custom.optional_string("description"),
        custom=True,
        format=custom.optional_mapping("format"),
        cache=cache_mark(holder),
    )


def _named_choice(choice: JsonFields) -> ToolChoice:
    named = choice if "name" in choice else choice.nested(choice.string("type"))
    return ToolChoice("tool", named.name("name"))


def _mode_choice(choice: JsonFields) -> ToolChoice:
    return ToolChoice(choice.choice("type", _MODES))


def _allowed_choice(choice: JsonFields) -> ToolChoice:
    given = choice if "tools" in choice else choice.nested("allowed_tools")
    mode = given.choice("mode", _MODES) if "mode" in given else "auto"
    return ToolChoice(mode, allowed=tuple(map(_allowed_name, given.objects("tools"))))


def _allowed_name(tool: JsonFields) -> str:
    return (tool if "name" in tool else tool.nested("custom" if "custom" in tool else "function")).name("name")


_CHOICES: dict[str, Callable[[JsonFields], ToolChoice]] = {
    "function": _named_choice,
    "custom": _named_choice,
    "allowed_tools": _allowed_choice,
    "tool": lambda choice: ToolChoice("tool", choice.name("name")),
    **dict.fromkeys(_MODES, _mode_choice),
}

# ------------------------------------------------------------------ tools for an upstream


def encode_tools(request: ChatRequest, notes: list[Note], web_search: str | None = None) -> JsonObject:
    """``tools``, ``tool_choice`` and ``parallel_tool_calls``; nothing without tools, for OpenAI refuses the latter two then.

    A tool that the other dialect's provider runs itself is left out: agents offer theirs with every request, wherever it goes.

    :param web_search: the field by which this provider is asked to search the web
    """
    searching = _encode_search(request.tools, web_search, notes) if web_search is not None else {}
    known = [tool for tool in request.tools if not searching or tool.search is None or _is_own(tool)]
    tools = [encoded for position, tool in enumerate(known) if (encoded := _encode_tool(tool, position, notes))]
    if not tools:
        return searching
    return {
        **searching,
        "tools": tools,
        "tool_choice": _encode_tool_choice(request, notes),
        "parallel_tool_calls": request.parallel_tool_calls,
    }


def _is_own(tool: Tool) -> bool:
    return tool.native is not None and tool.native[0] == DIALECT


def _encode_search(tools: Sequence[Tool], field_: str, notes: list[Note]) -> JsonObject:
    """Another vendor's search of the web as this provider's own.

    Sources: ``web_search_options`` of openai 3.57; OpenRouter's documentation of its plugin ``web``.
    """
    wanted = next((tool.search for tool in tools if tool.search is not None and not _is_own(tool)), None)
    if wanted is None:
        return {}
    notes.append(Note("mapped", "web search", f"became the provider's own, by {field_!r}"))
    if field_ == "plugins":
        domains = {"include_domains": list(wanted.allowed_domains), "exclude_domains": list(wanted.blocked_domains)}
        return {"plugins": [{"id": "web", **{name: found for name, found in domains.items() if found}}]}
    if wanted.allowed_domains or wanted.blocked_domains:
        notes.append(Note("dropped", "domains", "this provider's search knows no such filter"))
    place = {"user_location": {"type": "approximate", "approximate": dict(wanted.user_location)}} if wanted.user_location else {}
    return {SEARCH_FIELD: place}


def _encode_tool(tool: Tool, position: int, notes: list[Note]) -> JsonObject | None:
    if tool.native is not None:
        dialect, definition = tool.native
        if dialect == DIALECT:
            return None if definition.get("type") == SEARCH_FIELD else dict(definition)
        notes.append(Note("dropped", f"tools[{position}]", f"{tool.name!r} runs at the provider it was made for"))
        return None
    function: JsonObject = {"name": wire_name(tool.name)}
    if tool.description is not None:
        function["description"] = tool.description
    if tool.custom:
        # Few providers of this dialect know free-text tools; all know functions.
        notes.append(Note("mapped", f"tools[{position}]", f"free-text tool {tool.name!r} became a function with one argument"))
        function["parameters"] = wrapper_schema()
    else:
        function |= _parameters(tool, position, notes)
    return {"type": "function", "function": function}


def _parameters(tool: Tool, position: int, notes: list[Note]) -> JsonObject:
    normal = normalise(tool.parameters, "openai-strict" if tool.strict else "openai")
    if tool.parameters is not None:
        notes.extend(Note("mapped", f"tools[{position}].parameters", words) for words in normal.changed)
    strict = tool.strict
    if strict and not normal.fits:
        notes.append(Note("mapped", f"tools[{position}].strict", "OpenAI's strict mode does not take this schema"))
        strict = None
    return {"parameters": normal.schema} | ({} if strict is None else {"strict": strict})


def _encode_tool_choice(request: ChatRequest, notes: list[Note]) -> str | JsonObject | None:
    choice = request.tool_choice
    if choice is None:
        return None
    names = _chosen_names(choice)
    if names is None:
        return choice.mode
    written = {tool.name for tool in request.tools if tool.native is None or tool.native[0] == DIALECT}
    left_out = {tool.name for tool in request.tools} - written
    named = [_encode_name(name) for name in names if name not in left_out]
    if names and not named:
        notes.append(Note("dropped", "tool_choice", "the tool it names runs at the provider it was made for"))
        return None
    if choice.mode == "tool":
        return named[0]
    return {"type": "allowed_tools", "allowed_tools": {"mode": choice.mode, "tools": named}}


def _chosen_names(choice: ToolChoice) -> Sequence[str] | None:
    if choice.mode == "tool":
        return (choice.name or "",)
    return None if choice.mode == "none" else choice.allowed


def _encode_name(name: str) -> JsonObject:
    return {"type": "function", "function": {"name": wire_name(name)}}


# ------------------------------------------------------------------ calls of an upstream


@dataclass(slots=True)
class UpstreamCall:
    """One call.

    :ivar id: unique within the answer; ``upstream_id`` is what the upstream calls it
    :ivar held: argument text that came before the tool's name
    :ivar chunks: argument text that has been passed on
    :ivar opaque: what its maker sealed it with, until it has been said
    """

    index: int
    id: str
    upstream_id: str
    custom: bool
    name: str = ""
    started: bool = False
    held: list[str] = field(default_factory=list)
    chunks: list[str] = field(default_factory=list)
    opaque: Opaque | None = None

    def receive(self, fragment: FrozenObject) -> Iterator[StreamEvent]:
        """Take the next fragment; the call opens as soon as its name is known."""
        spec = fragment.get("function") or fragment.get("custom") or {}
        text = argument_text(spec.get("arguments", spec.get("input")))
        if "extra_content" in fragment:
            self.opaque = signature_of(fragment) or self.opaque
        if not self.started:
            self.name = string(spec.get("name") or "")
            if not self.name:
                self.held.append(text)
                return
            self.started = True
            sealed, self.opaque = self.opaque, None
            yield PartStarted(self.index, "tool_call", id=self.id, name=self.name, custom=self.custom, opaque=sealed)
            text = "".join((*self.held, text))
        if text:
            self.chunks.append(text)
            yield PartDelta(self.index, text)

    def is_followed_by(self, fragment: FrozenObject) -> bool:
        """Whether a fragment that bears this call's number begins another one."""
        spec = fragment.get("function") or fragment.get("custom") or {}
        name, id_ = spec.get("name"), fragment.get("id")
        if not self.started or not name:
            return False
        if (id_ and id_ != self.upstream_id) or name != self.name:
            return True
        if not id_ and fragment.get("index") is None:
            return True
        # Some servers repeat id and name with every fragment; arguments that are whole already leave room for no more.
        return bool(argument_text(spec.get("arguments", spec.get("input")))) and self._is_whole()

    def _is_whole(self) -> bool:
        try:
            orjson.loads("".join(self.chunks))
        except orjson.JSONDecodeError:
            return False
        return not self.custom


def argument_text(arguments: object) -> str:
    """Arguments as text; some servers send them as the object itself."""
    if isinstance(arguments, str):
        return arguments
    return "" if arguments is None else orjson.dumps(arguments).decode()


class UpstreamCalls:
    """The calls of one answer, found by whatever the upstream tells them apart by: index, id, name, or where one's arguments end."""

    def __init__(self) -> None:
        self._calls: dict[object, UpstreamCall] = {}
        self._ids: set[str] = set()
        self._last: object = None

    def __iter__(self) -> Iterator[UpstreamCall]:
        return iter(self._calls.values())

    def nameless(self) -> bool:
        """Whether there are arguments for a tool that nobody has named."""
        return any(not call.started and any(call.held) for call in self)

    def key(self, fragment: FrozenObject) -> object:
        """What the upstream tells a fragment's call from others by."""
        index = fragment.get("index")
        if index is not None:
            return index
        return fragment.get("id") or self._last

    def find(self, fragment: FrozenObject) -> UpstreamCall | None:
        """The open call a fragment continues; ``None`` if it begins a new one."""
        call = self._calls.get(self.key(fragment))
        return None if call is None or call.is_followed_by(fragment) else call

    def extend(self, number: int, text: str) -> int | None:
        """More arguments of the call under a number, by a fragment that says nothing else; its part, ``None`` if it is not open."""
        call = self._calls.get(number)
        if call is None or not call.started:
            return None
        call.chunks.append(text)
        return call.index

    def add(self, fragment: FrozenObject, index: int, default_id: str) -> UpstreamCall:
        """Open a call.

        :param index: of its canonical part
        :param default_id: its id if the upstream gives none
        """
        key = self.key(fragment)
        if key in self._calls:
            self._calls[("replaced", index)] = self._calls.pop(key)
        upstream_id = str(fragment.get("id") or "")
        id_ = upstream_id or default_id
        if id_ in self._ids:
            id_ = f"{id_}_{index}"
        self._ids.add(id_)
        call = UpstreamCall(index, id_, upstream_id, custom=fragment.get("custom") is not None)
        self._calls[key] = call
        self._last = key
        return call
