"""A client's request: Chat Completions -> canonical."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from openclaw_oauthrouter.canonical.json import FrozenObject
from openclaw_oauthrouter.canonical.request import ChatRequest, Reasoning, ResponseFormat
from openclaw_oauthrouter.dialects.openai_chat_completions import schema
from openclaw_oauthrouter.dialects.openai_chat_completions.messages_in import decode_messages
from openclaw_oauthrouter.dialects.openai_chat_completions.tools_in import decode_tool_choice, decode_tools
from openclaw_oauthrouter.dialects.openai_chat_completions.vocabulary import CANONICAL_FIELDS, NAME


def decode_request(body: FrozenObject, headers: Mapping[str, str]) -> ChatRequest:
    """Read a client's request.

    :raises InvalidRequestError: naming the parameter
    """
    if not isinstance(body, Mapping):
        schema.refuse("body", "expected a JSON object")
    native = {key: value for key, value in body.items() if key not in CANONICAL_FIELDS and value is not None}
    response_format, reasoning = _response_format(body), _reasoning(body)
    # Kinds that only some providers know (a regex format, another way of thinking) pass on the transparent lane.
    unread = {"response_format": response_format is None, "thinking": reasoning is None}
    native |= {key: body[key] for key, missed in unread.items() if missed and body.get(key) is not None}
    options = schema.optional_object(body, "stream_options") or {}
    return ChatRequest(
        dialect=NAME,
        model=schema.text(body, "model"),
        messages=decode_messages(body),
        body=body,
        headers=headers,
        tools=decode_tools(body),
        tool_choice=decode_tool_choice(body),
        parallel_tool_calls=_parallel_tool_calls(body),
        max_output_tokens=schema.optional_count(body, "max_completion_tokens") or schema.optional_count(body, "max_tokens"),
        temperature=schema.optional_number(body, "temperature"),
        top_p=schema.optional_number(body, "top_p"),
        top_k=schema.optional_count(body, "top_k"),
        stop=_stop(body),
        stream=schema.optional_bool(body, "stream") or False,
        include_usage=schema.optional_bool(options, "include_usage", "stream_options") or False,
        response_format=response_format,
        reasoning=reasoning,
        verbosity=schema.optional_text(body, "verbosity"),
        user=schema.optional_text(body, "safety_identifier") or schema.optional_text(body, "user"),
        service_tier=schema.optional_text(body, "service_tier"),
        prompt_cache_key=schema.optional_text(body, "prompt_cache_key"),
        logprobs=schema.optional_bool(body, "logprobs") or False,
        native=native,
    )


def answers_by_function_call(request: ChatRequest) -> bool:
    """The client uses the deprecated ``functions`` and expects ``function_call`` back."""
    return request.dialect == NAME and bool(request.body.get("functions")) and not request.body.get("tools")


def _parallel_tool_calls(body: FrozenObject) -> bool | None:
    if body.get("functions") and not body.get("tools"):
        return False  # the deprecated answer has room for one call only
    return schema.optional_bool(body, "parallel_tool_calls")


def _stop(body: FrozenObject) -> tuple[str, ...]:
    stop = body.get("stop")
    if stop is None or isinstance(stop, str):
        return (stop,) if stop else ()
    if not isinstance(stop, list):
        schema.refuse("stop", "expected a string or a list of strings")
    return tuple(entry for entry in stop if isinstance(entry, str) and entry)


def _reasoning(body: FrozenObject) -> Reasoning | None:
    """``reasoning_effort``, OpenRouter's ``reasoning`` object or Anthropic's ``thinking`` object, in that order."""
    effort = schema.optional_text(body, "reasoning_effort")
    if effort:
        return Reasoning(effort=effort)
    asked = schema.optional_object(body, "reasoning")
    if asked:
        if asked.get("enabled") is False:
            return Reasoning(effort="none")
        return Reasoning(
            effort=schema.optional_text(asked, "effort", "reasoning"),
            budget_tokens=schema.optional_count(asked, "max_tokens", "reasoning"),
        )
    thinking = schema.optional_object(body, "thinking")
    if not thinking:
        return None
    decode = _THINKING.get(schema.text(thinking, "type", "thinking"))
    return decode(thinking) if decode else None


def _budget(thinking: FrozenObject) -> Reasoning:
    return Reasoning(budget_tokens=schema.optional_count(thinking, "budget_tokens", "thinking"))


_THINKING: dict[str, Callable[[FrozenObject], Reasoning]] = {
    "enabled": _budget,
    "adaptive": lambda _: Reasoning(adaptive=True),
    "disabled": lambda _: Reasoning(effort="none"),
}


def _response_format(body: FrozenObject) -> ResponseFormat | None:
    asked = schema.optional_object(body, "response_format")
    if not asked:
        return None
    decode = _FORMATS.get(schema.text(asked, "type", "response_format"))
    return decode(asked) if decode else None


def _json_schema(asked: FrozenObject) -> ResponseFormat:
    path = "response_format.json_schema"
    given = schema.object_at(asked, "json_schema", "response_format")
    return ResponseFormat(
        "json_schema",
        schema=schema.optional_object(given, "schema", path) or {},
        name=schema.optional_text(given, "name", path),
        description=schema.optional_text(given, "description", path),
        strict=schema.optional_bool(given, "strict", path),
    )


_FORMATS: dict[str, Callable[[FrozenObject], ResponseFormat]] = {
    "text": lambda _: ResponseFormat("text"),
    "json_object": lambda _: ResponseFormat("json_object"),
    "json_schema": _json_schema,
}
