"""Reads a client's Messages request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from openclaw_oauthrouter.canonical.content import Part, TextPart
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.request import ChatRequest, Message, Reasoning, ResponseFormat, Role, Tool, ToolChoice
from openclaw_oauthrouter.dialects.anthropic_messages.blocks_in import read_cache, read_content
from openclaw_oauthrouter.dialects.anthropic_messages.fields import checked, objects, optional, refuse, required
from openclaw_oauthrouter.dialects.anthropic_messages.name import DIALECT

_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "system": "system"}
_CHOICES: dict[str, ToolChoice] = {"auto": ToolChoice("auto"), "any": ToolChoice("required"), "none": ToolChoice("none")}
_SERVICE_TIERS = {"auto": "auto", "standard_only": "default"}
# Fields that the canonical request has a word for; all others are kept as they are.
_CANONICAL = frozenset(
    {
        "model",
        "messages",
        "system",
        "max_tokens",
        "tools",
        "tool_choice",
        "stop_sequences",
        "stream",
        "temperature",
        "top_p",
        "top_k",
        "thinking",
        "output_config",
        "metadata",
        "service_tier",
    }
)
# What the canonical request has a word for of those that it says in part.
_CANONICAL_PARTS = {
    "thinking": {"type", "budget_tokens", "display"},
    "output_config": {"effort", "format"},
    "metadata": {"user_id"},
}


def decode_request(body: JsonObject, headers: Mapping[str, str]) -> ChatRequest:
    """Read a request.

    :raises InvalidRequestError: naming the parameter
    """
    choice = optional(body, "tool_choice", dict)
    metadata = optional(body, "metadata", dict) or {}
    limit = required(body, "max_tokens", int)
    if limit < 0:
        refuse("max_tokens", "Input should be greater than or equal to 0")
    return ChatRequest(
        dialect=DIALECT,
        model=required(body, "model", str),
        messages=tuple(_messages(body)),
        body=body,
        headers=headers,
        tools=tuple(_tools(body)),
        tool_choice=_tool_choice(choice) if choice is not None else None,
        parallel_tool_calls=False if choice and choice.get("disable_parallel_tool_use") else None,
        max_output_tokens=limit,
        temperature=optional(body, "temperature", float),
        top_p=optional(body, "top_p", float),
        top_k=optional(body, "top_k", int),
        stop=tuple(checked(text, str, "stop_sequences") for text in optional(body, "stop_sequences", list) or ()),
        stream=optional(body, "stream", bool) or False,
        include_usage=True,
        response_format=_response_format(body),
        reasoning=_reasoning(body),
        user=optional(metadata, "user_id", str, "metadata"),
        service_tier=_SERVICE_TIERS.get(optional(body, "service_tier", str) or ""),
        native={name: value for name, value in body.items() if value is not None and not _is_canonical(name, value)},
    )


def _is_canonical(name: str, value: Any) -> bool:
    """Whether the canonical request says all of a field; its type has been looked at by now."""
    if name == "service_tier":
        return value in _SERVICE_TIERS
    parts = _CANONICAL_PARTS.get(name)
    return name in _CANONICAL and (parts is None or parts >= value.keys())


def _messages(body: JsonObject) -> Iterator[Message]:
    system = _system(body.get("system"))
    if system:
        yield Message("system", system)
    messages = required(body, "messages", list)
    if not messages:
        refuse("messages", "at least one message is required")
    for at, message in objects(messages, "messages"):
        role = required(message, "role", str, at)
        if role not in _ROLES:
            refuse(f"{at}.role", "Input should be 'user', 'assistant' or 'system'")
        if "content" not in message:
            refuse(f"{at}.content", "Field required")
        yield Message(_ROLES[role], read_content(message["content"], f"{at}.content"))


def _system(system: object) -> tuple[Part, ...]:
    if system is None or system == "":
        return ()
    return tuple(part for part in read_content(system, "system") if isinstance(part, TextPart))


def _tools(body: JsonObject) -> Iterator[Tool]:
    for at, tool in objects(optional(body, "tools", list) or [], "tools"):
        kind = optional(tool, "type", str, at)
        if kind in (None, "custom"):
            yield Tool(
                required(tool, "name", str, at),
                description=optional(tool, "description", str, at),
                parameters=required(tool, "input_schema", dict, at),
                strict=optional(tool, "strict", bool, at),
                cache=read_cache(tool, at),
            )
        else:
            yield Tool(optional(tool, "name", str, at) or str(kind), native=(DIALECT, tool))


def _tool_choice(choice: JsonObject) -> ToolChoice:
    kind = required(choice, "type", str, "tool_choice")
    if kind == "tool":
        return ToolChoice("tool", required(choice, "name", str, "tool_choice"))
    return _CHOICES.get(kind) or refuse("tool_choice.type", "Input should be 'auto', 'any', 'tool' or 'none'")


def _reasoning(body: JsonObject) -> Reasoning | None:
    thinking = optional(body, "thinking", dict)
    effort = optional(optional(body, "output_config", dict) or {}, "effort", str, "output_config")
    kind = required(thinking, "type", str, "thinking") if thinking is not None else None
    if thinking is None or kind is None:
        return Reasoning(effort=effort) if effort is not None else None
    if kind in ("disabled", "between_tools"):
        return Reasoning(effort="none")
    return Reasoning(
        effort=effort,
        budget_tokens=optional(thinking, "budget_tokens", int, "thinking"),
        summary="auto" if thinking.get("display") == "summarized" else None,
        adaptive=kind == "adaptive",
    )


def _response_format(body: JsonObject) -> ResponseFormat | None:
    wanted = optional(optional(body, "output_config", dict) or {}, "format", dict, "output_config")
    if wanted is None or wanted.get("type") != "json_schema":
        return None
    return ResponseFormat("json_schema", required(wanted, "schema", dict, "output_config.format"), strict=True)
