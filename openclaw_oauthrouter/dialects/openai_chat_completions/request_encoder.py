"""A request of another dialect: canonical -> Chat Completions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Literal

import orjson

from openclaw_oauthrouter.canonical.content import (
    BlobPart,
    CacheMark,
    FilePart,
    NativePart,
    Opaque,
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
from openclaw_oauthrouter.canonical.json_schema import normalise
from openclaw_oauthrouter.canonical.model_info import Accepts, ModelInfo
from openclaw_oauthrouter.canonical.repair import NO_RESULT, repair
from openclaw_oauthrouter.canonical.request import (
    ChatRequest,
    EncodedRequest,
    Message,
    Note,
    Reasoning,
    ResponseFormat,
)
from openclaw_oauthrouter.canonical.tool_names import changed_names, wire_name
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.dialects.openai_chat_completions.content import Marks, encode_content, encode_signature, reasoning_block
from openclaw_oauthrouter.dialects.openai_chat_completions.tools import encode_tools
from openclaw_oauthrouter.dialects.openai_chat_completions.vocabulary import DIALECT

_EFFORT_BY_BUDGET = ((1, "none"), (2048, "low"), (8192, "medium"))
"""Thinking budgets below the first figure mean the second; anything above is ``high``."""

_LOST = (TextPart(NO_RESULT),)

_SERVICE_TIERS = {
    "auto": "auto",
    "default": "default",
    "flex": "flex",
    "scale": "scale",
    "priority": "priority",
    "fast": "priority",
    "standard_only": "default",
}


def encode_request(request: ChatRequest, info: ModelInfo) -> EncodedRequest:
    """Write a request, fitted to its model, in Chat Completions' words.

    :raises InvalidRequestError: a block or tool has no counterpart in Chat Completions
    """
    notes: list[Note] = []
    accepts = info.accepts or Accepts(known=False)
    body = {"model": info.id, "messages": encode_messages(request, accepts, notes), **encode_fields(request, accepts, notes)}
    if request.stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    dropped = [*request.native, *(["top_k"] if request.top_k is not None else [])]
    notes.extend(Note("dropped", field, "Chat Completions has no such field") for field in dropped)
    return EncodedRequest(body, notes=tuple(notes), tool_names=changed_names(request.tools))


def encode_fields(request: ChatRequest, accepts: Accepts, notes: list[Note]) -> JsonObject:
    """Everything but the model, the conversation and streaming; only what the request says."""
    fields: JsonObject = {
        **encode_tools(request, notes, accepts.web_search),
        accepts.max_tokens_field or "max_completion_tokens": request.max_output_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "stop": list(request.stop),
        "response_format": _response_format(request.response_format, notes),
        "reasoning_effort": _effort(request.reasoning, notes),
        "verbosity": request.verbosity,
        "user": request.user,
        "service_tier": _SERVICE_TIERS.get(request.service_tier or ""),
        "prompt_cache_key": request.prompt_cache_key,
        "logprobs": request.logprobs or None,
    }
    return {key: value for key, value in fields.items() if value is not None and value != []}


def _effort(reasoning: Reasoning | None, notes: list[Note]) -> str | None:
    if reasoning is None or reasoning.effort or reasoning.budget_tokens is None:
        return reasoning.effort if reasoning else None
    budget = reasoning.budget_tokens
    effort = next((word for limit, word in _EFFORT_BY_BUDGET if budget < limit), "high")
    notes.append(Note("mapped", "thinking.budget_tokens", f"{budget} tokens became effort {effort!r}"))
    return effort


def _response_format(format_: ResponseFormat | None, notes: list[Note]) -> JsonObject | None:
    if format_ is None:
        return None
    if format_.kind != "json_schema":
        return {"type": format_.kind}
    normal = normalise(format_.schema or {}, "openai-strict" if format_.strict else "openai")
    strict = format_.strict
    if strict and not normal.fits:
        notes.append(Note("mapped", "response_format.strict", "OpenAI's strict mode does not take this schema"))
        strict = False
    described = {
        "name": format_.name or "answer",
        "description": format_.description,
        "schema": normal.schema,
        "strict": strict,
    }
    return {"type": "json_schema", "json_schema": {key: value for key, value in described.items() if value is not None}}


# ------------------------------------------------------------------ the conversation


def encode_messages(request: ChatRequest, accepts: Accepts, notes: list[Note]) -> list[JsonObject]:
    """``messages``, the answers of tools as messages of their own.

    :raises InvalidRequestError: a block has no counterpart in Chat Completions
    """
    messages, repairs = repair(request.messages)
    notes.extend(repairs)
    spelling = _Spelling(accepts, notes, own=request.dialect == DIALECT)
    out = [line for position, message in enumerate(messages) for line in spelling.message(message, f"messages[{position}]")]
    if not spelling.marks:
        _note_cache_marks(messages, notes)
    return out


def encode_message(message: Message, accepts: Accepts, path: str, notes: list[Note]) -> list[JsonObject]:
    """One message of a client of this very dialect, spelled anew.

    :raises InvalidRequestError: a block has no counterpart in Chat Completions
    """
    return list(_Spelling(accepts, notes, own=True).message(message, path))


@value(frozen=True, slots=True)
class _Spelling:
    """Writes messages.

    :ivar own: the client speaks this dialect, so what it kept for a maker of this dialect has its place
    """

    accepts: Accepts
    notes: list[Note]
    own: bool

    @property
    def marks(self) -> Marks | None:
        """How the model's cache is marked: a known one's, for endpoints of one's own may refuse the field."""
        if not self.accepts.known:
            return None
        return "breakpoints" if self.accepts.cache_breakpoints else "controls" if self.accepts.cache_marks else None

    def message(self, message: Message, path: str) -> Iterator[JsonObject]:
        """One turn; none where nothing of it can be said here."""
        if message.role == "assistant":
            return self._assistant(message.parts, path)
        if message.role == "user":
            return self._user(message.parts, path)
        return iter([{"role": "system", "content": encode_content(message.parts, path, marks=self.marks)}])

    def _user(self, parts: Sequence[Part], path: str) -> Iterator[JsonObject]:
        """Answers of tools first: they must follow the calls directly."""
        answers = [part for part in parts if isinstance(part, ToolCallResponsePart)]
        rest: list[Part] = []
        for answer in answers:
            files = [part for part in answer.content if not _fits_tool_message(part)]
            if files:
                self._note("mapped", f"{path}.tool_result", "files of a tool's answer stand in a user message of their own")
                rest += [TextPart(f"[from tool call {answer.id}]"), *files]
            if answer.is_error and answer.content != _LOST:
                self._note("dropped", f"{path}.is_error", "only the answer's own words can say so here")
            yield {"role": "tool", "tool_call_id": answer.id, "content": _answer(answer, path, self.marks)}
        rest += [part for part in parts if not isinstance(part, ToolCallResponsePart)]
        if rest or not answers:
            yield {"role": "user", "content": encode_content(rest, path, marks=self.marks)}

    def _assistant(self, parts: Sequence[Part], path: str) -> Iterator[JsonObject]:
        calls = [part for part in parts if isinstance(part, ToolCallPart)]
        text = "".join(part.text for part in parts if isinstance(part, TextPart))
        refusal = "".join(part.text for part in parts if isinstance(part, RefusalPart))
        files = [part for part in parts if isinstance(part, (NativePart, BlobPart, UriPart, FilePart))]
        if not self.own:
            self.notes.extend(_unsaid(part, path) for part in files)
            files = []
        extras = self._reasoning(parts, path) | _signature(parts)
        if parts and not (calls or text or refusal or extras or files):
            return  # a compaction of another vendor's, say: an empty turn would stand for nothing
        content: object = text or (None if calls or refusal else "")
        if files:
            # The provider that the client wrote this for has to know files in an assistant's turn.
            content = encode_content([part for part in parts if isinstance(part, TextPart) or part in files], path)
        message: JsonObject = {"role": "assistant", "content": content, **extras}
        if refusal:
            message["refusal"] = refusal
        if calls:
            message["tool_calls"] = [_tool_call(call) for call in calls]
            if self.accepts.reasoning_in_tool_loops:
                message.setdefault("reasoning_content", "")
        yield message

    def _reasoning(self, parts: Sequence[Part], path: str) -> JsonObject:
        """Words in the field that most providers know; what a maker of this dialect sealed in the field that it came in."""
        words: list[str] = []
        details: list[JsonObject] = []
        blocks: list[JsonObject] = []
        for part in parts:
            if not isinstance(part, ReasoningPart):
                continue
            if part.opaque is not None and part.opaque.kind == "reasoning_details":
                details += orjson.loads(part.opaque.data)
            elif part.opaque is not None and self.own and not part.opaque.origin:
                blocks.append(reasoning_block(part.text, part.opaque, part.opaque.data))
            else:
                words.append(part.text)
                if part.opaque is not None:
                    self._note("dropped", f"{path}.thinking", "sealed reasoning goes back to its maker only")
        said = {"reasoning_content": "".join(words), "reasoning_details": details, "thinking_blocks": blocks}
        return {key: value for key, value in said.items() if value}

    def _note(self, action: Literal["dropped", "mapped"], subject: str, reason: str) -> None:
        self.notes.append(Note(action, subject, reason))


def _fits_tool_message(part: Part) -> bool:
    """OpenAI takes text and images there and answers 400 to anything else."""
    return getattr(part, "modality", "image") == "image"


def _answer(answer: ToolCallResponsePart, path: str, marks: Marks | None) -> str | list[JsonObject]:
    content = [part for part in answer.content if _fits_tool_message(part)]
    if content:
        if marks and answer.cache and isinstance(content[-1], TextPart) and content[-1].cache is None:
            content[-1] = replace(content[-1], cache=answer.cache)
        return encode_content(content, path, marks=marks)
    if answer.content:
        return "The answer is a file, in the next message."
    return "The tool failed and said nothing." if answer.is_error else ""


def _unsaid(part: NativePart | BlobPart | UriPart | FilePart, path: str) -> Note:
    kind = part.type if isinstance(part, NativePart) else part.modality
    return Note("dropped", f"{path}.{kind}", "Chat Completions has no such part in an assistant message")


def _signature(parts: Sequence[Part]) -> JsonObject:
    """Gemini's seal on the last text; see ``content.signature_of``."""
    sealed = [part.opaque for part in parts if isinstance(part, TextPart) and _is_signature(part.opaque)]
    return encode_signature(sealed[-1].data) if sealed and sealed[-1] else {}


def _tool_call(call: ToolCallPart) -> JsonObject:
    arguments = wrap_input(call.arguments) if call.custom else call.arguments or "{}"
    function = {"name": wire_name(call.name), "arguments": arguments}
    sealed = encode_signature(call.opaque.data) if call.opaque is not None and _is_signature(call.opaque) else {}
    return {"id": call.id, "type": "function", "function": function, **sealed}


def _is_signature(opaque: Opaque | None) -> bool:
    return opaque is not None and opaque.kind == "thought_signature"


def _note_cache_marks(messages: Iterable[Message], notes: list[Note]) -> None:
    marks: list[CacheMark] = [mark for message in messages for part in message.parts if (mark := getattr(part, "cache", None))]
    if marks:
        notes.append(Note("dropped", "cache_control", "providers of Chat Completions cache by themselves"))
