"""Reads a client's Messages request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from openclaw_oauthrouter.canonical.content import TOOL_CHANGES, NativePart, Part, TextPart, ToolCallPart, ToolCallResponsePart
from openclaw_oauthrouter.canonical.glance import NATIVE, RESULT_NATIVE, Overview
from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.canonical.request import (
    ChatRequest,
    HeldState,
    Loading,
    Message,
    Reasoning,
    ResponseFormat,
    Role,
    Tool,
)
from openclaw_oauthrouter.dialects.anthropic_messages.content import read_content, tool_of_change
from openclaw_oauthrouter.dialects.anthropic_messages.mending import needs_mending
from openclaw_oauthrouter.dialects.anthropic_messages.tools import loaded, read_tool_choice, read_tools
from openclaw_oauthrouter.dialects.anthropic_messages.vocabulary import DIALECT
from openclaw_oauthrouter.wire.json_fields import JsonFields
from openclaw_oauthrouter.wire.known_turns import KnownTurns, is_conversation

_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "system": "system"}
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
        "output_format",
        "metadata",
        "service_tier",
        "thread",
        "container",
    }
)
# What the canonical request has a word for of those that it says in part.
_CANONICAL_PARTS = {
    "thinking": {"type", "budget_tokens", "display"},
    "output_config": {"effort", "format"},
    "output_format": {"type", "schema", "name"},
    "metadata": {"user_id"},
}
_BILLING = "x-anthropic-billing-header:"
"""Begins a block of Claude Code's system prompt that is meant for Anthropic's books and changes from request to request."""


def decode_request(body: JsonObject, headers: Mapping[str, str], known: KnownTurns[Message] | None = None) -> ChatRequest:
    """Read a request.

    :param known: conversations whose next requests need not be read from their beginnings
    :raises InvalidRequestError: naming the parameter
    """
    fields = JsonFields(body, "dots")
    choice, parallel = read_tool_choice(fields)
    metadata = fields.optional_nested("metadata")
    messages = (*_instructions(fields), *_messages(fields, known))
    overview = Overview(messages)
    tools = _tools(fields, overview)
    return ChatRequest(
        dialect=DIALECT,
        model=fields.string("model"),
        messages=messages,
        body=body,
        headers=headers,
        tools=tools,
        tool_choice=choice,
        parallel_tool_calls=parallel,
        max_output_tokens=fields.integer("max_tokens", 0),
        temperature=fields.optional_number("temperature"),
        top_p=fields.optional_number("top_p"),
        top_k=fields.optional_integer("top_k", 0),
        stop=fields.strings("stop_sequences"),
        stream=fields.optional_boolean("stream") or False,
        include_usage=True,
        response_format=_response_format(fields),
        reasoning=_reasoning(fields),
        user=metadata.optional_string("user_id") if metadata is not None else None,
        service_tier=_SERVICE_TIERS.get(fields.optional_string("service_tier") or ""),
        native={name: value for name, value in body.items() if value is not None and not _is_canonical(name, value)},
        held_state=_held_state(fields),
        _overview=overview,
    )


def _is_canonical(name: str, value: Any) -> bool:
    """Whether the canonical request says all of a field; its type has been looked at by now."""
    if name == "service_tier":
        return value in _SERVICE_TIERS
    parts = _CANONICAL_PARTS.get(name)
    return name in _CANONICAL and (parts is None or parts >= value.keys())


def _instructions(body: JsonFields) -> Iterator[Message]:
    system = _system(body)
    if system:
        read = Message("system", system)
        read.glance.plain = True  # it is no message to this dialect
        yield read


def _messages(body: JsonFields, known: KnownTurns[Message] | None) -> Sequence[Message]:
    if "messages" not in body:
        body.refuse("messages", "it is required")
    given = body.optional_list("messages")
    if not given:
        body.refuse("messages", "at least one message is required")
    if known is None or not is_conversation(given):
        return tuple(_read(body, 0))
    before = known.recall(given)
    messages = (*before, *_read(body, len(before)))
    known.keep(given, messages, len(before))
    return messages


def _read(body: JsonFields, begin: int) -> Iterator[Message]:
    for message in body.objects("messages", begin):
        role = message.choice("role", _ROLES)
        # A system message may hold settings alone; any other without content is a mistake.
        if "content" not in message.holder and role != "system":
            message.refuse("content", "it is required")
        read = Message(role, read_content(message, "content"))
        read.glance.plain = not needs_mending(message.holder)
        yield read


def _system(body: JsonFields) -> tuple[Part, ...]:
    if body.get("system") == "":
        return ()
    return tuple(map(_for_anthropic_alone, read_content(body, "system")))


def _for_anthropic_alone(part: Part) -> Part:
    if not isinstance(part, TextPart) or not part.text.startswith(_BILLING):
        return part
    return NativePart(DIALECT, "text", {"type": "text", "text": part.text}, words="")


def _reasoning(body: JsonFields) -> Reasoning | None:
    thinking = body.optional_nested("thinking")
    config = body.optional_nested("output_config")
    effort = config.optional_string("effort") if config is not None else None
    if thinking is None:
        return Reasoning(effort=effort) if effort is not None else None
    kind = thinking.string("type")
    if kind in ("disabled", "between_tools"):
        return Reasoning(effort="none", between_tools=kind == "between_tools", answer_effort=effort)
    return Reasoning(
        effort=effort,
        budget_tokens=thinking.optional_integer("budget_tokens", 0),
        summary="auto" if thinking.optional_string("display") == "summarized" else None,
        adaptive=kind == "adaptive",
    )


def _response_format(body: JsonFields) -> ResponseFormat | None:
    """``output_config.format``, or ``output_format``, as it was called before."""
    config = body.optional_nested("output_config")
    wanted = (config.optional_nested("format") if config is not None else None) or body.optional_nested("output_format")
    if wanted is None or wanted.get("type") != "json_schema":
        return None
    # Constrained decoding is all there is here; whether the target's is as strict depends on the schema.
    return ResponseFormat("json_schema", wanted.mapping("schema"), wanted.optional_string("name"), strict=True)


def _held_state(body: JsonFields) -> HeldState | None:
    if body.optional_mapping("thread") is not None:
        # What the tool runners of Anthropic's SDKs read, upon which they send the whole conversation without it.
        return HeldState("thread", {"error_code": "thread_unsupported_request"})
    if isinstance(body.get("container"), str):
        return HeldState("container", any_model=True)
    return None


# ----------------------------------------------------------------------------------------------- tools that come and go


def _tools(body: JsonFields, overview: Overview) -> tuple[Tool, ...]:
    """The tools as the conversation has left them: the very ones that were given, where it did nothing to them."""
    tools = read_tools(body)
    if not overview.holds & (NATIVE | RESULT_NATIVE) and all([tool.loading == "now" for tool in tools]):  # noqa: C419 - each step of a generator is a call
        return tools
    brought: list[Tool] = []
    return loaded(tools, _tool_changes(overview.messages, brought), brought)


def _tool_changes(messages: tuple[Message, ...], brought: list[Tool]) -> Iterator[tuple[str, Loading]]:
    """What the conversation does to tools, in order.

    :param brought: takes the tools that it defines itself
    """
    for message in messages:
        for part in message.parts:
            if isinstance(part, ToolCallPart):
                yield part.name, "found"
            elif isinstance(part, ToolCallResponsePart):
                yield from _references(part)
            elif isinstance(part, NativePart):
                yield from _changes(part, brought)


def _references(part: ToolCallResponsePart) -> Iterator[tuple[str, Loading]]:
    for item in part.content:
        if isinstance(item, NativePart) and item.type == "tool_reference":
            yield str(item.value.get("tool_name")), "found"


def _changes(part: NativePart, brought: list[Tool]) -> Iterator[tuple[str, Loading]]:
    if part.type == "tool_search_tool_result":
        for name in _found_by_provider(part.value):
            yield name, "found"
    elif part.type in TOOL_CHANGES:
        name, definition = tool_of_change(part.value)
        if definition is not None:
            read = read_tools(JsonFields({"tools": [definition]}, "dots"))
            brought.extend(replace(tool, loading="deferred") for tool in read)
        yield name, "removed" if part.type == "tool_removal" else "found"


def _found_by_provider(block: FrozenObject) -> Iterator[str]:
    content = block.get("content")
    references = content.get("tool_references") if isinstance(content, dict) else None
    for reference in references if isinstance(references, list) else ():
        if isinstance(reference, dict) and isinstance(reference.get("tool_name"), str):
            yield reference["tool_name"]
