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
            hosted, note = _hosted(tool)
            encoded += [hosted] if hosted else []
            notes += [note] if note else []
        else:
            encoded.append(_custom(tool) if tool.custom else _function(tool))
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
