"""Tools and tool choice of a client's request, the deprecated ``functions`` included."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from openclaw_oauthrouter.canonical.json import FrozenObject
from openclaw_oauthrouter.canonical.request import Tool, ToolChoice
from openclaw_oauthrouter.dialects.openai_chat_completions import schema
from openclaw_oauthrouter.dialects.openai_chat_completions.parts_in import cache_mark
from openclaw_oauthrouter.dialects.openai_chat_completions.vocabulary import NAME

_MODES: dict[str, Literal["auto", "none", "required"]] = {
    "auto": "auto",
    "none": "none",
    "required": "required",
    "any": "required",  # Mistral's word
}


def decode_tools(body: FrozenObject) -> tuple[Tool, ...]:
    """Read ``tools``, or ``functions`` where a client still sends them.

    :raises InvalidRequestError: naming the tool and the field
    """
    tools = [_tool(tool, path) for path, tool in schema.objects(body, "tools")]
    return tuple(tools or (_function(function, path) for path, function in schema.objects(body, "functions")))


def decode_tool_choice(body: FrozenObject) -> ToolChoice | None:
    """Read ``tool_choice``, or ``function_call`` where a client still sends it."""
    key = "tool_choice" if body.get("tool_choice") is not None else "function_call"
    choice = body.get(key)
    if choice is None:
        return None
    if isinstance(choice, str):
        return ToolChoice(_mode(choice, key))
    if not isinstance(choice, dict):
        schema.refuse(key, "expected a string or an object")
    if key == "function_call":
        return ToolChoice("tool", schema.text(choice, "name", key))
    decode = schema.choose(_CHOICES, schema.text(choice, "type", key), f"{key}.type")
    return decode(choice, key)


def _tool(tool: FrozenObject, path: str) -> Tool:
    kind = schema.optional_text(tool, "type", path) or "function"
    if kind == "function":
        return _function(schema.object_at(tool, "function", path), f"{path}.function", tool)
    if kind == "custom":
        return _custom(schema.object_at(tool, "custom", path), f"{path}.custom", tool)
    return Tool(schema.optional_text(tool, "name", path) or kind, native=(NAME, tool))


def _function(function: FrozenObject, path: str, holder: FrozenObject | None = None) -> Tool:
    return Tool(
        name=schema.text(function, "name", path),
        description=schema.optional_text(function, "description", path),
        parameters=schema.optional_object(function, "parameters", path),
        strict=schema.optional_bool(function, "strict", path),
        cache=cache_mark(holder or {}) or cache_mark(function),
    )


def _custom(custom: FrozenObject, path: str, holder: FrozenObject) -> Tool:
    return Tool(
        name=schema.text(custom, "name", path),
        description=schema.optional_text(custom, "description", path),
        custom=True,
        format=schema.optional_object(custom, "format", path),
        cache=cache_mark(holder),
    )


def _mode(word: str, path: str) -> Literal["auto", "none", "required"]:
    if word not in _MODES:
        schema.refuse(path, f"{word[:64]!r} is not one of auto, none, required")
    return _MODES[word]


def _named(choice: FrozenObject, path: str) -> ToolChoice:
    kind = str(choice["type"])
    return ToolChoice("tool", schema.text(schema.object_at(choice, kind, path), "name", f"{path}.{kind}"))


def _allowed(choice: FrozenObject, path: str) -> ToolChoice:
    given = schema.object_at(choice, "allowed_tools", path)
    path = f"{path}.allowed_tools"
    mode = _mode(schema.optional_text(given, "mode", path) or "auto", f"{path}.mode")
    return ToolChoice(mode, allowed=tuple(_names(given, path)))


def _names(given: FrozenObject, path: str) -> Iterator[str]:
    for at, tool in schema.objects(given, "tools", path):
        kind = "custom" if tool.get("custom") is not None else "function"
        yield schema.text(schema.object_at(tool, kind, at), "name", f"{at}.{kind}")


_CHOICES: dict[str, Callable[[FrozenObject, str], ToolChoice]] = {
    "function": _named,
    "custom": _named,
    "allowed_tools": _allowed,
}
