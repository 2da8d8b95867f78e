"""The conversation of a client's request."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from openclaw_oauthrouter.canonical.content import Part, RefusalPart, ToolCallPart, ToolCallResponsePart
from openclaw_oauthrouter.canonical.json import FrozenObject
from openclaw_oauthrouter.canonical.request import Message
from openclaw_oauthrouter.dialects.openai_chat_completions import schema
from openclaw_oauthrouter.dialects.openai_chat_completions.parts_in import ContentPart, cache_mark, decode_content
from openclaw_oauthrouter.dialects.openai_chat_completions.reasoning import decode_reasoning

_FunctionCalls = dict[str, str]
"""Function name -> id of its last call: the deprecated ``function`` message answers by name, canonical parts answer by id."""


def decode_messages(body: FrozenObject) -> tuple[Message, ...]:
    """Read ``messages``.

    :raises InvalidRequestError: naming the message and the field
    """
    calls: _FunctionCalls = {}
    messages = []
    for path, message in schema.objects(body, "messages"):
        decode = schema.choose(_ROLES, schema.text(message, "role", path), f"{path}.role")
        messages.append(decode(message, path, calls))
    if not messages:
        schema.refuse("messages", "at least one message is required")
    return tuple(messages)


def _system(message: FrozenObject, path: str, _calls: _FunctionCalls) -> Message:
    return Message("system", tuple(decode_content(message, path)))


def _user(message: FrozenObject, path: str, _calls: _FunctionCalls) -> Message:
    return Message("user", tuple(decode_content(message, path)))


def _assistant(message: FrozenObject, path: str, calls: _FunctionCalls) -> Message:
    parts: list[Part] = [*decode_reasoning(message, path), *decode_content(message, path, nullable=True)]
    refusal = schema.optional_text(message, "refusal", path)
    if refusal:
        parts.append(RefusalPart(refusal))
    parts.extend(_tool_calls(message, path))
    function = schema.optional_object(message, "function_call", path)
    if function is not None:
        parts.append(_function_call(function, f"{path}.function_call", calls))
    return Message("assistant", tuple(parts))


def _tool(message: FrozenObject, path: str, _calls: _FunctionCalls) -> Message:
    answer = ToolCallResponsePart(schema.text(message, "tool_call_id", path), _answer(message, path), cache=cache_mark(message))
    return Message("user", (answer,))


def _function(message: FrozenObject, path: str, calls: _FunctionCalls) -> Message:
    name = schema.text(message, "name", path)
    if name not in calls:
        schema.refuse(f"{path}.name", f"no earlier assistant message calls the function {name[:64]!r}")
    return Message("user", (ToolCallResponsePart(calls[name], _answer(message, path)),))


def _answer(message: FrozenObject, path: str) -> tuple[ContentPart, ...]:
    return tuple(part for part in decode_content(message, path, nullable=True) if not isinstance(part, RefusalPart))


def _tool_calls(message: FrozenObject, path: str) -> Iterator[ToolCallPart]:
    for at, call in schema.objects(message, "tool_calls", path):
        id_ = schema.text(call, "id", at)
        if call.get("custom") is not None:
            custom = schema.object_at(call, "custom", at)
            at = f"{at}.custom"
            yield ToolCallPart(id_, schema.text(custom, "name", at), schema.optional_text(custom, "input", at) or "", custom=True)
        else:
            function = schema.object_at(call, "function", at)
            at = f"{at}.function"
            yield ToolCallPart(id_, schema.text(function, "name", at), _arguments(function, at), cache=cache_mark(call))


def _function_call(function: FrozenObject, path: str, calls: _FunctionCalls) -> ToolCallPart:
    name = schema.text(function, "name", path)
    id_ = calls[name] = f"call_function_{path.partition('[')[2].partition(']')[0]}"
    return ToolCallPart(id_, name, _arguments(function, path))


def _arguments(function: FrozenObject, path: str) -> str:
    return schema.optional_text(function, "arguments", path) or "{}"


_ROLES: dict[str, Callable[[FrozenObject, str, _FunctionCalls], Message]] = {
    "system": _system,
    "developer": _system,
    "user": _user,
    "assistant": _assistant,
    "tool": _tool,
    "function": _function,
}
