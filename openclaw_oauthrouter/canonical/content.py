"""Parts of a message, named as OpenTelemetry GenAI names them."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from openclaw_oauthrouter.canonical.json import FrozenObject
from openclaw_oauthrouter.canonical.value import value

Modality = Literal["image", "document", "audio"]
OpaqueKind = Literal["signature", "redacted", "encrypted", "thought_signature", "reasoning_details"]


@value(frozen=True, slots=True)
class CacheMark:
    """Asks the provider to cache the prompt up to and including the part that carries it.

    :ivar ttl: ``"5m"`` or ``"1h"``
    """

    ttl: str = "5m"


@value(frozen=True, slots=True)
class Opaque:
    """What only its maker can read; must come back to it unchanged, on the very part it came with, and to nobody else.

    :ivar kind: ``signature`` (Anthropic: seals the readable text beside it), ``redacted`` (Anthropic) or ``encrypted`` (OpenAI: replaces the
        text), ``thought_signature`` (Gemini: on a tool call, a text or reasoning), ``reasoning_details`` (OpenRouter: its list of reasoning
        blocks, as JSON text)
    :ivar data: the vendor's own string
    :ivar origin: who made it, ``provider/account``; ``""`` when a client sent it back without saying
    :ivar item_id: the vendor's id of the item, where it has one
    :ivar part: set only while a client carries it beside the part it belongs to: ``text``, or ``call:`` and the call's id
    """

    kind: OpaqueKind
    data: str
    origin: str = ""
    item_id: str | None = None
    part: str | None = None


@value(frozen=True, slots=True)
class Citation:
    """A source the answer names; ``start`` and ``end`` are offsets into the text of the whole answer."""

    url: str
    title: str = ""
    start: int = 0
    end: int = 0


@value(frozen=True, slots=True)
class TextPart:
    """Words.

    :ivar opaque: what its maker sealed it with
    """

    text: str
    cache: CacheMark | None = None
    citations: tuple[Citation, ...] = ()
    opaque: Opaque | None = None


@value(frozen=True, slots=True)
class ReasoningPart:
    """A model's thinking: readable text, an opaque form, or both."""

    text: str = ""
    opaque: Opaque | None = None


@value(frozen=True, slots=True)
class ToolCallPart:
    """The model calls a tool.

    :ivar arguments: JSON text as the model wrote it; free text for a custom tool
    :ivar custom: the tool takes free text instead of JSON
    :ivar opaque: what its maker sealed the call with; Gemini refuses a call that comes back without
    """

    id: str
    name: str
    arguments: str
    custom: bool = False
    cache: CacheMark | None = None
    opaque: Opaque | None = None


@value(frozen=True, slots=True)
class BlobPart:
    """Inline bytes.

    :ivar data: base64, as it travels in every dialect
    :ivar detail: image resolution asked for: auto, low, high, original
    :ivar context: what the client tells the model about a document
    """

    modality: Modality
    mime_type: str
    data: str
    filename: str | None = None
    detail: str | None = None
    cache: CacheMark | None = None
    context: str | None = None


@value(frozen=True, slots=True)
class UriPart:
    """Bytes the provider fetches itself."""

    modality: Modality
    uri: str
    mime_type: str | None = None
    filename: str | None = None
    detail: str | None = None
    cache: CacheMark | None = None
    context: str | None = None


@value(frozen=True, slots=True)
class FilePart:
    """A file stored at one provider under an id of its own."""

    modality: Modality
    file_id: str
    filename: str | None = None


@value(frozen=True, slots=True)
class RefusalPart:
    """The model declines, in words."""

    text: str


@value(frozen=True, slots=True)
class WebSearch:
    """A search of the web that the provider made itself.

    :ivar query: what was searched for
    :ivar hits: the pages found; empty while they are not known, ``None`` when the search failed
    """

    id: str
    query: str = ""
    hits: tuple[Citation, ...] | None = ()


@value(frozen=True, slots=True)
class NativePart:
    """A block of one dialect that the canonical vocabulary has no word for.

    :ivar dialect: name of the dialect
    :ivar type: the dialect's own type name
    :ivar words: what it says, for dialects that have no such block: fitting puts a text in its place; ``None``: it cannot be said, so a
        user's is refused and an assistant's left out; ``""``: it says nothing that others need
    :ivar search: what it is, where it is a search of the web (its call, its result, or both)
    :ivar place: where it stood in the client's body, for one that cannot be said
    """

    dialect: str
    type: str
    value: FrozenObject
    words: str | None = None
    search: WebSearch | None = None
    place: str = field(default="", compare=False)


ResultPart = TextPart | BlobPart | UriPart | FilePart | NativePart
"""What may stand in a tool's answer."""


@value(frozen=True, slots=True)
class ToolCallResponsePart:
    """What a tool answered.

    :ivar id: the ``ToolCallPart.id`` it answers
    :ivar content: text, blob, uri parts in order; empty when the tool said nothing
    """

    id: str
    content: tuple[ResultPart, ...] = ()
    is_error: bool = False
    custom: bool = False
    cache: CacheMark | None = None


Part = TextPart | ReasoningPart | ToolCallPart | ToolCallResponsePart | BlobPart | UriPart | FilePart | RefusalPart | NativePart

RESULT_CONTENT = (TextPart, BlobPart, UriPart, FilePart, NativePart)
"""``ResultPart``, for ``isinstance``."""

TOOL_CHANGES = frozenset({"tool_reference", "tool_addition", "tool_removal"})
"""Blocks by which a conversation changes its tools."""
