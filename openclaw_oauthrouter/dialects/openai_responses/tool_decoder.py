"""The client's tools and tool choice, as canonical ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.canonical.request import Tool, ToolChoice
from openclaw_oauthrouter.dialects.openai_responses import fields
from openclaw_oauthrouter.dialects.openai_responses.names import DIALECT, flat_name
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
