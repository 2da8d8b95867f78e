"""Writes a request that came in another dialect as a Messages body; what the model does not take has been fitted before."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

import orjson

from openclaw_oauthrouter.canonical.content import Part, ReasoningPart, TextPart, ToolCallPart, ToolCallResponsePart
from openclaw_oauthrouter.canonical.glance import TEXT, Glance
from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.canonical.json_schema import normalise
from openclaw_oauthrouter.canonical.model_info import ModelInfo
from openclaw_oauthrouter.canonical.repair import repair
from openclaw_oauthrouter.canonical.request import ChatRequest, EncodedRequest, Message, Note, Reasoning, ResponseFormat
from openclaw_oauthrouter.dialects.anthropic_messages.content import PartWriter, Spelling
from openclaw_oauthrouter.dialects.anthropic_messages.tools import write_tool_choice, write_tools
from openclaw_oauthrouter.dialects.anthropic_messages.vocabulary import WireNames, model_id
from openclaw_oauthrouter.errors import InvalidRequestError

DEFAULT_MAX_TOKENS = 64_000
"""For a model whose output limit nobody knows."""

EMPTY_TURN = "(empty message)"
"""Stands in for a user's turn without words, which the API refuses."""

_SERVICE_TIERS = {"default": "standard_only", "flex": "standard_only", "priority": "auto"}
# Bookkeeping of other dialects: nothing the caller waits for depends on it.
_SILENT = frozenset(
    {"user", "safety_identifier", "metadata", "client_metadata", "store", "response_format", "n", "modalities", "cache_control"}
)
# Thinking opens a turn of the assistant and nothing may follow its calls; a turn of the user opens with the results of those calls.
_RANK: dict[type, int] = {ReasoningPart: -1, ToolCallResponsePart: -1, ToolCallPart: 1}


def encode_request(request: ChatRequest, info: ModelInfo) -> EncodedRequest:
    """Write a request of another dialect.

    :raises InvalidRequestError: it asks for something that cannot be said here
    """
    if request.native:
        _refuse_what_cannot_be_said(request.native)
    if request.max_output_tokens is not None and request.max_output_tokens < 1:
        raise InvalidRequestError("the answer's token limit must be at least 1", param="max_tokens")
    words_only = not request.overview.holds & ~TEXT
    messages, notes = (request.messages, ()) if words_only else repair(request.messages)
    names = WireNames()
    tools, tool_notes = write_tools(request, names) if request.tools else ([], [])
    writer = PartWriter(names, unsigned=info.accepts is not None and info.accepts.unsigned_thinking)
    system, turns, marked = _lay_out(messages, writer)
    body: JsonObject = {
        "model": model_id(info.id),
        "max_tokens": request.max_output_tokens or info.max_output_tokens or DEFAULT_MAX_TOKENS,
    }
    if system:
        body["system"] = system
    body["messages"] = turns
    if tools:
        body["tools"] = tools
        choice = write_tool_choice(request, names)
        if choice is not None:
            body["tool_choice"] = choice
    _write_settings(body, request)
    place_cache_marks(body, marked)
    if request.native or request.logprobs or request.service_tier is not None:
        writer.notes += _dropped(request)
    return EncodedRequest(body, (*notes, *tool_notes, *writer.notes), names.changed())


# ---------------------------------------------------------------------------------------------------------- conversation


def _lay_out(messages: Sequence[Message], writer: PartWriter) -> tuple[list[JsonObject], list[JsonObject], list[JsonObject]]:
    """The ``system`` blocks and the ``messages`` of a repaired conversation: turns merged, tool results first, tool calls last; and what
    of the messages carries a mark of the client's.

    :raises InvalidRequestError: there is nothing but system messages
    """
    leading = 0
    for message in messages:
        if message.role != "system":
            break
        leading += 1
    else:
        raise InvalidRequestError("the conversation needs at least one message that is not a system message", param="messages")
    wire: list[JsonObject] = []
    before = None
    marked: list[JsonObject] = []
    several, unsigned = len(messages) >= _SEVERAL, writer.unsigned
    for turn in _turns(messages[leading:]):
        role = turn[0].role
        seen = (turn[0].seen or turn[0].glance) if several and len(turn) == 1 else None
        known = seen.written if seen is not None else None
        if type(known) is _Written and known.unsigned is unsigned and (known.spelling is None or writer.agrees(known.spelling)):
            content = known.content
        else:
            content = _write_turn(turn, writer, seen, marked)
        if role == before:  # what stood between them said nothing
            wire[-1]["content"] = [*wire[-1]["content"], *content]
        elif content:
            before = role
            wire.append({"role": role, "content": content})
    if not leading:
        return [], wire, marked
    ahead = [part for message in messages[:leading] for part in message.parts if isinstance(part, TextPart)]
    return _without_empty(writer.write(ahead)), wire, marked


_SEVERAL = 4
"""Messages from which on a request is likely to be repeated by the next."""


@dataclass(slots=True)
class _Written:
    """A turn of one message as it was written once, for requests that would write it the same; nobody may change what ``content`` holds.

    :ivar spelling: of its ids and names; ``None``: there are none in it
    :ivar unsigned: the writer's
    """

    content: list[JsonObject]
    spelling: Spelling | None
    unsigned: bool


def _turns(messages: Sequence[Message]) -> list[list[Message]]:
    """Messages that come from one side, together."""
    turns: list[list[Message]] = []
    before = None
    for message in messages:
        if message.role == before:
            turns[-1].append(message)
        else:
            before = message.role
            turns.append([message])
    return turns


def _write_turn(turn: Sequence[Message], writer: PartWriter, seen: Glance | None, marked: list[JsonObject]) -> list[JsonObject]:
    """A turn's blocks.

    :param seen: where to remember them
    :param marked: takes those that carry a mark
    """
    noted = len(writer.notes)
    parts = turn[0].parts if len(turn) == 1 else [part for message in turn for part in message.parts]
    content = _content(turn[0].role, parts, writer)
    marks = _marks_in(content)
    marked += marks
    # Marks may have to go again, and notes are told each time.
    if seen is not None and not marks and len(writer.notes) == noted:
        spelling = writer.spelling(parts)
        seen.written = _Written(content, spelling if spelling[0] else None, writer.unsigned)
    return content


def _content(role: str, parts: Sequence[Part], writer: PartWriter) -> list[JsonObject]:
    if len(parts) > 1 and role != "system":
        parts = sorted(parts, key=_rank)
    blocks = writer.write(parts)
    says = empty = False
    for block in blocks:
        if block["type"] != "text":
            says = True
        elif not (text := block["text"]):
            empty = True
        elif not says and not text.isspace():
            says = True
    if says:
        return _without_empty(blocks) if empty else blocks
    return [{"type": "text", "text": EMPTY_TURN}] if role == "user" else []


def _without_empty(blocks: list[JsonObject]) -> list[JsonObject]:
    """The API refuses a text without a character, wherever it stands."""
    return [block for block in blocks if block["type"] != "text" or block["text"]]


def _rank(part: Part) -> int:
    return _RANK.get(type(part), 0)


# -------------------------------------------------------------------------------------------------------------- settings


def _write_settings(body: JsonObject, request: ChatRequest) -> None:
    """Everything beside the conversation."""
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.top_p is not None:
        body["top_p"] = request.top_p
    if request.top_k is not None:
        body["top_k"] = request.top_k
    stop = [text for text in request.stop if text.strip()] if request.stop else None
    if stop:
        body["stop_sequences"] = stop
    if request.stream:
        body["stream"] = True
    tier = _SERVICE_TIERS.get(request.service_tier or "")
    if tier is not None:
        body["service_tier"] = tier
    # ``user`` is a session's name at some clients and an e-mail address at others; only this field is meant for providers.
    user = request.native.get("safety_identifier") or request.body.get("safety_identifier")
    if user and isinstance(user, str):
        body["metadata"] = {"user_id": user}
    thinking = write_thinking(request.reasoning)
    if thinking:
        body["thinking"] = thinking
    if request.reasoning is not None or request.response_format is not None:
        config = dict(_output_config(request))
        if config:
            body["output_config"] = config


def write_thinking(reasoning: Reasoning | None) -> JsonObject | None:
    """The ``thinking`` object of fitted reasoning; ``None`` when nothing has to be said."""
    if reasoning is None:
        return None
    if reasoning.effort == "none":
        return {"type": "between_tools" if reasoning.between_tools else "disabled"}
    if reasoning.budget_tokens is not None:
        thinking: JsonObject = {"type": "enabled", "budget_tokens": reasoning.budget_tokens}
    elif reasoning.adaptive:
        thinking = {"type": "adaptive"}
    else:
        return None
    if reasoning.summary is not None:
        thinking["display"] = "summarized"
    return thinking


def write_effort(reasoning: Reasoning | None) -> str | None:
    """The effort of fitted reasoning, or of the answer beside reasoning switched off."""
    if reasoning is None:
        return None
    return reasoning.answer_effort if reasoning.effort in (None, "none") else reasoning.effort


def _output_config(request: ChatRequest) -> Iterator[tuple[str, object]]:
    effort = write_effort(request.reasoning)
    if effort is not None:
        yield "effort", effort
    if request.response_format is not None and request.response_format.schema is not None:
        yield "format", write_format(request.response_format)


def write_format(wanted: ResponseFormat) -> JsonObject:
    """``output_config.format``."""
    schema = normalise(wanted.schema or {}, "anthropic-strict", root="any").schema
    return {"type": "json_schema", "schema": schema}


def _dropped(request: ChatRequest) -> Iterator[Note]:
    for name in request.native:
        if name not in _SILENT:
            yield Note("dropped", name, "Claude models have no counterpart")
    if request.logprobs:
        yield Note("dropped", "logprobs", "Claude models do not report probabilities")
    if request.service_tier is not None and request.service_tier not in (*_SERVICE_TIERS, "auto"):
        yield Note("dropped", "service_tier", f"{request.service_tier!r} has no counterpart")


def _refuse_what_cannot_be_said(native: FrozenObject) -> None:
    choices = native.get("n")
    if isinstance(choices, int) and choices > 1:
        raise InvalidRequestError("Claude models give one answer; n must be 1", param="n")
    modalities = native.get("modalities")
    if isinstance(modalities, Container) and "audio" in modalities:
        raise InvalidRequestError("Claude models cannot answer in audio", param="modalities")
    if native.get("web_search_options") is not None:
        raise InvalidRequestError(
            "this model cannot be given web_search_options; offer it a search tool", param="web_search_options"
        )


# ----------------------------------------------------------------------------------------------------------- cache marks

MAX_MARKS = 4
"""Marks that one request may hold."""
LEAST_CACHED = 4096
"""Bytes of a request below which none of Anthropic's models caches it: 1024 tokens at least, of about four characters each."""

PASSING = "<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>"
"""Begins a text that OpenClaw puts into the newest turn only; the next request does not repeat it."""


def place_cache_marks(body: JsonObject, marked: Sequence[JsonObject]) -> None:
    """Bring a body's cache marks within the limit; where the client set none at all, mark what the next request will repeat.

    That is the system prompt, and once there is a conversation or a tool to hold one with: the tools, and the last two turns of the user up
    to what stays of them. The last but one is where this request is read from, however long the turn since then; writing to the cache
    costs a quarter more than not to, so a lone question is not; nor is what is too short to be cached at all.
    """
    system, tools, messages = body.get("system", ()), body.get("tools", ()), body["messages"]
    # In the order in which the provider reads it.
    marked = [*_marks_in(tools), *_marks_in(system), *marked]
    for block in marked[:-MAX_MARKS]:
        del block["cache_control"]
    if marked:
        return
    if system:
        _mark(system[-1])
    goes_on = tools or (len(messages) > 1 and any(message["role"] == "assistant" for message in messages))
    if goes_on and _is_worth_caching(body):
        for tool in tools[-1:]:
            _mark(tool)
        for message, at in _last_stable(messages):
            content = message["content"]
            message["content"] = [*content[:at], {**content[at], "cache_control": {"type": "ephemeral"}}, *content[at + 1 :]]


def _is_worth_caching(body: JsonObject) -> bool:
    # Long conversations are known by their texts alone; writing all of one to measure it would cost as much as writing it to be sent.
    texts = (block.get("text") or block.get("content") for message in body["messages"] for block in message["content"])
    length = 0
    for text in texts:
        if isinstance(text, str):
            length += len(text)
            if length >= LEAST_CACHED:
                return True
    return len(orjson.dumps(body)) >= LEAST_CACHED


def _mark(block: JsonObject) -> None:
    block["cache_control"] = {"type": "ephemeral"}


def _last_stable(messages: Sequence[JsonObject]) -> Iterator[tuple[JsonObject, int]]:
    """The last blocks, each by its turn and its place in it, in two turns of the user, that the next request will hold as well, with all
    that stands before them."""
    turns = (message for message in reversed(messages) if message["role"] == "user")
    staying = ((message, sum(1 for _ in takewhile(_is_stable, message["content"]))) for message in turns)
    yield from islice(((message, count - 1) for message, count in staying if count), 2)


def _is_stable(block: JsonObject) -> bool:
    return block.get("type") != "text" or not block["text"].lstrip().startswith(PASSING)


def _marks_in(content: Sequence[JsonObject]) -> list[JsonObject]:
    marked: list[JsonObject] = []
    for block in content:
        if "cache_control" in block:
            marked.append(block)
        if "content" in block and type(block["content"]) is list:
            marked += [inner for inner in block["content"] if "cache_control" in inner]
    return marked
