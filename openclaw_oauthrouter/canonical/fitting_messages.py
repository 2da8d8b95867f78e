"""Fits the conversation of a request to its model: which parts can be said there, in what words, and in whose turn.

Nothing that somebody said disappears: what the provider has no block for is told in words, what stands in a turn that cannot hold it (a file
of the assistant's, an image among system words) moves to the next turn of the user, and what cannot be said in any way is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import takewhile

from openclaw_oauthrouter.canonical.content import (
    RESULT_CONTENT,
    TOOL_CHANGES,
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
from openclaw_oauthrouter.canonical.fitting_facts import Facts
from openclaw_oauthrouter.canonical.glance import CALL, FILES, REASONING, REFUSAL, WORDS, Overview
from openclaw_oauthrouter.canonical.media import is_textual
from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.request import ChatRequest, Message, Role
from openclaw_oauthrouter.errors import InvalidRequestError

_MOST_WORDS = 4000
"""Characters of a block that nobody knows which are told in words."""

_UNTOLD = frozenset(
    {"type", "id", "status", "signature", "encrypted_content", "encrypted_index", "encrypted_stdout", "cache_control"}
)
"""Fields of such a block that say nothing to another model, or are none of its business."""

_BYTES = lazily(r"[A-Za-z0-9+/_=-]{80}")
_FROM: Mapping[Role, str] = {"assistant": "[from the assistant's turn before]", "system": "[belongs to the system's words]"}


def fit_messages(request: ChatRequest, facts: Facts) -> ChatRequest:
    """Every part in words that the provider has, sealed data for its own maker only.

    :raises InvalidRequestError: the user's words hold something that cannot be said to this provider
    """
    foreign, overview = request.foreign_opaque, request.overview
    if not overview.holds & ~WORDS and not foreign and (facts.same or not facts.accepts.binds_thinking):
        return request
    running = _start_of_loop(request.messages) if facts.accepts.binds_thinking and not facts.same else -1
    messages: list[Message] = []
    lost = 0
    for at, message in enumerate(request.messages):
        if _fits_anyone(message) and (message.role != "assistant" or (not foreign and at >= running)):
            messages.append(message)
            continue
        fitted = message
        if message.role == "assistant":
            parts = _own_opaque(message.parts, foreign)
            if at < running:
                parts = _without_reasoning(parts)
            fitted = with_parts(message, parts)
            lost += _sealed(message.parts) - _sealed(parts)
        said = tuple(found for part in fitted.parts for found in _said(part, message.role, facts))
        fitted = with_parts(fitted, said)
        if fitted.parts or (not message.parts and not (message.role == "system" and not facts.same)):
            messages.append(fitted)
    if lost:
        facts.note("dropped", "thinking", f"{lost} blocks were sealed for another model or provider")
    if len(messages) == len(request.messages) and all(new is old for new, old in zip(messages, request.messages, strict=True)):
        return request
    return replace(request, messages=tuple(messages))


def _fits_anyone(message: Message) -> bool:
    """Whether a message holds nothing but what every model takes, as nearly all do."""
    return not message.glance.holds & ~WORDS


def place_parts(request: ChatRequest, facts: Facts) -> ChatRequest:
    """Files in a turn that cannot hold them, and answers of tools in any but the user's: to the next turn of the user.

    A client of the provider's own dialect is left alone: what that takes, and where, is known to it.

    :raises InvalidRequestError: thinking or a call stands in a turn that is not the assistant's
    """
    if facts.relayed or _in_place(request.overview):
        return request
    messages: list[Message] = []
    answers: list[Part] = []
    files: list[Part] = []
    for position, message in enumerate(request.messages):
        if message.role == "user":
            own = [part for part in message.parts if isinstance(part, ToolCallResponsePart)]
            seen = [said for part in message.parts if part not in own for said in _users_part(part, position)]
            messages.append(with_parts(message, (*answers, *own, *files, *seen)))
            answers, files = [], []
            continue
        answers += [part for part in message.parts if _moves(part) and isinstance(part, ToolCallResponsePart)]
        found = [part for part in message.parts if isinstance(part, Files)]
        files += [TextPart(_FROM[message.role]), *found] if found else []
        staying = [part for part in message.parts if not _moves(part)]
        kept = staying if message.role == "assistant" else [said for part in staying for said in _users_part(part, position)]
        if kept or not message.parts:
            messages.append(with_parts(message, kept))
    facts.note("mapped", "messages", "files and answers of tools stand in the user's turn after the one that held them")
    if answers or files:
        messages.append(Message("user", (*answers, *files)))
    return replace(request, messages=tuple(messages))


def _in_place(overview: Overview) -> bool:
    of_the_assistant = REFUSAL | REASONING | CALL
    return not (overview.assistant & FILES or overview.system & (FILES | of_the_assistant) or overview.user & of_the_assistant)


Files = BlobPart | UriPart | FilePart


def _moves(part: Part) -> bool:
    # An answer of a tool without files finds its place when the conversation is repaired.
    return isinstance(part, Files) or (
        isinstance(part, ToolCallResponsePart) and any(isinstance(held, Files) for held in part.content)
    )


def _users_part(part: Part, position: int) -> Iterator[Part]:
    """A part of a turn that is not the assistant's."""
    if isinstance(part, ToolCallPart):
        raise InvalidRequestError(
            f"the call of {part.name!r} can stand in an assistant's turn only", param=f"messages[{position}]"
        )
    if not isinstance(part, (RefusalPart, ReasoningPart)):
        yield part
    elif part.text:
        yield TextPart(part.text)


def place_system_messages(request: ChatRequest, facts: Facts) -> ChatRequest:
    """Where a model honours no system message within the conversation: to its front, or to the user's words in the client's own body."""
    if facts.accepts.system_messages or not request.overview.late_system:
        return request
    leading = sum(1 for _ in takewhile(lambda message: message.role == "system", request.messages))
    head, rest = request.messages[:leading], request.messages[leading:]
    if facts.relayed:
        facts.note("mapped", "messages.system", "the model takes no system message in a conversation; sent as the user's text")
        return replace(request, messages=(*head, *(_as_user(message) for message in rest)))
    late = tuple(message for message in rest if message.role == "system")
    return replace(request, messages=(*head, *late, *(message for message in rest if message.role != "system")))


def _as_user(message: Message) -> Message:
    if message.role != "system":
        return message
    return Message("user", tuple(_as_user_text(part) for part in message.parts))


def _as_user_text(part: Part) -> Part:
    return replace(part, text=f"<system>\n{part.text}\n</system>") if isinstance(part, TextPart) and part.text else part


def _own_opaque(parts: tuple[Part, ...], foreign: frozenset[str]) -> tuple[Part, ...]:
    """The parts without what somebody else has sealed."""
    if not foreign:
        return parts
    return tuple(
        replace(part, opaque=None)
        if isinstance(part, (ReasoningPart, TextPart, ToolCallPart)) and part.opaque is not None and part.opaque.data in foreign
        else part
        for part in parts
    )


def _without_reasoning(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Without sealed thinking bound to a prefix that is another now."""
    return tuple(part for part in parts if not isinstance(part, ReasoningPart) or part.opaque is None)


def _sealed(parts: tuple[Part, ...]) -> int:
    return sum(isinstance(part, ReasoningPart) and part.opaque is not None for part in parts)


def _start_of_loop(messages: tuple[Message, ...]) -> int:
    """Position of the last words of the user: what comes after them is the running tool loop."""
    return max((at for at, message in enumerate(messages) if message.role == "user" and not is_result(message)), default=-1)


def is_result(message: Message) -> bool:
    """Whether a message answers a tool."""
    return any(isinstance(part, ToolCallResponsePart) for part in message.parts)


def _said(part: Part, role: Role, facts: Facts) -> Iterator[Part]:
    """The part, words in its place where the provider has no such block or the model cannot see it, or nothing.

    :raises InvalidRequestError: the user's cannot be said in any way
    """
    if isinstance(part, ToolCallResponsePart):
        content = tuple(found for item in part.content for found in _said(item, role, facts))
        same = len(content) == len(part.content) and all(new is old for new, old in zip(content, part.content, strict=True))
        yield part if same else replace(part, content=tuple(item for item in content if isinstance(item, RESULT_CONTENT)))
    elif isinstance(part, NativePart):
        yield from _native(part, role, facts)
    elif isinstance(part, Files):
        yield from _seen(part, facts)
    else:
        yield part


def _seen(part: BlobPart | UriPart | FilePart, facts: Facts) -> Iterator[Part]:
    info = facts.info
    sees = {"image": info.images, "document": info.documents, "audio": info.audio}[part.modality]
    if sees is False and not (part.modality == "document" and isinstance(part, BlobPart) and is_textual(part.mime_type)):
        facts.note("dropped", part.modality, f"{info.id} does not take it; a line of text says that it was there")
        name = f" {part.filename!r}" if part.filename else ""
        yield TextPart(f"[{part.modality}{name}: this model cannot see it]", cache=getattr(part, "cache", None))
        return
    context = None if facts.relayed or isinstance(part, FilePart) else part.context
    if context is None or isinstance(part, FilePart):
        yield part
    else:
        yield TextPart(context)
        yield replace(part, context=None)


def _native(part: NativePart, role: Role, facts: Facts) -> Iterator[Part]:
    known = part.dialect == facts.dialect and (part.type not in TOOL_CHANGES or facts.can_change_tools)
    if known:
        yield part
        return
    words = part.words
    if words is None:
        if role != "assistant":
            where = f"{part.place}: " if part.place else ""
            raise InvalidRequestError(
                f"{where}a {part.type!r} block has no counterpart at the provider; leave it out", param=part.place or "messages"
            )
        words = _told(part)
        if not words:
            facts.note("dropped", part.type, "this provider has no such block")
    if not words:
        return
    facts.note("mapped", part.type, "this provider has no such block; told in words")
    # Some dialects write an assistant's texts one after the other, as one.
    yield TextPart(f"{words}\n" if role == "assistant" else words)


def _told(part: NativePart) -> str:
    """A block of the assistant's that nobody knows: the conversation must go on, with what of it can be read."""
    told = _readable(part.value)
    if not told:
        return ""
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    return f"[{part.type.replace('_', ' ')}: {text if len(text) <= _MOST_WORDS else text[:_MOST_WORDS] + '…'}]"


def _readable(value: object) -> object:
    if isinstance(value, Mapping):
        return {
            key: held for key, item in value.items() if key not in _UNTOLD and (held := _readable(item)) not in (None, "", [], {})
        }
    if isinstance(value, list):
        return [_readable(item) for item in value]
    return None if isinstance(value, str) and _BYTES.match(value) else value


def with_parts(message: Message, parts: Sequence[Part]) -> Message:
    """The message with other parts; itself where they are the same objects."""
    if len(parts) == len(message.parts) and all(new is old for new, old in zip(parts, message.parts, strict=True)):
        return message
    return replace(message, parts=tuple(parts))
