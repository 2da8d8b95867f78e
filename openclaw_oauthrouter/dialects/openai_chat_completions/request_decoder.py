"""A client's request: Chat Completions -> canonical."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from openclaw_oauthrouter.canonical.content import Part, RefusalPart, ToolCallPart, ToolCallResponsePart
from openclaw_oauthrouter.canonical.json import FrozenObject
from openclaw_oauthrouter.canonical.request import ChatRequest, Message, Reasoning, ResponseFormat
from openclaw_oauthrouter.dialects.openai_chat_completions.content import (
    ContentPart,
    cache_mark,
    decode_content,
    decode_reasoning,
)
from openclaw_oauthrouter.dialects.openai_chat_completions.tools import decode_tool_choice, decode_tools
from openclaw_oauthrouter.dialects.openai_chat_completions.vocabulary import CANONICAL_FIELDS, DIALECT
from openclaw_oauthrouter.errors import InvalidRequestError
from openclaw_oauthrouter.wire.json_fields import JsonFields

_FunctionCalls = dict[str, str]
"""Function name -> id of its last call: the deprecated ``function`` message answers by name, canonical parts answer by id."""


def decode_request(body: FrozenObject, headers: Mapping[str, str]) -> ChatRequest:
    """Read a client's request.

    :raises InvalidRequestError: naming the parameter
    """
    if not isinstance(body, Mapping):
        raise InvalidRequestError("expected a JSON object", param="body")
    fields = JsonFields(body)
    response_format, reasoning = _response_format(fields), _reasoning(fields)
    options = fields.optional_nested("stream_options")
    return ChatRequest(
        dialect=DIALECT,
        model=fields.name("model"),
        messages=decode_messages(fields),
        body=body,
        headers=headers,
        tools=decode_tools(fields),
        tool_choice=decode_tool_choice(fields),
        parallel_tool_calls=_parallel_tool_calls(fields),
        max_output_tokens=fields.optional_integer("max_completion_tokens") or fields.optional_integer("max_tokens"),
        temperature=fields.optional_number("temperature"),
        top_p=fields.optional_number("top_p"),
        top_k=fields.optional_integer("top_k"),
        stop=_stop(fields),
        stream=fields.optional_boolean("stream") or False,
        include_usage=(options.optional_boolean("include_usage") if options else None) or False,
        response_format=response_format,
        reasoning=reasoning,
        verbosity=fields.optional_string("verbosity"),
        user=fields.optional_string("safety_identifier") or fields.optional_string("user"),
        service_tier=fields.optional_string("service_tier"),
        prompt_cache_key=fields.optional_string("prompt_cache_key"),
        logprobs=fields.optional_boolean("logprobs") or False,
        native=_native(body, response_format, reasoning),
    )


def _native(body: FrozenObject, response_format: ResponseFormat | None, reasoning: Reasoning | None) -> FrozenObject:
    native = {key: value for key, value in body.items() if key not in CANONICAL_FIELDS and value is not None}
    # Kinds that only some providers know (a regex format, another way of thinking) pass on the transparent lane.
    unread = {"response_format": response_format is None, "thinking": reasoning is None}
    return native | {key: body[key] for key, missed in unread.items() if missed and body.get(key) is not None}


# ------------------------------------------------------------------ the conversation


def decode_messages(body: JsonFields) -> tuple[Message, ...]:
    """Read ``messages``.

    :raises InvalidRequestError: naming the message and the field
    """
    calls: _FunctionCalls = {}
    messages = [
        message.choice("role", _ROLES)(message, position, calls) for position, message in enumerate(body.objects("messages"))
    ]
    if not messages:
        body.refuse("messages", "at least one message is required")
    return tuple(messages)


def _system(message: JsonFields, _position: int, _calls: _FunctionCalls) -> Message:
    return Message("system", tuple(decode_content(message)))


def _user(message: JsonFields, _position: int, _calls: _FunctionCalls) -> Message:
    return Message("user", tuple(decode_content(message)))


def _assistant(message: JsonFields, position: int, calls: _FunctionCalls) -> Message:
    parts: list[Part] = [*decode_reasoning(message), *decode_content(message, nullable=True)]
    refusal = message.optional_string("refusal")
    if refusal:
        parts.append(RefusalPart(refusal))
    parts.extend(map(_tool_call, message.objects("tool_calls")))
    function = message.optional_nested("function_call")
    if function is not None:
        name = function.name("name")
        calls[name] = f"call_function_{position}"
        parts.append(ToolCallPart(calls[name], name, _arguments(function)))
    return Message("assistant", tuple(parts))


def _tool(message: JsonFields, _position: int, _calls: _FunctionCalls) -> Message:
    answer = ToolCallResponsePart(message.name("tool_call_id"), _answer(message), cache=cache_mark(message.holder))
    return Message("user", (answer,))


def _function(message: JsonFields, _position: int, calls: _FunctionCalls) -> Message:
    name = message.name("name")
    if name not in calls:
        message.refuse("name", f"no earlier assistant message calls the function {name[:64]!r}")
    return Message("user", (ToolCallResponsePart(calls[name], _answer(message)),))


def _answer(message: JsonFields) -> tuple[ContentPart, ...]:
    return tuple(_without_refusals(decode_content(message, nullable=True)))


def _without_refusals(parts: Iterator[ContentPart | RefusalPart]) -> Iterator[ContentPart]:
    return (part for part in parts if not isinstance(part, RefusalPart))


def _tool_call(call: JsonFields) -> ToolCallPart:
    id_ = call.name("id")
    if "custom" in call:
        custom = call.nested("custom")
        return ToolCallPart(id_, custom.name("name"), custom.optional_string("input") or "", custom=True)
    function = call.nested("function")
    return ToolCallPart(id_, function.name("name"), _arguments(function), cache=cache_mark(call.holder))


def _arguments(function: JsonFields) -> str:
    return function.optional_string("arguments") or "{}"


_ROLES: dict[str, Callable[[JsonFields, int, _FunctionCalls], Message]] = {
    "system": _system,
    "developer": _system,
    "user": _user,
    "assistant": _assistant,
    "tool": _tool,
    "function": _function,
}

# ------------------------------------------------------------------ the other fields


def _parallel_tool_calls(body: JsonFields) -> bool | None:
    if body.get("functions") and not body.get("tools"):
        return False  # the deprecated answer has room for one call only
    return body.optional_boolean("parallel_tool_calls")


def _stop(body: JsonFields) -> tuple[str, ...]:
    stop = body.get("stop")
    if stop is None or isinstance(stop, str):
        return (stop,) if stop else ()
    if not isinstance(stop, list):
        body.refuse("stop", "expected a string or a list of strings")
    return tuple(entry for entry in stop if isinstance(entry, str) and entry)


def _reasoning(body: JsonFields) -> Reasoning | None:
    """``reasoning_effort``, OpenRouter's ``reasoning`` object or Anthropic's ``thinking`` object, in that order."""
    effort = body.optional_string("reasoning_effort")
    if effort:
        return Reasoning(effort=effort)
    asked = body.optional_nested("reasoning")
    if asked is not None and asked.holder:
        if asked.get("enabled") is False:
            return Reasoning(effort="none")
        return Reasoning(effort=asked.optional_string("effort"), budget_tokens=asked.optional_integer("max_tokens"))
    thinking = body.optional_nested("thinking")
    if thinking is None or not thinking.holder:
        return None
    decode = _THINKING.get(thinking.name("type"))
    return decode(thinking) if decode else None


_THINKING: dict[str, Callable[[JsonFields], Reasoning]] = {
    "enabled": lambda thinking: Reasoning(budget_tokens=thinking.optional_integer("budget_tokens")),
    "adaptive": lambda _: Reasoning(adaptive=True),
    "disabled": lambda _: Reasoning(effort="none"),
}


def _response_format(body: JsonFields) -> ResponseFormat | None:
    asked = body.optional_nested("response_format")
    if asked is None or not asked.holder:
        return None
    decode = _FORMATS.get(asked.name("type"))
    return decode(asked) if decode else None


def _json_schema(asked: JsonFields) -> ResponseFormat:
    given = asked.nested("json_schema")
    return ResponseFormat(
        "json_schema",
        schema=given.optional_mapping("schema") or {},
        name=given.optional_string("name"),
        description=given.optional_string("description"),
        strict=given.optional_boolean("strict"),
    )


_FORMATS: dict[str, Callable[[JsonFields], ResponseFormat]] = {
    "text": lambda _: ResponseFormat("text"),
    "json_object": lambda _: ResponseFormat("json_object"),
    "json_schema": _json_schema,
}
