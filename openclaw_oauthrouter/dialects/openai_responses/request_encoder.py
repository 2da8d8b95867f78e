"""A canonical request, as a Responses body."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from openclaw_oauthrouter.canonical.content import (
    BlobPart,
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
from openclaw_oauthrouter.canonical.fitting import JSON_ONLY
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.model_info import Accepts, ModelInfo
from openclaw_oauthrouter.canonical.repair import NO_RESULT, repair
from openclaw_oauthrouter.canonical.request import ChatRequest, EncodedRequest, Message, Note, Reasoning, ResponseFormat
from openclaw_oauthrouter.canonical.tool_names import changed_names, wire_name
from openclaw_oauthrouter.dialects.openai_responses.content import encode_mark, encode_media
from openclaw_oauthrouter.dialects.openai_responses.tools import encode_tool_choice, encode_tools, target_schema
from openclaw_oauthrouter.dialects.openai_responses.vocabulary import DIALECT, wire_call_id

MIN_OUTPUT_TOKENS = 16
"""The API refuses a smaller ``max_output_tokens``."""

_SHARED_FIELDS = frozenset({"metadata", "safety_identifier", "prompt_cache_retention", "prompt_cache_options"})
_SERVICE_TIERS = frozenset({"auto", "default", "flex", "scale", "priority", "fast", "ultrafast"})
_JSON = "json"
_ENCRYPTED = "reasoning.encrypted_content"
_SOURCES = "web_search_call.action.sources"


def encode_request(request: ChatRequest, info: ModelInfo) -> EncodedRequest:
    """Write a fitted request of another dialect's client.

    :raises InvalidRequestError: it holds audio
    """
    body, notes = _encode_conversation(request, info)
    for encode in (_encode_tools, _encode_answer, _encode_sampling, _encode_reasoning, _encode_extras):
        fields, more = encode(request, info)
        body |= fields
        notes += more
    return EncodedRequest(body, tuple(dict.fromkeys(notes)), changed_names(request.tools))


_Piece = tuple[JsonObject, list[Note]]


def _encode_conversation(request: ChatRequest, info: ModelInfo) -> _Piece:
    messages, notes = repair(request.messages)
    instructions, rest = encode_instructions(messages)
    encoder = InputEncoder(marks=(info.accepts or Accepts(known=False)).cache_breakpoints)
    for message in rest:
        encoder.write(message)
    items = encoder.items
    if request.response_format is not None and request.response_format.kind == "json_object":
        items = [*_json_reminder(instructions, items), *items]
    body: JsonObject = {"model": info.id, "input": items, "store": False}
    if instructions is not None:
        body["instructions"] = instructions
    if request.stream:
        body["stream"] = True
    return body, [*notes, *encoder.notes]


def _json_reminder(instructions: str | None, items: Sequence[JsonObject]) -> Sequence[JsonObject]:
    """JSON mode is a 400 unless the word stands in the input itself: the instructions, where it was, do not count."""
    if any(_JSON in str(item).lower() for item in items):
        return ()
    said = (
        instructions if instructions and _JSON in instructions.lower() and len(instructions) <= _LONGEST_REMINDER else JSON_ONLY
    )
    return ({"type": "message", "role": "developer", "content": [{"type": "input_text", "text": said}]},)


_LONGEST_REMINDER = 200
"""Characters of instructions that are repeated rather than replaced by a sentence."""


def _encode_tools(request: ChatRequest, _model_info: ModelInfo) -> _Piece:
    tools, notes = encode_tools(request.tools)
    if not tools:
        return {}, list(notes)
    body: JsonObject = {"tools": tools}
    if request.tool_choice is not None:
        choice = encode_tool_choice(request.tool_choice, request.tools)
        if choice is None:
            notes = (*notes, Note("dropped", "tool_choice", "the tool it names runs at another provider"))
        else:
            body["tool_choice"] = choice
    if request.parallel_tool_calls is not None:
        body["parallel_tool_calls"] = request.parallel_tool_calls
    return body, list(notes)


def _encode_answer(request: ChatRequest, _model_info: ModelInfo) -> _Piece:
    body: JsonObject = {}
    notes: list[Note] = []
    text: JsonObject = {}
    if request.response_format is not None:
        text["format"], notes = _encode_format(request.response_format)
    if request.verbosity is not None:
        text["verbosity"] = request.verbosity
    if text:
        body["text"] = text
    if request.max_output_tokens is not None:
        body["max_output_tokens"] = max(request.max_output_tokens, MIN_OUTPUT_TOKENS)
        if request.max_output_tokens < MIN_OUTPUT_TOKENS:
            notes.append(Note("mapped", "max_output_tokens", f"raised to {MIN_OUTPUT_TOKENS}, the least the API takes"))
    return body, notes


def _encode_format(wanted: ResponseFormat) -> tuple[JsonObject, list[Note]]:
    if wanted.kind != "json_schema":
        return {"type": wanted.kind}, []
    schema, strict, notes = target_schema(wanted.schema or {}, wanted.strict, "response_format")
    encoded: JsonObject = {"type": "json_schema", "name": wire_name(wanted.name or "answer"), "schema": schema}
    if wanted.description is not None:
        encoded["description"] = wanted.description
    if strict is not None:
        encoded["strict"] = strict
    return encoded, notes


def _encode_sampling(request: ChatRequest, _model_info: ModelInfo) -> _Piece:
    wanted: dict[str, Any] = {"temperature": request.temperature, "top_p": request.top_p}
    unknown = {"top_k": request.top_k, "stop": request.stop or None, "logprobs": request.logprobs or None}
    notes = [_no_counterpart(name) for name, value in unknown.items() if value is not None]
    return {name: value for name, value in wanted.items() if value is not None}, notes


def _encode_reasoning(request: ChatRequest, info: ModelInfo) -> _Piece:
    accepts = info.accepts or Accepts(known=False)
    body: JsonObject = {}
    # Sealed reasoning is asked for wherever the model is known to reason: its next turn is better, and cheaper, with it.
    include = [_ENCRYPTED] if accepts.reasons else []
    include += [_SOURCES] if any(tool.search is not None for tool in request.tools) else []
    if include:
        body["include"] = include
    wanted = request.reasoning
    asked = (request.decoded or request).reasoning
    if wanted is None and asked is not None and asked.adaptive and accepts.reasons is not False:
        wanted = Reasoning(summary=asked.summary)  # the model decides for itself, as it was asked to
    if wanted is not None:
        summary: JsonObject = {"summary": wanted.summary or "auto"}
        effort = wanted.effort or wanted.answer_effort
        body["reasoning"] = {"effort": effort, **summary} if effort is not None else summary
    return body, []


def _encode_extras(request: ChatRequest, _model_info: ModelInfo) -> _Piece:
    body: JsonObject = {name: value for name, value in request.native.items() if name in _SHARED_FIELDS}
    notes = [_no_counterpart(name) for name in sorted(request.native.keys() - _SHARED_FIELDS)]
    extras = {"user": request.user, "service_tier": request.service_tier, "prompt_cache_key": request.prompt_cache_key}
    if request.service_tier is not None and request.service_tier not in _SERVICE_TIERS:
        notes.append(Note("dropped", "service_tier", "its value has no counterpart in the Responses API"))
        del extras["service_tier"]
    return body | {name: value for name, value in extras.items() if value is not None}, notes


def _no_counterpart(name: str) -> Note:
    return Note("dropped", name, "has no counterpart in the Responses API")


def encode_instructions(messages: Sequence[Message]) -> tuple[str | None, Sequence[Message]]:
    """The leading system messages as one text, and the rest; those that hold files, and a request of nothing else, stay items."""
    leading = list(takewhile(_is_instruction, messages))
    rest = messages[len(leading) :]
    if not rest:
        return None, messages
    texts = (part.text for message in leading for part in message.parts if isinstance(part, TextPart) and part.text)
    return "\n\n".join(texts) or None, rest


def _is_instruction(message: Message) -> bool:
    return message.role == "system" and all(isinstance(part, TextPart) for part in message.parts)


class InputEncoder:
    """Writes messages one after the other.

    :param marks: the model's cache is marked by breakpoints
    :ivar items: what has been written
    :ivar notes: what could not be
    """

    def __init__(self, *, marks: bool = False) -> None:
        self._marks = marks
        self.items: list[JsonObject] = []
        self.notes: list[Note] = []
        self._custom_calls: set[str] = set()

    def write(self, message: Message) -> None:
        """Add a message."""
        if message.role == "assistant":
            self._write_assistant(message.parts)
            return
        role = "developer" if message.role == "system" else "user"
        content: list[JsonObject] = []
        for part in message.parts:
            if isinstance(part, ToolCallResponsePart):
                self._flush(role, content)
                self._write_answer(part)
            else:
                content.extend(self._encode_content(part))
        self._flush(role, content)

    def _write_assistant(self, parts: Sequence[Part]) -> None:
        content: list[JsonObject] = []
        for position, part in enumerate(parts):
            match part:
                case TextPart(text) | RefusalPart(text):
                    content.extend(_said(part, text))
                case ToolCallPart():
                    self._flush("assistant", content)
                    self._write_call(part)
                case ReasoningPart():
                    self._flush("assistant", content)
                    self._write_reasoning(part, last=position == len(parts) - 1)
                case BlobPart() | UriPart() | FilePart():
                    # Only a client of this dialect gets here; the API takes files in a user's message alone.
                    self._flush("assistant", content)
                    self.items.append({"type": "message", "role": "user", "content": [encode_media(part)]})
                case NativePart(words=words) if words is not None:
                    # A client of this dialect at a model that knows no such item: it reads what it says.
                    content.extend(_said(part, words))
                case NativePart(dialect, _, value) if dialect == DIALECT:
                    self._flush("assistant", content)
                    self.items.append(dict(value))
                case _:
                    self._drop(part, "has no counterpart in an assistant turn")
        self._flush("assistant", content)

    def _flush(self, role: str, content: list[JsonObject]) -> None:
        if content:
            self.items.append({"type": "message", "role": role, "content": list(content)})
            content.clear()

    def _write_call(self, call: ToolCallPart) -> None:
        item: JsonObject = {"call_id": wire_call_id(call.id), "name": wire_name(call.name)}
        if call.custom:
            self._custom_calls.add(call.id)
            self.items.append({"type": "custom_tool_call", **item, "input": call.arguments})
        else:
            self.items.append({"type": "function_call", **item, "arguments": call.arguments or "{}"})

    def _write_answer(self, answer: ToolCallResponsePart) -> None:
        custom = answer.custom or answer.id in self._custom_calls
        if answer.is_error and answer.content != (TextPart(NO_RESULT),):
            self.notes.append(Note("dropped", "is_error", "only the answer's own words can say so here"))
        self.items.append(
            {
                "type": "custom_tool_call_output" if custom else "function_call_output",
                "call_id": wire_call_id(answer.id),
                "output": self._encode_output(answer),
            }
        )

    def _encode_output(self, answer: ToolCallResponsePart) -> str | list[JsonObject]:
        if not answer.content:
            return "The tool failed." if answer.is_error else ""
        if len(answer.content) == 1 and isinstance(answer.content[0], TextPart):
            return answer.content[0].text
        return [encoded for part in answer.content for encoded in self._encode_content(part)]

    def _write_reasoning(self, part: ReasoningPart, *, last: bool) -> None:
        opaque = part.opaque
        if opaque is None or opaque.kind != "encrypted":
            self.notes.append(Note("dropped", "reasoning", "only its own maker can read it"))
        elif last:
            self.notes.append(Note("dropped", "reasoning", "nothing follows it, which the API refuses"))
        else:
            summary = [{"type": "summary_text", "text": part.text}] if part.text else []
            item: JsonObject = {"type": "reasoning", "summary": summary, "encrypted_content": opaque.data}
            self.items.append({**item, "id": opaque.item_id} if opaque.item_id else item)

    def _encode_content(self, part: Part) -> list[JsonObject]:
        match part:
            case TextPart(text):
                return [{"type": "input_text", "text": text, **self._mark(part)}] if text else []
            case BlobPart() | UriPart() | FilePart():
                return [{**encode_media(part), **self._mark(part)}]
            case NativePart(dialect, _, value) if dialect == DIALECT:
                return [dict(value)]
            case _:
                self._drop(part, "has no counterpart in the Responses API")
                return []

    def _mark(self, part: Part) -> JsonObject:
        return encode_mark(part) if self._marks else {}

    def _drop(self, part: Part, reason: str) -> None:
        subject = part.type if isinstance(part, NativePart) else type(part).__name__.removesuffix("Part").lower()
        self.notes.append(Note("dropped", subject, reason))


def _said(part: Part, text: str) -> list[JsonObject]:
    if isinstance(part, RefusalPart):
        return [{"type": "refusal", "refusal": text}]
    return [{"type": "output_text", "text": text}] if text else []
