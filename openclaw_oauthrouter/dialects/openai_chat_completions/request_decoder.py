"""A client's request: Chat Completions -> canonical."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from openclaw_oauthrouter.canonical.content import (
    BlobPart,
    CacheMark,
    Opaque,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolCallResponsePart,
    UriPart,
)
from openclaw_oauthrouter.canonical.json import FrozenObject
from openclaw_oauthrouter.canonical.opaque import attached
from openclaw_oauthrouter.canonical.request import ChatRequest, Message, Reasoning, ResponseFormat
from openclaw_oauthrouter.dialects.openai_chat_completions.content import (
    ContentPart,
    cache_mark,
    content_parts,
    decode_content,
    decode_reasoning,
    is_plain,
    signature_of,
)
from openclaw_oauthrouter.dialects.openai_chat_completions.tools import decode_tool_choice, decode_tools
from openclaw_oauthrouter.dialects.openai_chat_completions.vocabulary import CANONICAL_FIELDS, DIALECT
from openclaw_oauthrouter.errors import InvalidRequestError
from openclaw_oauthrouter.wire.json_fields import JsonFields
from openclaw_oauthrouter.wire.known_turns import KnownTurns, is_conversation

_FunctionCalls = dict[str, str]
"""Function name -> id of its last call: the deprecated ``function`` message answers by name, canonical parts answer by id."""


def decode_request(body: FrozenObject, headers: Mapping[str, str], known: KnownTurns[Message] | None = None) -> ChatRequest:
    """Read a client's request.

    Parts, tools and bodies of Responses and Messages are read as well where their meaning is plain: several clients send them here.

    :param known: conversations whose next requests need not be read from their beginnings
    :raises InvalidRequestError: naming the parameter
    """
    if type(body) is not dict and not isinstance(body, Mapping):
        raise InvalidRequestError("expected a JSON object", param="body")
    fields = JsonFields(body)
    response_format, reasoning, more = None, None, {}
    if not _SELDOM.isdisjoint(body):
        response_format, reasoning, more = _response_format(fields), _reasoning(fields), _seldom_fields(fields)
    options = fields.optional_nested("stream_options") if "stream_options" in body else None
    return ChatRequest(
        dialect=DIALECT,
        model=fields.name("model"),
        messages=decode_messages(fields, known),
        body=body,
        headers=headers,
        tools=() if _OF_TOOLS.isdisjoint(body) else decode_tools(fields),
        tool_choice=None if _OF_CHOICE.isdisjoint(body) else decode_tool_choice(fields),
        max_output_tokens=_limit(fields),
        temperature=fields.optional_number("temperature"),
        stream=fields.optional_boolean("stream") or False,
        include_usage=(options.optional_boolean("include_usage") if options else None) or False,
        response_format=response_format,
        reasoning=reasoning,
        native={} if _READ.issuperset(body) else _native(body, response_format, reasoning),
        **more,
    )


def _seldom_fields(fields: JsonFields) -> dict[str, Any]:
    """What few requests say: looking for each of these in every request takes longer than reading a short one."""
    text = fields.optional_nested("text")
    return {
        "parallel_tool_calls": _parallel_tool_calls(fields),
        "top_p": fields.optional_number("top_p"),
        "top_k": fields.optional_integer("top_k"),
        "stop": _stop(fields),
        "verbosity": fields.optional_string("verbosity") or (text.optional_string("verbosity") if text else None),
        "user": fields.optional_string("user") or fields.optional_string("safety_identifier"),
        "service_tier": fields.optional_string("service_tier"),
        "prompt_cache_key": fields.optional_string("prompt_cache_key"),
        "logprobs": fields.optional_boolean("logprobs") or False,
    }


_OF_TOOLS = frozenset({"functions", "tools", "web_search_options"})
_OF_CHOICE = frozenset({"function_call", "tool_choice"})
_SELDOM = frozenset(
    {
        "functions",
        "logprobs",
        "parallel_tool_calls",
        "prompt_cache_key",
        "reasoning",
        "reasoning_effort",
        "response_format",
        "safety_identifier",
        "service_tier",
        "stop",
        "stop_sequences",
        "text",
        "thinking",
        "top_k",
        "top_p",
        "user",
        "verbosity",
    }
)
_LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens")


_PARTLY_READ = ("response_format", "thinking", "safety_identifier")
"""Fields that may hold what no ``ChatRequest`` has a word for."""
_READ = CANONICAL_FIELDS.difference(_PARTLY_READ)


def _limit(fields: JsonFields) -> int | None:
    for name in _LIMITS:
        if name in fields.holder:
            found = fields.optional_integer(name)
            if found is not None:
                return found
    return None


def _native(body: FrozenObject, response_format: ResponseFormat | None, reasoning: Reasoning | None) -> FrozenObject:
    native = {key: value for key, value in body.items() if key not in CANONICAL_FIELDS and value is not None}
    # Kinds that only some providers know (a regex format, another way of thinking) pass on the transparent lane.
    unread = {
        "response_format": response_format is None,
        "thinking": reasoning is None,
        "safety_identifier": body.get("user") is not None,
    }
    return native | {key: body[key] for key, missed in unread.items() if missed and body.get(key) is not None}


# ------------------------------------------------------------------ the conversation


def decode_messages(body: JsonFields, known: KnownTurns[Message] | None = None) -> tuple[Message, ...]:
    """Read ``messages``, or what a body of another dialect has in its place.

    :raises InvalidRequestError: naming the message and the field
    """
    messages = _messages(body, known)
    if "input" in body:
        if messages:
            body.refuse("input", "it says the conversation in another way than messages does; send one of the two")
        messages = _items(body)
    if not messages:
        body.refuse("messages", "at least one message is required")
    if _BESIDE_MESSAGES.isdisjoint(body.holder):
        return tuple(messages)
    mark = cache_mark(body.holder)
    if mark is not None:
        messages[-1] = replace(messages[-1], parts=_with_mark(messages[-1].parts, mark))
    return (*_first_words(body), *messages)


_BESIDE_MESSAGES = frozenset({"cache_control", "input", "instructions", "prompt_cache_breakpoint", "system"})
"""Fields that say something of the conversation."""


def _messages(body: JsonFields, known: KnownTurns[Message] | None) -> list[Message]:
    calls: _FunctionCalls = {}
    given = body.get("messages")
    known = known if is_conversation(given) else None
    messages = list(known.recall(given)) if known is not None else []
    begin = len(messages)
    for position, message in enumerate(body.objects("messages", begin), begin):
        read = message.choice("role", _ROLES)(message, position, calls)
        read.glance.plain = is_plain(message.holder)
        messages.append(read)
    if known is not None and not calls:  # an answer by a function's name is read by what came before it
        known.keep(given, tuple(messages), begin)
    return messages


def _first_words(body: JsonFields) -> Iterator[Message]:
    """``instructions`` of a Responses body, ``system`` of a Messages body."""
    instructions = body.optional_string("instructions") if "input" in body else None
    if instructions:
        yield Message("system", (TextPart(instructions),))
    system = body.string_or_objects("system")
    if isinstance(system, str):
        yield Message("system", (TextPart(system),))
    elif system is not None:
        yield Message("system", tuple(TextPart(part.string("text"), cache_mark(part.holder)) for part in system))


def _system(message: JsonFields, _position: int, _calls: _FunctionCalls) -> Message:
    return Message("system", _marked(message, decode_content(message)))


def _user(message: JsonFields, _position: int, _calls: _FunctionCalls) -> Message:
    return Message("user", _marked(message, decode_content(message)))


def _assistant(message: JsonFields, position: int, calls: _FunctionCalls) -> Message:
    said: Iterable[Part] = decode_content(message, nullable=True)
    if "extra_content" in message.holder:
        said = _sealed(list(said), signature_of(message.holder))
    reasoning = list(decode_reasoning(message))
    parts: list[Part] = [*reasoning, *said]
    refusal = message.optional_string("refusal")
    if refusal:
        parts.append(RefusalPart(refusal))
    parts.extend(map(_tool_call, message.objects("tool_calls")))
    function = message.optional_nested("function_call")
    if function is not None:
        name = function.name("name")
        calls[name] = f"call_function_{position}"
        parts.append(ToolCallPart(calls[name], name, _arguments(function)))
    marked = _marked(message, parts)
    return Message("assistant", attached(marked) if reasoning else marked)


def _sealed(parts: Sequence[Part], opaque: Opaque | None) -> Iterator[Part]:
    """The parts, what Gemini sealed the text with put on the last of its texts."""
    last = max((at for at, part in enumerate(parts) if isinstance(part, TextPart)), default=-1)
    for at, part in enumerate(parts):
        yield replace(part, opaque=opaque) if opaque is not None and at == last and isinstance(part, TextPart) else part


def _marked(message: JsonFields, parts: Iterable[Part]) -> tuple[Part, ...]:
    """The parts, a cache mark that stands on the whole message put on the last of them."""
    parts, mark = tuple(parts), cache_mark(message.holder)
    return parts if mark is None else _with_mark(parts, mark)


def _with_mark(parts: tuple[Part, ...], mark: CacheMark) -> tuple[Part, ...]:
    last = parts[-1] if parts else None
    if isinstance(last, ToolCallResponsePart) and last.cache is None:
        return (*parts[:-1], replace(last, cache=mark))
    if not isinstance(last, (TextPart, BlobPart, UriPart, ToolCallPart)) or last.cache is not None:
        return parts
    return (*parts[:-1], replace(last, cache=mark))


def _tool(message: JsonFields, _position: int, _calls: _FunctionCalls) -> Message:
    answer = ToolCallResponsePart(message.name("tool_call_id"), _answer(message), cache=cache_mark(message.holder))
    return Message("user", (answer,))


def _function(message: JsonFields, _position: int, calls: _FunctionCalls) -> Message:
    name = message.name("name")
    if name not in calls:
        message.refuse("name", f"no earlier assistant message calls the function {name[:64]!r}")
    return Message("user", (ToolCallResponsePart(calls[name], _answer(message)),))


def _answer(message: JsonFields, key: str = "content") -> tuple[ContentPart, ...]:
    return tuple(content_parts(message, key))


def _tool_call(call: JsonFields) -> ToolCallPart:
    id_ = call.name("id")
    if "custom" in call:
        custom = call.nested("custom")
        return ToolCallPart(id_, custom.name("name"), custom.optional_string("input") or "", custom=True)
    function = call.nested("function")
    return ToolCallPart(
        id_, function.name("name"), _arguments(function), cache=cache_mark(call.holder), opaque=signature_of(call.holder)
    )


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


def _items(body: JsonFields) -> list[Message]:
    """``input`` of a Responses body: words, or items, those of one turn of the assistant's as one message."""
    given = body.string_or_objects("input")
    if isinstance(given, str):
        return [Message("user", (TextPart(given),))]
    messages: list[Message] = []
    for item in given or ():
        kind = item.optional_string("type") or "message"
        message = item.choice("type", _ITEMS)(item) if kind != "message" else item.choice("role", _ROLES)(item, 0, {})
        if messages and message.role == messages[-1].role == "assistant":
            messages[-1] = Message("assistant", messages[-1].parts + message.parts)
        else:
            messages.append(message)
    return messages


def _item_call(item: JsonFields, field: str = "arguments", *, custom: bool = False) -> Message:
    call = ToolCallPart(item.name("call_id"), item.name("name"), item.optional_string(field) or "{}", custom=custom)
    return Message("assistant", (call,))


def _item_answer(item: JsonFields) -> Message:
    return Message("user", (ToolCallResponsePart(item.name("call_id"), _answer(item, "output")),))


def _item_reasoning(item: JsonFields) -> Message:
    words = [piece.string("text") for key in ("summary", "content") for piece in item.objects(key)]
    return Message("assistant", (ReasoningPart("\n\n".join(words)),) if words else ())


_ITEMS: dict[str, Callable[[JsonFields], Message]] = {
    "function_call": _item_call,
    "function_call_output": _item_answer,
    "custom_tool_call": lambda item: _item_call(item, "input", custom=True),
    "custom_tool_call_output": _item_answer,
    "reasoning": _item_reasoning,
}

# ------------------------------------------------------------------ the other fields


def _parallel_tool_calls(body: JsonFields) -> bool | None:
    if body.get("functions") and not body.get("tools"):
        return False  # the deprecated answer has room for one call only
    return body.optional_boolean("parallel_tool_calls")


def _stop(body: JsonFields) -> tuple[str, ...]:
    stop = body.get("stop")
    if stop is None:
        return body.strings("stop_sequences")
    if isinstance(stop, str):
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
    text = body.optional_nested("text")
    asked = body.optional_nested("response_format") or (text.optional_nested("format") if text else None)
    if asked is None or not asked.holder:
        return None
    decode = _FORMATS.get(asked.name("type"))
    return decode(asked) if decode else None


def _json_schema(asked: JsonFields) -> ResponseFormat:
    given = asked if "json_schema" not in asked and "schema" in asked else asked.nested("json_schema")
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
