"""Canonical tools and tool choice, as the Responses API's flat ones."""

from __future__ import annotations

from collections.abc import Sequence

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.request import Note, Tool, ToolChoice
from openclaw_oauthrouter.canonical.tool_names import wire_name
from openclaw_oauthrouter.dialects.openai_responses.names import DIALECT


def encode_tools(tools: Sequence[Tool]) -> tuple[list[JsonObject], tuple[Note, ...]]:
    """Definitions, and notes on those that could not be written; hosted web search exists on both sides under different names."""
    encoded: list[JsonObject] = []
    notes: list[Note] = []
    for tool in tools:
        if tool.native is not None:
            _encode_native(tool, encoded, notes)
        else:
            encoded.append(_custom(tool) if tool.custom else _function(tool))
    return encoded, tuple(notes)


def encode_tool_choice(choice: ToolChoice, tools: Sequence[Tool]) -> str | JsonObject:
    """What the client asked for, in this dialect's words."""
    kinds = {tool.name: "custom" if tool.custom else "function" for tool in tools}
    if choice.mode == "tool" and choice.name is not None:
        return {"type": kinds.get(choice.name, "function"), "name": wire_name(choice.name)}
    if choice.allowed is not None:
        allowed = [{"type": kinds.get(name, "function"), "name": wire_name(name)} for name in choice.allowed]
        return {"type": "allowed_tools", "mode": "required" if choice.mode == "required" else "auto", "tools": allowed}
    return choice.mode


def _function(tool: Tool) -> JsonObject:
    definition: JsonObject = {"type": "function", "name": wire_name(tool.name)}
    if tool.description is not None:
        definition["description"] = tool.description
    parameters = tool.parameters or {"type": "object", "properties": {}}
    # Absent means "strict" to this API; null means what an absent field means to the others.
    return {**definition, "parameters": parameters, "strict": tool.strict}


def _custom(tool: Tool) -> JsonObject:
    definition: JsonObject = {"type": "custom", "name": wire_name(tool.name)}
    if tool.description is not None:
        definition["description"] = tool.description
    if tool.format is not None:
        definition["format"] = tool.format
    return definition


def _encode_native(tool: Tool, encoded: list[JsonObject], notes: list[Note]) -> None:
    dialect, definition = tool.native or ("", {})
    kind = str(definition.get("type") or tool.name)
    if dialect == DIALECT:
        encoded.append(dict(definition))
    elif kind.startswith("web_search"):
        encoded.append({"type": "web_search"})
        notes.append(Note("mapped", kind, "became the provider's own web search; its options are not carried over"))
    else:
        notes.append(Note("dropped", kind, "is a tool that runs at another provider"))
