"""What a conversation is made of, seen once: most rules ask only whether there is anything for them to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openclaw_oauthrouter.canonical.content import (
    BlobPart,
    FilePart,
    Modality,
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

if TYPE_CHECKING:
    from openclaw_oauthrouter.canonical.request import Message

TEXT, CALL, RESULT, REASONING, REFUSAL, FILE, NATIVE, RESULT_FILE, RESULT_NATIVE, NOTHING, EMPTY_TEXT = (
    1 << place for place in range(11)
)
"""Kinds of parts, as bits: files and native blocks apart that stand in a tool's answer, no parts at all, and a text without words."""

KINDS = 11
"""Bits that these are."""

WORDS = TEXT | CALL | RESULT | REASONING | REFUSAL | EMPTY_TEXT
"""What every model takes."""

FILES = FILE | RESULT_FILE

IN_RESULTS = RESULT | RESULT_FILE | RESULT_NATIVE
"""What a message holds that is nothing but answers of tools."""

_BITS: dict[type, int] = {
    TextPart: TEXT,
    ToolCallPart: CALL,
    ToolCallResponsePart: RESULT,
    ReasoningPart: REASONING,
    RefusalPart: REFUSAL,
    BlobPart: FILE,
    UriPart: FILE,
    FilePart: FILE,
    NativePart: NATIVE,
}
_IN_RESULT: dict[type, int] = {TextPart: 0, NativePart: RESULT_NATIVE}


@dataclass(slots=True)
class Glance:
    """What stands in one message.

    :ivar holds: kinds of parts
    :ivar opaque: what is sealed in it
    :ivar modalities: of its files, those in answers of tools included
    :ivar longest_id: characters of the longest id of a call or an answer
    :ivar plain: a provider of the client's own dialect takes it as the client wrote it, as its decoder has found
    :ivar tokens: how many it has, once somebody has counted them
    :ivar steps: what was done in it, once the classifier has read it
    :ivar written: how an encoder has written it, for the next request that repeats it; whose it is, the encoder tells by its type
    """

    holds: int
    opaque: tuple[Opaque, ...] = ()
    modalities: tuple[Modality, ...] = ()
    longest_id: int = 0
    plain: bool = False
    tokens: int | None = None
    steps: tuple[Any, ...] | None = None
    written: object = None


def glance(parts: tuple[Part, ...]) -> Glance:
    """Look at a message's parts."""
    found = Glance(0 if parts else NOTHING)
    for part in parts:
        kind = type(part)
        found.holds |= _BITS[kind]
        if kind is TextPart:
            if not part.text:  # type: ignore[union-attr] # as its kind says; isinstance() of each would cost as much as all the rest
                found.holds |= EMPTY_TEXT
        elif kind is ToolCallResponsePart:
            _look_into(part, found)  # type: ignore[arg-type]
        elif kind is ToolCallPart:
            found.longest_id = max(found.longest_id, len(part.id))  # type: ignore[union-attr]
        elif _BITS[kind] == FILE:
            found.modalities += (part.modality,)  # type: ignore[union-attr]
        opaque = getattr(part, "opaque", None)
        if opaque is not None:
            found.opaque += (opaque,)
    return found


def _look_into(answer: ToolCallResponsePart, found: Glance) -> None:
    found.longest_id = max(found.longest_id, len(answer.id))
    for held in answer.content:
        bit = _IN_RESULT.get(type(held), RESULT_FILE)
        found.holds |= bit
        if bit == RESULT_FILE:
            found.modalities += (held.modality,)  # type: ignore[union-attr] # a file, whichever


_NO_FILES: frozenset[Modality] = frozenset()


class Overview:
    """The same of a whole conversation.

    :ivar messages: those it is of
    :ivar holds: kinds of parts in all of it
    :ivar system: those of the system's messages; so ``user`` and ``assistant``
    :ivar late_system: a message of the system's comes after one that is not
    :ivar plain: all of them are
    """

    __slots__ = ("assistant", "holds", "late_system", "longest_id", "messages", "modalities", "opaque", "plain", "system", "user")

    def __init__(self, messages: tuple[Message, ...]) -> None:
        self.messages = messages
        held = {"system": 0, "user": 0, "assistant": 0}
        opaque: list[Opaque] = []
        modalities: frozenset[Modality] = _NO_FILES
        self.longest_id = 0
        self.late_system = begun = False
        self.plain = True
        for message in messages:
            seen = message.seen or message.glance
            held[message.role] |= seen.holds
            if message.role != "system":
                begun = True
            elif begun:
                self.late_system = True
            if not seen.plain:
                self.plain = False
            if seen.longest_id > self.longest_id:
                self.longest_id = seen.longest_id
            if seen.opaque:
                opaque += seen.opaque
            if seen.modalities:
                modalities = modalities.union(seen.modalities)
        self.system, self.user, self.assistant = held["system"], held["user"], held["assistant"]
        self.holds = self.system | self.user | self.assistant
        self.opaque: Iterable[Opaque] = opaque
        self.modalities = modalities
