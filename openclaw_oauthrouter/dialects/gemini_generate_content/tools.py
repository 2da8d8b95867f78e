"""Tools and the choice among them, canonical -> Gemini; searching, reading pages and running code are tools of Google's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from openclaw_oauthrouter.canonical.free_text import wrapper_schema
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.json_schema import normalise
from openclaw_oauthrouter.canonical.request import ChatRequest, Note, Tool, ToolChoice
from openclaw_oauthrouter.canonical.tool_names import wire_name
from openclaw_oauthrouter.dialects.gemini_generate_content.vocabulary import DIALECT

_OWN_TOOLS = (
    ("web_search", "googleSearch"),
    ("web_fetch", "urlContext"),
    ("code_execution", "codeExecution"),
    ("code_interpreter", "codeExecution"),
)
"""How the type of another vendor's own tool begins -> Google's counterpart."""

_MODES = {"auto": "AUTO", "none": "NONE", "required": "ANY", "tool": "ANY"}


def encode_tools(request: ChatRequest, notes: list[Note], *, mixes: bool) -> JsonObject:
    """``tools`` and ``toolConfig``; nothing where no tool is left.

    :param mixes: the model (Gemini 3 and later) takes functions beside tools of Google's own
    """
    functions = [_declaration(tool, at, notes) for at, tool in enumerate(_allowed(request)) if tool.native is None]
    own = list(dict.fromkeys(_own_tools(request.tools, notes)))
    if functions and own and not mixes:
        notes.append(Note("dropped", "tools", f"the model takes no {', '.join(own)} beside functions"))
        own = []
    tools: list[JsonObject] = [{"functionDeclarations": functions}] if functions else []
    tools += [_google_tool(name, request.tools) for name in own]
    if not tools:
        return {}
    config = _choice(request.tool_choice, {function["name"] for function in functions})
    if functions and own:
        config["includeServerSideToolInvocations"] = True
    return {"tools": tools} | ({"toolConfig": config} if config else {})


def _allowed(request: ChatRequest) -> Sequence[Tool]:
    """The tools on offer: a choice restricted to some leaves the others out, for only a demand can name them here."""
    choice = request.tool_choice
    if choice is None or choice.mode != "auto" or choice.allowed is None:
        return request.tools
    return [tool for tool in request.tools if tool.name in choice.allowed or tool.native is not None]


def _declaration(tool: Tool, position: int, notes: list[Note]) -> JsonObject:
    declaration: JsonObject = {"name": wire_name(tool.name)}
    if tool.description:
        declaration["description"] = tool.description
    normal = normalise(wrapper_schema() if tool.custom else tool.parameters, "gemini")
    if tool.parameters is not None:
        notes.extend(Note("mapped", f"tools[{position}].parameters", words) for words in normal.changed)
    # An object without properties is refused; a function without arguments has no parameters at all.
    if normal.schema.get("properties"):
        declaration["parameters"] = normal.schema
    return declaration


def _own_tools(tools: Sequence[Tool], notes: list[Note]) -> Iterator[str]:
    for position, tool in enumerate(tools):
        if tool.native is None:
            continue
        dialect, definition = tool.native
        if dialect == DIALECT:
            yield from definition
            continue
        kind = str(definition.get("type"))
        found = next((name for prefix, name in _OWN_TOOLS if kind.startswith(prefix)), None)
        if found is None:
            notes.append(Note("dropped", f"tools[{position}]", f"{tool.name!r} runs at the provider it was made for"))
        else:
            yield found
            lost = sorted(set(definition) & {"allowed_domains", "blocked_domains", "filters", "max_uses", "user_location"})
            notes.extend(Note("dropped", f"tools[{position}].{key}", f"{found} has no counterpart") for key in lost)


def _google_tool(name: str, tools: Sequence[Tool]) -> JsonObject:
    given = (tool.native[1] for tool in tools if tool.native is not None and tool.native[0] == DIALECT)
    return {name: next((definition[name] for definition in given if name in definition), {})}


def _choice(choice: ToolChoice | None, functions: set[str]) -> JsonObject:
    if choice is None or not functions:
        return {}
    config: JsonObject = {"mode": _MODES[choice.mode]}
    wanted = (choice.name or "",) if choice.mode == "tool" else choice.allowed if choice.mode == "required" else None
    names = [wire_name(name) for name in wanted or () if wire_name(name) in functions]
    if names:
        config["allowedFunctionNames"] = names
    return {"functionCallingConfig": config}
