"""Writes the tools a model may call, and which of them it must."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.canonical.request import ChatRequest, Note, Tool, ToolChoice
from openclaw_oauthrouter.dialects.anthropic_messages.blocks_out import cache_control
from openclaw_oauthrouter.dialects.anthropic_messages.fields import checked
from openclaw_oauthrouter.dialects.anthropic_messages.name import DIALECT
from openclaw_oauthrouter.dialects.anthropic_messages.schemas import beyond_limits, is_fit
from openclaw_oauthrouter.dialects.anthropic_messages.tool_names import ToolNames

# A tool that takes free text takes it as the one property of an object here.
_FREE_TEXT_SCHEMA = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}
_CHOICES = {"auto": "auto", "none": "none", "required": "any", "tool": "tool"}


def write_tools(request: ChatRequest, names: ToolNames) -> tuple[list[JsonObject], list[Note]]:
    """The ``tools`` array."""
    notes: list[Note] = []
    choice = request.tool_choice
    allowed = choice.allowed if choice is not None else None
    tools = [tool for tool in request.tools if allowed is None or tool.native or tool.name in allowed]
    wire = list(_definitions(tools, names, notes))
    for extra in beyond_limits([tool for tool in wire if tool.get("strict")]):
        del extra["strict"]
        notes.append(
            Note("dropped", f"strict of {extra['name']!r}", "the request's strict tools are more than one request may hold")
        )
    return wire, notes


def write_tool_choice(request: ChatRequest, names: ToolNames) -> JsonObject | None:
    """The ``tool_choice`` object; ``None`` when the default does."""
    choice = request.tool_choice
    serial = request.parallel_tool_calls is False
    if choice is None and not serial:
        return None
    choice = choice or ToolChoice("auto")
    wire: JsonObject = {"type": _CHOICES[choice.mode]}
    if choice.mode == "tool":
        wire["name"] = names.add(choice.name or "")
    if serial and choice.mode != "none":
        wire["disable_parallel_tool_use"] = True
    return wire


def _definitions(tools: Sequence[Tool], names: ToolNames, notes: list[Note]) -> Iterator[JsonObject]:
    own = {tool.name for tool in tools if tool.native is None}
    for tool in tools:
        if tool.native is None:
            yield _definition(tool, names, notes)
            continue
        hosted = dict(tool.native[1]) if tool.native[0] == DIALECT else _hosted(tool.native[1], own)
        if hosted is not None:
            yield hosted
        else:
            kind = str(tool.native[1].get("type") or tool.name)
            notes.append(Note("dropped", f"tool {kind!r}", "it runs at another provider and has no counterpart here"))


def _hosted(definition: FrozenObject, own: set[str]) -> JsonObject | None:
    """The counterpart of another provider's hosted tool: there is one for web search, unless the client has a tool of that name."""
    if not str(definition.get("type")).startswith("web_search") or "web_search" in own:
        return None
    wire: JsonObject = {"type": "web_search_20250305", "name": "web_search"}
    domains = _object(definition, "filters").get("allowed_domains")
    if domains:
        wire["allowed_domains"] = domains
    location = _object(definition, "user_location")
    if location:
        wire["user_location"] = {"type": "approximate", **location}
    return wire


def _object(definition: FrozenObject, key: str) -> JsonObject:
    return checked(definition.get(key) or {}, dict, f"tools.web_search.{key}")


def _definition(tool: Tool, names: ToolNames, notes: list[Note]) -> JsonObject:
    wire: JsonObject = {"name": names.add(tool.name)}
    if tool.description:
        wire["description"] = tool.description
    wire["input_schema"] = dict(_FREE_TEXT_SCHEMA) if tool.custom else _input_schema(tool)
    if tool.format is not None:
        notes.append(Note("dropped", f"format of {tool.name!r}", "grammars are not supported here"))
    if tool.strict and not tool.custom:
        if is_fit(wire["input_schema"]):
            wire["strict"] = True
        else:
            notes.append(Note("dropped", f"strict of {tool.name!r}", "its schema uses what constrained decoding does not take"))
    if tool.cache is not None:
        wire["cache_control"] = cache_control(tool.cache)
    return wire


def _input_schema(tool: Tool) -> JsonObject:
    if not tool.parameters:
        return {"type": "object", "properties": {}}
    schema = dict(tool.parameters)
    if schema.get("type") != "object":
        schema["type"] = "object"
    return schema
