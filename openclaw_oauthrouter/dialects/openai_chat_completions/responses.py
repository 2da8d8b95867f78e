"""A whole answer: canonical -> ``chat.completion``."""

from __future__ import annotations

from collections.abc import Sequence

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.content import Citation, ReasoningPart, RefusalPart, TextPart, ToolCallPart
from openclaw_oauthrouter.canonical.free_text import custom_names, unwrap_input
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.response import ChatResponse
from openclaw_oauthrouter.dialects.openai_chat_completions.reasoning import encode_block
from openclaw_oauthrouter.dialects.openai_chat_completions.requests_in import answers_by_function_call
from openclaw_oauthrouter.dialects.openai_chat_completions.usage import encode_usage
from openclaw_oauthrouter.dialects.openai_chat_completions.vocabulary import FINISH_REASONS

_PREFIX = "chatcmpl-"


def completion_id(id_: str, now: float) -> str:
    """The client's id of an answer: the provider's, or one made of the time in microseconds when it gave none."""
    if not id_:
        return f"{_PREFIX}{int(now * 1e6):x}"
    return id_ if id_.startswith(_PREFIX) else _PREFIX + id_


def encode_response(response: ChatResponse, request: ChatRequest, model: str, clock: Clock) -> JsonObject:
    """Write a whole answer."""
    now = clock()
    legacy = answers_by_function_call(request)
    finish_reason = FINISH_REASONS[response.finish_reason]
    if legacy and finish_reason == "tool_calls":
        finish_reason = "function_call"
    choice = {"index": 0, "message": _message(response, request, legacy=legacy), "logprobs": None, "finish_reason": finish_reason}
    out: JsonObject = {
        "id": completion_id(response.id, now),
        "object": "chat.completion",
        "created": int(now),
        "model": model,
        "choices": [choice],
        "usage": encode_usage(response.usage),
    }
    if response.usage.service_tier:
        out["service_tier"] = response.usage.service_tier
    return out


def encode_citation(citation: Citation) -> JsonObject:
    """One entry of ``annotations``."""
    cited = {
        "start_index": citation.start,
        "end_index": citation.end,
        "url": citation.url,
        "title": citation.title,
    }
    return {"type": "url_citation", "url_citation": cited}


def _message(response: ChatResponse, request: ChatRequest, *, legacy: bool) -> JsonObject:
    parts = response.parts
    texts = [part for part in parts if isinstance(part, TextPart)]
    refusals = [part.text for part in parts if isinstance(part, RefusalPart)]
    message: JsonObject = {
        "role": "assistant",
        "content": "".join(part.text for part in texts) or None,
        "refusal": "".join(refusals) or response.explanation or None,
    }
    citations = [encode_citation(citation) for part in texts for citation in part.citations]
    if citations:
        message["annotations"] = citations
    if _knows_of_reasoning(request):
        message |= _reasoning([part for part in parts if isinstance(part, ReasoningPart)])
    calls = [part for part in parts if isinstance(part, ToolCallPart)]
    if calls and legacy:
        message["function_call"] = {"name": calls[0].name, "arguments": calls[0].arguments or "{}"}
    elif calls:
        custom = custom_names(request)
        message["tool_calls"] = [_tool_call(call, custom) for call in calls]
    return message


def _knows_of_reasoning(request: ChatRequest) -> bool:
    """The client asked for reasoning or has sent some back.

    Others get a whole answer in OpenAI's own fields only; a stream shows reasoning to all, for it is a sign of life.
    """
    sent_back = (part for message in request.messages for part in message.parts if isinstance(part, ReasoningPart))
    return request.reasoning is not None or any(sent_back)


def _reasoning(parts: Sequence[ReasoningPart]) -> JsonObject:
    out: JsonObject = {}
    words = "".join(part.text for part in parts)
    if words:
        out["reasoning_content"] = words
    sealed = [encode_block(part.text, part.opaque) for part in parts if part.opaque]
    if sealed:
        out["thinking_blocks"] = sealed
    return out


def _tool_call(call: ToolCallPart, custom: frozenset[str]) -> JsonObject:
    if call.custom or call.name in custom:
        text = call.arguments if call.custom else unwrap_input(call.arguments)
        return {"id": call.id, "type": "custom", "custom": {"name": call.name, "input": text}}
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments or "{}"}}
