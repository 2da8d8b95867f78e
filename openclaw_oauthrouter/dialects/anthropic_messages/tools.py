"""The tools a model may call, which of them it must, and the arguments of its calls, both ways."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from openclaw_oauthrouter.canonical.by_identity import by_identity
from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.canonical.json_schema import beyond_limits, normalise
from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.request import ChatRequest, Loading, Note, Tool, ToolChoice, WebSearchOptions
from openclaw_oauthrouter.dialects.anthropic_messages.vocabulary import DIALECT, WireNames, cache_control, read_cache
from openclaw_oauthrouter.wire.json_fields import JsonFields

# -------------------------------------------------------------------------------------------------------------- arguments

_SAFE_DEPTH = 200
"""orjson writes 254 levels, reads four times as many, and some are needed for what stands around the input."""
_LONG_NUMBER = lazily(r"\d{16}")


def read_input(arguments: str) -> Any:
    """The arguments as an object; text that is none (an answer cut short) is kept under a name of its own."""
    try:
        value = parsed_arguments(arguments)
    except ValueError:
        return {"_raw": arguments}
    return value if isinstance(value, (dict, orjson.Fragment)) else {"_raw": arguments}


def parsed_arguments(arguments: str) -> Any:
    """The arguments as JSON; none at all are an empty object.

    An object with numbers beyond what a reader keeps exactly is handed on as the text it is.

    :raises ValueError: they are not JSON, or nested more deeply than can be written again
    """
    value = orjson.loads(arguments) if arguments.strip() else {}
    if arguments.count("[") + arguments.count("{") > _SAFE_DEPTH:
        try:
            orjson.dumps([[[[[[[[value]]]]]]]])
        except orjson.JSONEncodeError as error:
            raise ValueError("nested too deeply") from error
    if isinstance(value, dict) and _LONG_NUMBER.search(arguments):
        return orjson.Fragment(arguments)
    return value


# ---------------------------------------------------------------------------------------------------------------- reading

_CHOICES_IN: dict[str, ToolChoice] = {
    "auto": ToolChoice("auto"),
    "any": ToolChoice("required"),
    "none": ToolChoice("none"),
    "tool": ToolChoice("tool"),
}
_TEXT: JsonObject = {"type": "string"}
_LINE: JsonObject = {"type": "integer"}
_RANGE: JsonObject = {"type": "array", "items": _LINE, "description": "first and last line"}


def _commands(*names: str, **fields: JsonObject) -> JsonObject:
    properties = {"command": {"type": "string", "enum": list(names)}, **fields}
    return {"type": "object", "properties": properties, "required": ["command"]}


_EDITS = {"path": _TEXT, "file_text": _TEXT, "old_str": _TEXT, "new_str": _TEXT, "insert_line": _LINE, "insert_text": _TEXT}
_EDITOR = _commands("view", "create", "str_replace", "insert", **_EDITS, view_range=_RANGE)
_MEMORY = _commands(
    "view", "create", "str_replace", "insert", "delete", "rename", **_EDITS, view_range=_RANGE, old_path=_TEXT, new_path=_TEXT
)
_POINT: JsonObject = {"type": "array", "items": _LINE, "description": "x and y in pixels"}
_COMPUTER: JsonObject = {
    "type": "object",
    "properties": {
        "action": {"type": "string", "description": "screenshot, left_click, type, key, mouse_move, scroll, wait, …"},
        "coordinate": _POINT,
        "start_coordinate": _POINT,
        "text": _TEXT,
        "scroll_direction": {"type": "string", "enum": ["up", "down", "left", "right"]},
        "scroll_amount": _LINE,
        "duration": {"type": "number"},
    },
    "required": ["action"],
}
_BASH: JsonObject = {"type": "object", "properties": {"command": _TEXT, "restart": {"type": "boolean"}}}
# The vendor's own tools that the client runs: their definition names a schema that only the vendor's models know.
_RUN_BY_CLIENT: tuple[tuple[str, str, JsonObject], ...] = (
    ("bash_", "Runs a command in a shell that stays open between calls; restart starts it anew.", _BASH),
    ("text_editor_", "Views, creates and edits files.", _EDITOR),
    ("memory_", "Keeps notes in files below /memories between conversations.", _MEMORY),
    ("computer_2", "Operates the screen, mouse and keyboard of a computer.", _COMPUTER),
)


def read_tools(body: JsonFields) -> tuple[Tool, ...]:
    """Read ``tools``."""
    listed = body.optional_list("tools")
    return read_listed(listed) if listed else ()


@by_identity(64)
def read_listed(listed: list[Any]) -> tuple[Tool, ...]:
    """The same of a list that is there; the same tuple for the same list."""
    return tuple(map(_read_tool, JsonFields({"tools": listed}, "dots").objects("tools")))


def _read_tool(tool: JsonFields) -> Tool:
    kind = tool.optional_string("type")
    return _read_own(tool) if kind in (None, "custom", "function") else _read_native(tool, kind or "")


def _read_own(tool: JsonFields) -> Tool:
    """A tool of the client's, in this dialect's shape or in one of OpenAI's, which cannot be mistaken for it."""
    held = tool.optional_nested("function") or tool
    key = "parameters" if "parameters" in held or held is not tool else "input_schema"
    parameters = held.optional_mapping(key) if tool.get("type") == "function" else held.mapping("input_schema")
    return Tool(
        held.string("name"),
        description=held.optional_string("description"),
        parameters=parameters,
        strict=held.optional_boolean("strict"),
        cache=read_cache(tool),
        loading="deferred" if tool.optional_boolean("defer_loading") else "now",
    )


def _read_native(tool: JsonFields, kind: str) -> Tool:
    name = tool.optional_string("name") or kind
    native = Tool(name, native=(DIALECT, tool.holder))
    if kind.startswith(("web_search_", "web_fetch_")):
        return replace(native, search=_read_search(tool))
    if kind.startswith("tool_search_tool_"):
        return replace(native, finds_tools=True)
    for beginning, description, parameters in _RUN_BY_CLIENT:
        if kind.startswith(beginning):
            return replace(native, description=description, parameters=parameters)
    return native


def _read_search(tool: JsonFields) -> WebSearchOptions:
    location = tool.optional_mapping("user_location")
    return WebSearchOptions(
        allowed_domains=tool.strings("allowed_domains"),
        blocked_domains=tool.strings("blocked_domains"),
        user_location={key: value for key, value in location.items() if key != "type"} if location else None,
        max_uses=tool.optional_integer("max_uses"),
    )


def read_tool_choice(body: JsonFields) -> tuple[ToolChoice | None, bool | None]:
    """``tool_choice``, and whether calls may be made in parallel."""
    choice = body.optional_nested("tool_choice")
    if choice is None:
        return None, None
    found = choice.choice("type", _CHOICES_IN)
    if found.mode == "tool":
        found = ToolChoice("tool", choice.string("name"))
    return found, False if choice.optional_boolean("disable_parallel_tool_use") else None


def loaded(tools: Sequence[Tool], changes: Iterator[tuple[str, Loading]], added: Sequence[Tool]) -> tuple[Tool, ...]:
    """The tools as the conversation has left them.

    :param changes: what it did to the tool of a name, in order
    :param added: tools it has brought itself
    """
    state: dict[str, Loading] = dict(changes)
    if not state and not added:
        return tuple(tools)
    known = {tool.name for tool in tools}
    both = (*tools, *(tool for tool in added if tool.name not in known))
    return tuple(_in_state(tool, state.get(tool.name)) for tool in both)


def _in_state(tool: Tool, state: Loading | None) -> Tool:
    # What the conversation merely calls or finds was there all along, unless it was deferred.
    if state is None or (state == "found" and tool.loading == "now"):
        return tool
    return replace(tool, loading=state)


# ---------------------------------------------------------------------------------------------------------------- writing

# A tool that takes free text takes it as the one property of an object here.
_FREE_TEXT_SCHEMA = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}
_CHOICES_OUT = {"auto": "auto", "none": "none", "required": "any", "tool": "tool"}


def write_tools(request: ChatRequest, names: WireNames) -> tuple[list[JsonObject], list[Note]]:
    """The ``tools`` array."""
    choice = request.tool_choice
    allowed = choice.allowed if choice is not None else None
    if allowed is None:
        wire, notes, known = _written(request.tools)
    else:
        wire, notes, known = _write(tuple(tool for tool in request.tools if tool.native or tool.name in allowed))
    names.take(known)
    return [{**tool} for tool in wire], [*notes]


_Written = tuple[Sequence[JsonObject], Sequence[Note], Mapping[str, str]]


def _write(tools: tuple[Tool, ...]) -> _Written:
    """Definitions, what was changed in them, and their names on the wire."""
    notes: list[Note] = []
    names = WireNames()
    wire = list(_definitions(tools, names, notes))
    drop_strict_beyond_limits(wire, notes)
    return wire, notes, names.known


_written = by_identity(64)(_write)


def drop_strict_beyond_limits(tools: Sequence[JsonObject], notes: list[Note]) -> None:
    """Take ``strict`` off the tools, in place, that one request cannot hold beside the others."""
    strict = [tool for tool in tools if tool.get("strict")]
    for position in beyond_limits([tool["input_schema"] for tool in strict]):
        del strict[position]["strict"]
        subject = f"strict of {strict[position]['name']!r}"
        notes.append(Note("dropped", subject, "the request's strict tools are more than one request may hold"))


def write_tool_choice(request: ChatRequest, names: WireNames) -> JsonObject | None:
    """The ``tool_choice`` object; ``None`` when the default does."""
    choice = request.tool_choice
    serial = request.parallel_tool_calls is False
    if choice is None and not serial:
        return None
    choice = choice or ToolChoice("auto")
    wire: JsonObject = {"type": _CHOICES_OUT[choice.mode]}
    if choice.mode == "tool":
        wire["name"] = names.add(choice.name or "")
    if serial and choice.mode != "none":
        wire["disable_parallel_tool_use"] = True
    return wire


def _definitions(tools: Sequence[Tool], names: WireNames, notes: list[Note]) -> Iterator[JsonObject]:
    own = {tool.name for tool in tools if tool.native is None}
    for tool in tools:
        if tool.native is None:
            yield write_tool(tool, names, notes)
            continue
        hosted = dict(tool.native[1]) if tool.native[0] == DIALECT else _hosted(tool, own, notes)
        if hosted is not None:
            yield hosted
        else:
            kind = str(tool.native[1].get("type") or tool.name)
            notes.append(Note("dropped", f"tool {kind!r}", "it runs at another provider and has no counterpart here"))


def _hosted(tool: Tool, own: set[str], notes: list[Note]) -> JsonObject | None:
    """The counterpart of another provider's hosted tool: there is one for web search, unless the client has a tool of that name."""
    options = tool.search
    if options is None or "web_search" in own:
        return None
    wire: JsonObject = {"type": "web_search_20250305", "name": "web_search"}
    if options.allowed_domains:
        wire["allowed_domains"] = list(options.allowed_domains)
    elif options.blocked_domains:
        wire["blocked_domains"] = list(options.blocked_domains)
    if options.allowed_domains and options.blocked_domains:
        notes.append(Note("dropped", "blocked domains", "they cannot stand beside allowed ones here"))
    if options.user_location:
        wire["user_location"] = {"type": "approximate", **options.user_location}
    if options.max_uses is not None:
        wire["max_uses"] = options.max_uses
    return wire


def write_tool(tool: Tool, names: WireNames, notes: list[Note]) -> JsonObject:
    """The definition of a tool of the client's."""
    wire: JsonObject = {"name": names.add(tool.name)}
    if tool.description:
        wire["description"] = tool.description
    wire["input_schema"] = dict(_FREE_TEXT_SCHEMA) if tool.custom else write_schema(tool.name, tool.parameters, notes)
    if tool.format is not None:
        notes.append(Note("dropped", f"format of {tool.name!r}", "grammars are not supported here"))
    if tool.strict and not tool.custom:
        if is_strict(wire["input_schema"]):
            wire["strict"] = True
        else:
            notes.append(Note("dropped", f"strict of {tool.name!r}", "its schema uses what constrained decoding does not take"))
    if tool.cache is not None:
        wire["cache_control"] = cache_control(tool.cache)
    return wire


def write_schema(name: str, schema: FrozenObject | None, notes: list[Note]) -> FrozenObject:
    """The schema of a tool's arguments as Anthropic takes it; the same object where nothing is wrong with it."""
    found = normalise(schema or None, "anthropic")
    if found.changed and schema:
        notes.append(Note("repaired", f"schema of {name!r}", "; ".join(found.changed)))
    return found.schema


def is_strict(schema: FrozenObject) -> bool:
    """Whether constrained decoding takes a schema exactly as it is."""
    found = normalise(schema, "anthropic-strict")
    return found.fits and not found.changed
