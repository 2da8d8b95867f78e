"""A request of another dialect: canonical -> Chat Completions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from openclaw_oauthrouter.canonical.content import (
    BlobPart,
    CacheMark,
    FilePart,
    NativePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolCallResponsePart,
    UriPart,
)
from openclaw_oauthrouter.canonical.free_text import wrap_input
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.repair import repair
from openclaw_oauthrouter.canonical.request import (
    ChatRequest,
    EncodedRequest,
    Message,
    Note,
    Reasoning,
    ResponseFormat,
    Role,
)
from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.canonical.tool_names import changed_names, wire_name
from openclaw_oauthrouter.dialects.openai_chat_completions.content import encode_content
from openclaw_oauthrouter.dialects.openai_chat_completions.tools import encode_tools

_EFFORT_BY_BUDGET = ((1, "none"), (2048, "low"), (8192, "medium"))
"""Thinking budgets below the first figure mean the second; anything above is ``high``."""

_SERVICE_TIERS = {"auto": "auto", "default": "default", "flex": "flex", "priority": "priority", "standard_only": "default"}


def encode_request(request: ChatRequest, info: ModelInfo) -> EncodedRequest:
    """Write a request for a model.

    :raises InvalidRequestError: a block or tool has no counterpart in Chat Completions
    """
    notes: list[Note] = []
    body: JsonObject = {
        "model": info.id,
        "messages": encode_messages(request, notes),
        **encode_tools(request, notes),
        "max_completion_tokens": _max_tokens(request, info, notes),
        "temperature": request.temperature,
        "top_p": request.top_p,
        "stop": list(request.stop),
        "response_format": _response_format(request.response_format),
        "reasoning_effort": _effort(request.reasoning, notes),
        "verbosity": request.verbosity,
        "user": request.user,
        "service_tier": _SERVICE_TIERS.get(request.service_tier or ""),
        "prompt_cache_key": request.prompt_cache_key,
        "logprobs": request.logprobs or None,
    }
    if request.stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    dropped = [*request.native, *(["top_k"] if request.top_k is not None else [])]
    notes.extend(Note("dropped", field, "Chat Completions has no such field") for field in dropped)
    said = {key: value for key, value in body.items() if value is not None and value != []}
    return EncodedRequest(said, notes=tuple(notes), tool_names=changed_names(request.tools))


def _max_tokens(request: ChatRequest, info: ModelInfo, notes: list[Note]) -> int | None:
    asked, most = request.max_output_tokens, info.max_output_tokens
    if asked is None or most is None or asked <= most:
        return asked
    notes.append(Note("mapped", "max_tokens", f"{info.id} writes at most {most} tokens"))
    return most


def _effort(reasoning: Reasoning | None, notes: list[Note]) -> str | None:
    if reasoning is None or reasoning.effort or reasoning.budget_tokens is None:
        return reasoning.effort if reasoning else None
    budget = reasoning.budget_tokens
    effort = next((word for limit, word in _EFFORT_BY_BUDGET if budget < limit), "high")
    notes.append(Note("mapped", "thinking.budget_tokens", f"{budget} tokens became effort {effort!r}"))
    return effort


def _response_format(format_: ResponseFormat | None) -> JsonObject | None:
    if format_ is None:
        return None
    if format_.kind != "json_schema":
        return {"type": format_.kind}
    described = {
        "name": format_.name or "answer",
        "description": format_.description,
        "schema": format_.schema,
        "strict": format_.strict,
    }
    return {"type": "json_schema", "json_schema": {key: value for key, value in described.items() if value is not None}}


# ------------------------------------------------------------------ the conversation


def encode_messages(request: ChatRequest, notes: list[Note]) -> list[JsonObject]:
    """``messages``, the answers of tools as messages of their own.

    :raises InvalidRequestError: a block has no counterpart in Chat Completions
    """
    messages, repairs = repair(request.messages)
    notes.extend(repairs)
    out: list[JsonObject] = []
    for position, message in enumerate(messages):
        out.extend(_ROLES[message.role](message.parts, f"messages[{position}]", notes))
    _note_cache_marks(messages, notes)
    return out


def _system(parts: Sequence[Part], path: str, _notes: list[Note]) -> Iterator[JsonObject]:
    yield {"role": "system", "content": encode_content(parts, path)}


def _user(parts: Sequence[Part], path: str, notes: list[Note]) -> Iterator[JsonObject]:
    """Answers of tools first: they must follow the calls directly."""
    answers = [part for part in parts if isinstance(part, ToolCallResponsePart)]
    rest: list[Part] = []
    for answer in answers:
        files = [part for part in answer.content if not _fits_tool_message(part)]
        if files:
            notes.append(Note("mapped", f"{path}.tool_result", "files of a tool's answer stand in a user message of their own"))
            rest += [TextPart(f"[from tool call {answer.id}]"), *files]
        yield {"role": "tool", "tool_call_id": answer.id, "content": _answer(answer, path)}
    rest += [part for part in parts if not isinstance(part, ToolCallResponsePart)]
    if rest or not answers:
        yield {"role": "user", "content": encode_content(rest, path)}


def _fits_tool_message(part: Part) -> bool:
    """OpenAI takes text and images there and answers 400 to anything else."""
    return getattr(part, "modality", "image") == "image"


def _answer(answer: ToolCallResponsePart, path: str) -> str | list[JsonObject]:
    content = [part for part in answer.content if _fits_tool_message(part)]
    if content:
        return encode_content(content, path)
    if answer.content:
        return "The answer is a file, in the next message."
    return "The tool failed and said nothing." if answer.is_error else ""


def _assistant(parts: Sequence[Part], path: str, notes: list[Note]) -> Iterator[JsonObject]:
    calls = [part for part in parts if isinstance(part, ToolCallPart)]
    text = "".join(part.text for part in parts if isinstance(part, TextPart))
    refusal = "".join(part.text for part in parts if isinstance(part, RefusalPart))
    message: JsonObject = {"role": "assistant", "content": text or (None if calls or refusal else "")}
    if refusal:
        message["refusal"] = refusal
    reasoning = _reasoning(parts, path, notes)
    if reasoning:
        message["reasoning_content"] = reasoning
    if calls:
        message["tool_calls"] = [_tool_call(call) for call in calls]
    notes.extend(_unsaid(part, path) for part in parts if isinstance(part, NativePart | BlobPart | UriPart | FilePart))
    yield message


def _unsaid(part: NativePart | BlobPart | UriPart | FilePart, path: str) -> Note:
    if isinstance(part, NativePart):
        return Note("dropped", f"{path}.{part.type}", "Chat Completions has no such block")
    return Note("dropped", f"{path}.{part.modality}", "Chat Completions has no files in an assistant message")


def _reasoning(parts: Iterable[Part], path: str, notes: list[Note]) -> str:
    reasoning = [part for part in parts if isinstance(part, ReasoningPart)]
    if any(part.opaque for part in reasoning):
        notes.append(Note("dropped", f"{path}.thinking", "sealed reasoning goes back to its maker only"))
    return "".join(part.text for part in reasoning)


def _tool_call(call: ToolCallPart) -> JsonObject:
    arguments = wrap_input(call.arguments) if call.custom else call.arguments or "{}"
    return {"id": call.id, "type": "function", "function": {"name": wire_name(call.name), "arguments": arguments}}


def _note_cache_marks(messages: Iterable[Message], notes: list[Note]) -> None:
    marks: list[CacheMark] = [mark for message in messages for part in message.parts if (mark := getattr(part, "cache", None))]
    if marks:
        notes.append(Note("dropped", "cache_control", "providers of Chat Completions cache by themselves"))


_ROLES: dict[Role, Callable[[Sequence[Part], str, list[Note]], Iterator[JsonObject]]] = {
    "system": _system,
    "user": _user,
    "assistant": _assistant,
}
