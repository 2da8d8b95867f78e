"""Tools and tool choice, both ways: functions, free-text tools, groups, and the hosted ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.canonical.request import Note, Tool, ToolChoice
from openclaw_oauthrouter.canonical.tool_names import wire_name
from openclaw_oauthrouter.dialects.openai_responses import fields
from openclaw_oauthrouter.dialects.openai_responses.vocabulary import DIALECT, flat_name
from openclaw_oauthrouter.errors import InvalidRequestError


def decode_tools(value: object) -> tuple[Tool, ...]:
    """Every tool: function and custom tools canonical, groups flattened, hosted ones kept as they are.

    :raises InvalidRequestError: a tool has no name or no type
    """
    tools: list[Tool] = []
    for position, definition in enumerate(fields.mappings(value, "tools")):
        tools.extend(_decode(definition, f"tools[{position}]"))
    return tuple(tools)


def decode_tool_choice(value: object) -> ToolChoice | None:
    """What the client asks for; ``None`` for a hosted tool, which no other dialect can be made to call."""
    if isinstance(value, str):
        return _MODES.get(value) or _refuse_choice(value)
    choice = fields.mapping(value, "tool_choice")
    match choice.get("type"):
        case "function" | "custom":
            return ToolChoice("tool", _choice_name(choice, "tool_choice"))
        case "allowed_tools":
            tools = fields.mappings(choice.get("tools"), "tool_choice.tools")
            allowed = tuple(_choice_name(tool, f"tool_choice.tools[{at}]") for at, tool in enumerate(tools) if "name" in tool)
            return ToolChoice("required" if choice.get("mode") == "required" else "auto", allowed=allowed)
        case _:
            return None


def grouped_names(body: FrozenObject) -> dict[str, tuple[str, str]]:
    """Flat name -> (namespace, name) for the ``namespace`` groups of a request body."""
    return {
        flat_name(group["name"], tool["name"]): (group["name"], tool["name"])
        for group in body.get("tools") or ()
        if group.get("type") == "namespace"
        for tool in group.get("tools") or ()
        if "name" in tool
    }


_MODES = {"auto": ToolChoice("auto"), "none": ToolChoice("none"), "required": ToolChoice("required")}


def _refuse_choice(value: str) -> ToolChoice:
    raise InvalidRequestError(f"'tool_choice' is {value!r}; it must be auto, none, required or an object", param="tool_choice")


def _choice_name(choice: JsonObject, where: str) -> str:
    name = fields.string(choice.get("name"), f"{where}.name")
    namespace = fields.optional(fields.string, choice, "namespace", where)
    return flat_name(namespace, name) if namespace else name


def _decode(definition: JsonObject, where: str) -> Iterator[Tool]:
    kind = fields.string(definition.get("type"), f"{where}.type")
    decode = _DECODERS.get(kind)
    if decode is None:
        yield Tool(kind, native=(DIALECT, definition))
    else:
        yield from decode(definition, where, "")


def _function(definition: JsonObject, where: str, namespace: str) -> Iterator[Tool]:
    yield Tool(
        name=_tool_name(definition, where, namespace),
        description=fields.optional(fields.string, definition, "description", where),
        parameters=fields.optional(fields.mapping, definition, "parameters", where),
        strict=fields.optional(fields.boolean, definition, "strict", where),
    )


def _custom(definition: JsonObject, where: str, namespace: str) -> Iterator[Tool]:
    yield Tool(
        name=_tool_name(definition, where, namespace),
        description=fields.optional(fields.string, definition, "description", where),
        custom=True,
        format=fields.optional(fields.mapping, definition, "format", where),
    )


def _group(definition: JsonObject, where: str, _namespace: str) -> Iterator[Tool]:
    namespace = fields.string(definition.get("name"), f"{where}.name")
    for position, member in enumerate(fields.mappings(definition.get("tools") or [], f"{where}.tools")):
        at = f"{where}.tools[{position}]"
        decode = _MEMBERS.get(fields.optional(fields.string, member, "type", at) or "")
        if decode is not None:
            yield from decode(member, at, namespace)


def _tool_name(definition: JsonObject, where: str, namespace: str) -> str:
    name = fields.string(definition.get("name"), f"{where}.name")
    return flat_name(namespace, name) if namespace else name


_Decode = Callable[[JsonObject, str, str], Iterator[Tool]]
_MEMBERS: dict[str, _Decode] = {"function": _function, "custom": _custom}
_DECODERS: dict[str, _Decode] = {**_MEMBERS, "namespace": _group}


def encode_tools(tools: Sequence[Tool]) -> tuple[list[JsonObject], tuple[Note, ...]]:
    """Definitions, and notes on those that could not be written; hosted web search exists on both sides under different names."""
    encoded: list[JsonObject] = []
    notes: list[Note] = []
    for tool in tools:
        if tool.native is not None:
            hosted, note = _hosted(tool)
            encoded += [hosted] if hosted else []
            notes += [note] if note else []
        else:
            encoded.append(_encode_custom(tool) if tool.custom else _encode_function(tool))
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


def _encode_function(tool: Tool) -> JsonObject:
    definition: JsonObject = {"type": "function", "name": wire_name(tool.name)}
    if tool.description is not None:
        definition["description"] = tool.description
    parameters = tool.parameters or {"type": "object", "properties": {}}
    # Absent means "strict" to this API; null means what an absent field means to the others.
    return {**definition, "parameters": parameters, "strict": tool.strict}


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
    if kind.startswith("web_search"):
        return {"type": "web_search"}, Note(
            "mapped", kind, "became the provider's own web search; its options are not carried over"
        )
    return None, Note("dropped", kind, "is a tool that runs at another provider")
