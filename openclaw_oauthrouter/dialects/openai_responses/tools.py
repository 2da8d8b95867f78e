"""Tools and tool choice, both ways: functions, free-text tools, groups, the client's own tool search, and the hosted ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from openclaw_oauthrouter.canonical.by_identity import by_identity
from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.canonical.json_schema import normalise
from openclaw_oauthrouter.canonical.request import Loading, Note, Tool, ToolChoice, WebSearchOptions
from openclaw_oauthrouter.canonical.tool_names import wire_name
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.dialects.openai_responses.vocabulary import DIALECT, flat_name
from openclaw_oauthrouter.wire.json_fields import JsonFields

SEARCH = "tool_search"
"""Type of the tool by which tools are found, and the name it has where it is a function."""

ADDED = "additional_tools"
FOUND = "tool_search_output"
"""Input items that bring tools along."""

_FIND_TOOLS = "Finds further tools by what they do; those found can be called from then on."
_QUERY: JsonObject = {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}


# ---------------------------------------------------------------------------------------------------------- the client's tools


def decode_tools(body: JsonFields) -> tuple[Tool, ...]:
    """Every tool, those that input items bring along included: function and custom tools canonical, groups flattened, hosted ones as they are.

    Codex CLI 0.171 gives all its tools as an ``additional_tools`` item, and those that its tool search finds as ``tool_search_output``.

    :raises InvalidRequestError: a tool has no name or no type
    """
    brought = [item for item in body.objects("input") if item.get("type") in (ADDED, FOUND)] if _brings_tools(body) else []
    listed = body.optional_list("tools")
    if listed and not brought:
        return _decode_listed(listed)
    return _decode_all(body, brought)


@by_identity(64)
def _decode_listed(listed: list[Any]) -> tuple[Tool, ...]:
    return _decode_all(JsonFields({"tools": listed}), ())


def _brings_tools(body: JsonFields) -> bool:
    items = body.get("input")
    # Whatever else is wrong with an item was said before.
    return isinstance(items, list) and any([item.get("type") in (ADDED, FOUND) for item in items])  # noqa: C419 - each step of a generator is a call


def _decode_all(body: JsonFields, brought: Iterable[JsonFields]) -> tuple[Tool, ...]:
    tools: dict[object, Tool] = {}
    for definition, loading in _definitions(body, brought):
        for tool in _decode(definition, loading):
            key = (tool.name, id(definition)) if tool.native is not None else tool.name
            known = tools.get(key)
            # What was deferred has been found, what was given stays given.
            if known is None or known.loading == "deferred":
                tools[key] = tool
    return tuple(tools.values())


def _definitions(body: JsonFields, brought: Iterable[JsonFields]) -> Iterator[tuple[JsonFields, Loading]]:
    yield from ((definition, "now") for definition in body.objects("tools"))
    for item in brought:
        loading: Loading = "now" if item.get("type") == ADDED else "found"
        yield from ((definition, loading) for definition in item.objects("tools"))


def decode_tool_choice(body: JsonFields) -> ToolChoice | None:
    """What the client asks for; ``None`` for a hosted tool, which no other dialect can be made to call."""
    if isinstance(body.get("tool_choice"), str):
        return body.choice("tool_choice", _MODES)
    choice = body.optional_nested("tool_choice")
    if choice is None:
        return None
    match choice.get("type"):
        case "function" | "custom":
            return ToolChoice("tool", _choice_name(choice))
        case "allowed_tools":
            allowed = tuple(_choice_name(tool) for tool in choice.objects("tools") if "name" in tool)
            return ToolChoice("required" if choice.get("mode") == "required" else "auto", allowed=allowed)
        case "tool_search":
            return ToolChoice("tool", SEARCH)
        case _:
            return None


@value(frozen=True, slots=True)
class ClientTools:
    """What of a client's tools its answers must be written by.

    :ivar grouped: flat name -> (namespace, name)
    :ivar searches: the client finds tools itself, when asked by a ``tool_search_call``
    """

    grouped: Mapping[str, tuple[str, str]]
    searches: bool


def client_tools(body: FrozenObject) -> ClientTools:
    """Read from a request body that has been decoded before, so everything in it is of the right type."""
    listed, items = body.get("tools") or [], body.get("input")
    added = [item for item in items if item.get("type") in (ADDED, FOUND)] if isinstance(items, list) else []
    if added:
        return _told([*listed, *(tool for item in added for tool in item.get("tools") or ())])
    return _told_listed(listed)


@by_identity(64)
def _told_listed(listed: list[JsonObject]) -> ClientTools:
    return _told(listed)


def _told(definitions: Iterable[JsonObject]) -> ClientTools:
    grouped: dict[str, tuple[str, str]] = {}
    searches = False
    for definition in definitions:
        searches = searches or _is_client_search(definition)
        if definition.get("type") == "namespace":
            space = definition["name"]
            names = (tool["name"] for tool in definition.get("tools") or () if "name" in tool)
            grouped |= {flat_name(space, name): (space, name) for name in names}
    return ClientTools(grouped, searches)


def _is_client_search(definition: FrozenObject) -> bool:
    return definition.get("type") == SEARCH and definition.get("execution") == "client"


_MODES = {"auto": ToolChoice("auto"), "none": ToolChoice("none"), "required": ToolChoice("required")}


def _choice_name(choice: JsonFields) -> str:
    name, namespace = choice.string("name"), choice.optional_string("namespace")
    return flat_name(namespace, name) if namespace else name


def _decode(definition: JsonFields, loading: Loading) -> Iterable[Tool]:
    if "type" not in definition and "input_schema" in definition:
        return (_foreign_function(definition, loading),)
    kind = definition.string("type")
    decode = _DECODERS.get(kind)
    return (Tool(kind, native=(DIALECT, definition.holder)),) if decode is None else decode(definition, loading, "")


def _function(definition: JsonFields, loading: Loading, namespace: str) -> Iterator[Tool]:
    # Chat's shape has the same fields one level down; what is meant is beyond doubt.
    inner = definition if "name" in definition or "function" not in definition else definition.nested("function")
    yield Tool(
        name=_tool_name(inner, namespace),
        description=inner.optional_string("description"),
        parameters=inner.optional_mapping("parameters"),
        strict=inner.optional_boolean("strict"),
        loading=_loading(definition, loading),
    )


def _foreign_function(definition: JsonFields, loading: Loading) -> Tool:
    return Tool(
        name=definition.string("name"),
        description=definition.optional_string("description"),
        parameters=definition.mapping("input_schema"),
        loading=_loading(definition, loading),
    )


def _custom(definition: JsonFields, loading: Loading, namespace: str) -> Iterator[Tool]:
    yield Tool(
        name=_tool_name(definition, namespace),
        description=definition.optional_string("description"),
        custom=True,
        format=definition.optional_mapping("format"),
        loading=_loading(definition, loading),
    )


def _group(definition: JsonFields, loading: Loading, _namespace: str) -> Iterator[Tool]:
    namespace = definition.string("name")
    for member in definition.objects("tools"):
        decode = _MEMBERS.get(member.optional_string("type") or "")
        if decode is not None:
            yield from decode(member, loading, namespace)


def _search(definition: JsonFields, _loading: Loading, _namespace: str) -> Iterator[Tool]:
    if not _is_client_search(definition.holder):
        yield Tool(SEARCH, native=(DIALECT, definition.holder), finds_tools=True)
        return
    yield Tool(
        name=SEARCH,
        description=definition.optional_string("description") or _FIND_TOOLS,
        parameters=definition.optional_mapping("parameters") or _QUERY,
    )


def _web_search(definition: JsonFields, _loading: Loading, _namespace: str) -> Iterator[Tool]:
    filters, place = definition.optional_nested("filters"), definition.optional_mapping("user_location")
    options = WebSearchOptions(
        allowed_domains=filters.strings("allowed_domains") if filters else (),
        blocked_domains=filters.strings("blocked_domains") if filters else (),
        user_location={name: value for name, value in place.items() if name != "type"} if place else None,
    )
    yield Tool(definition.string("type"), native=(DIALECT, definition.holder), search=options)


def _tool_name(definition: JsonFields, namespace: str) -> str:
    name = definition.string("name")
    return flat_name(namespace, name) if namespace else name


def _loading(definition: JsonFields, loading: Loading) -> Loading:
    return "deferred" if loading == "now" and definition.get("defer_loading") is True else loading


_Decode = Callable[[JsonFields, Loading, str], Iterator[Tool]]
_MEMBERS: dict[str, _Decode] = {"function": _function, "custom": _custom}
_DECODERS: dict[str, _Decode] = {
    **_MEMBERS,
    "namespace": _group,
    SEARCH: _search,
    "web_search": _web_search,
    "web_search_preview": _web_search,
}


def found_in_words(tools: Iterable[Tool]) -> str:
    """What a search for tools found, told to a model that can call them from now on."""
    lines = [f"- {tool.name}: {tool.description}" if tool.description else f"- {tool.name}" for tool in tools]
    return "\n".join(["These tools are available now:", *lines]) if lines else "No tools were found."


def tools_of(item: JsonFields) -> tuple[Tool, ...]:
    """The tools that one input item brings along."""
    return tuple(tool for definition in item.objects("tools") for tool in _decode(definition, "now") if tool.native is None)


# ------------------------------------------------------------------------------------------------------------- for an upstream


def encode_tools(tools: Sequence[Tool]) -> tuple[list[JsonObject], tuple[Note, ...]]:
    """Definitions, and notes on those that could not be written; hosted web search exists on both sides under different names."""
    encoded: list[JsonObject] = []
    notes: list[Note] = []
    for tool in tools:
        if tool.native is not None:
            hosted, note = _hosted(tool)
            # Searching and reading pages are one tool here.
            encoded += [hosted] if hosted and hosted not in encoded and not _searches_twice(hosted, tool, encoded) else []
            notes += [note] if note else []
        elif tool.custom:
            encoded.append(_encode_custom(tool))
        else:
            definition, found = _encode_function(tool)
            encoded.append(definition)
            notes += found
    return encoded, tuple(notes)


def encode_tool_choice(choice: ToolChoice, tools: Sequence[Tool]) -> str | JsonObject | None:
    """What the client asked for, in this dialect's words; ``None`` if the tools it names could not be written."""
    names = (choice.name,) if choice.mode == "tool" and choice.name is not None else choice.allowed
    if names is None or choice.mode == "none":
        return choice.mode
    named = [reference for name in names if (reference := _reference(name, tools))]
    if names and not named:
        return None
    if choice.mode == "tool" and "name" in named[0]:
        return named[0]
    # This is also how one hosted tool is demanded: a choice of its own exists for some of them only.
    return {"type": "allowed_tools", "mode": "auto" if choice.mode == "auto" else "required", "tools": named}


def _encode_function(tool: Tool) -> tuple[JsonObject, list[Note]]:
    definition: JsonObject = {"type": "function", "name": wire_name(tool.name)}
    if tool.description is not None:
        definition["description"] = tool.description
    schema, strict, notes = target_schema(tool.parameters, tool.strict, f"tools.{tool.name}")
    # Absent means "strict" to this API; null means what an absent field means to the others.
    return {**definition, "parameters": schema, "strict": strict}, notes


def target_schema(schema: FrozenObject | None, strict: bool | None, subject: str) -> tuple[FrozenObject, bool | None, list[Note]]:
    """A schema as the API takes it, and whether it can be ``strict``."""
    if strict:
        bound = normalise(schema, "openai-strict")
        if bound.fits:
            return bound.schema, True, []
    plain = normalise(schema, "openai")
    notes = [Note("repaired", subject, "; ".join(plain.changed))] if plain.changed and schema is not None else []
    if strict:
        notes.append(Note("dropped", f"{subject}.strict", "the API binds no model to such a schema"))
    return plain.schema, False if strict else strict, notes


def _encode_custom(tool: Tool) -> JsonObject:
    definition: JsonObject = {"type": "custom", "name": wire_name(tool.name)}
    if tool.description is not None:
        definition["description"] = tool.description
    if tool.format is not None:
        definition["format"] = tool.format
    return definition


def _reference(name: str, tools: Sequence[Tool]) -> JsonObject | None:
    """How a choice names a tool; ``None`` for one that could not be written. A tool of the client's wins over a hosted one."""
    tool = min((tool for tool in tools if tool.name == name), key=lambda tool: tool.native is not None, default=Tool(name))
    if tool.native is None:
        return {"type": "custom" if tool.custom else "function", "name": wire_name(name)}
    hosted, _ = _hosted(tool)
    return {"type": hosted["type"]} if hosted else None


def _hosted(tool: Tool) -> tuple[JsonObject | None, Note | None]:
    dialect, definition = tool.native or ("", {})
    kind = str(definition.get("type") or tool.name)
    if dialect == DIALECT:
        return dict(definition), None
    if tool.search is not None or kind.startswith("web_search"):
        return _encode_search(tool.search or WebSearchOptions()), Note("mapped", kind, "became the provider's own web search")
    return None, Note("dropped", kind, "is a tool that runs at another provider")


def _searches_twice(hosted: JsonObject, tool: Tool, encoded: Sequence[JsonObject]) -> bool:
    foreign = tool.native is not None and tool.native[0] != DIALECT
    return foreign and any(known.get("type") == hosted["type"] for known in encoded)


def _encode_search(options: WebSearchOptions) -> JsonObject:
    """Source: ``WebSearchTool`` of openai 3.54."""
    filters = {
        name: list(domains)
        for name, domains in (("allowed_domains", options.allowed_domains), ("blocked_domains", options.blocked_domains))
        if domains
    }
    definition: JsonObject = {"type": "web_search"}
    if filters:
        definition["filters"] = filters
    if options.user_location:
        definition["user_location"] = {"type": "approximate", **options.user_location}
    return definition
