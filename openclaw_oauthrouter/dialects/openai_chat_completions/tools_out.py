"""Tools and tool choice for an upstream."""

from __future__ import annotations

from collections.abc import Sequence

from openclaw_oauthrouter.canonical.free_text import wrapper_schema
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.request import ChatRequest, Note, Tool, ToolChoice
from openclaw_oauthrouter.canonical.tool_names import wire_name
from openclaw_oauthrouter.dialects.openai_chat_completions.vocabulary import NAME


def encode_tools(request: ChatRequest, notes: list[Note]) -> JsonObject:
    """``tools``, ``tool_choice`` and ``parallel_tool_calls``; nothing without tools, for OpenAI refuses the latter two then.

    A tool that the other dialect's provider runs itself is left out: agents offer theirs with every request, wherever it goes.
    """
    tools = [encoded for position, tool in enumerate(request.tools) if (encoded := _tool(tool, position, notes))]
    if not tools:
        return {}
    return {
        "tools": tools,
        "tool_choice": _tool_choice(request, notes),
        "parallel_tool_calls": request.parallel_tool_calls,
    }


def _tool(tool: Tool, position: int, notes: list[Note]) -> JsonObject | None:
    if tool.native is not None:
        dialect, definition = tool.native
        if dialect == NAME:
            return dict(definition)
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
        function["parameters"] = tool.parameters or {"type": "object", "properties": {}}
        if tool.strict is not None:
            function["strict"] = tool.strict
    return {"type": "function", "function": function}


def _tool_choice(request: ChatRequest, notes: list[Note]) -> str | JsonObject | None:
    choice = request.tool_choice
    if choice is None:
        return None
    names = _names(choice)
    if names is None:
        return choice.mode
    written = {tool.name for tool in request.tools if tool.native is None or tool.native[0] == NAME}
    left_out = {tool.name for tool in request.tools} - written
    named = [_named(name) for name in names if name not in left_out]
    if names and not named:
        notes.append(Note("dropped", "tool_choice", "the tool it names runs at the provider it was made for"))
        return None
    if choice.mode == "tool":
        return named[0]
    return {"type": "allowed_tools", "allowed_tools": {"mode": choice.mode, "tools": named}}


def _names(choice: ToolChoice) -> Sequence[str] | None:
    if choice.mode == "tool":
        return (choice.name or "",)
    return None if choice.mode == "none" else choice.allowed


def _named(name: str) -> JsonObject:
    return {"type": "function", "function": {"name": wire_name(name)}}
