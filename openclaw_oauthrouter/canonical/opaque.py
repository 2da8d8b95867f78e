"""Carries what a vendor sealed through a client that speaks another dialect.

The foreign client stores one string it does not understand (``signature`` in Messages, ``encrypted_content`` in Responses,
``thinking_blocks`` in Chat). The string says who made the content, so that it goes back to nobody else. What seals a text or a tool call
travels in the same places, right before the part: ``attached`` puts it back on the part when the conversation returns.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

from openclaw_oauthrouter.canonical.content import Opaque, OpaqueKind, Part, ReasoningPart, TextPart, ToolCallPart
from openclaw_oauthrouter.canonical.json import is_text

PREFIX = "oar1."
"""What every sealed string begins with."""

_KINDS: dict[object, OpaqueKind] = {kind: kind for kind in get_args(OpaqueKind)}
_TEXT = "text"
_CALL = "call:"


def seal(opaque: Opaque, call_id: str | None = None, *, of_text: bool = False) -> str:
    """Wrap what is opaque for a client of another dialect.

    :param call_id: it belongs to this call, not to the reasoning whose place the string takes
    :param of_text: it belongs to a text; see ``attached``
    """
    fields = {"k": opaque.kind, "o": opaque.origin, "d": opaque.data, "i": opaque.item_id}
    part = _TEXT if of_text else None if call_id is None else _CALL + call_id
    if part is not None:
        fields["p"] = part
    return PREFIX + base64.urlsafe_b64encode(json.dumps(fields, ensure_ascii=False).encode()).decode("ascii")


def unseal(text: str) -> Opaque | None:
    """Read what ``seal`` wrote; ``None`` for any other string, a damaged one included."""
    if not text.startswith(PREFIX):
        return None
    try:
        fields = json.loads(base64.urlsafe_b64decode(text[len(PREFIX) :]))
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict):
        return None
    kind, data, origin = _kind(fields.get("k")), fields.get("d"), fields.get("o") or ""
    if kind is None or not is_text(data) or not is_text(origin):
        return None
    item_id, part = fields.get("i"), fields.get("p")
    if not (item_id is None or is_text(item_id)) or not (part is None or is_text(part)):
        return None
    return Opaque(kind, data, origin, item_id, part)


def _kind(word: object) -> OpaqueKind | None:
    return _KINDS.get(word) if isinstance(word, str) else None


def seals_in(opaque: Opaque) -> tuple[str, ...]:
    """The strings that only the maker can have written; a list of details is put together anew by each client, its seals are not."""
    if opaque.kind != "reasoning_details":
        return (opaque.data,)
    try:
        blocks = json.loads(opaque.data)
    except (ValueError, RecursionError):
        return (opaque.data,)
    blocks = blocks if isinstance(blocks, list) else []
    held = (block.get(key) for block in blocks if isinstance(block, dict) for key in ("data", "signature"))
    return tuple(seal for seal in held if is_text(seal) and seal)


def attached(parts: Sequence[Part]) -> tuple[Part, ...]:
    """One message's parts, with what was sealed for a text or a tool call put on it again, and the reasoning that carried it gone.

    What belongs to a part that the client has left out is left out as well.
    """
    if not any(_place(part) for part in parts):
        return tuple(parts)
    kept: list[Part] = []
    carried: list[tuple[Opaque, int]] = []
    for part in parts:
        if isinstance(part, ReasoningPart) and part.opaque is not None and part.opaque.part:
            carried.append((part.opaque, len(kept)))
        else:
            kept.append(part)
    for opaque, position in carried:
        target = _find(kept, opaque.part or "", position)
        sealed = kept[target] if target is not None else None
        if target is not None and isinstance(sealed, (TextPart, ToolCallPart)):
            kept[target] = replace(sealed, opaque=replace(opaque, part=None))
    return tuple(kept)


def _place(part: Part) -> str | None:
    return part.opaque.part if isinstance(part, ReasoningPart) and part.opaque is not None else None


def _find(parts: Sequence[Part], place: str, position: int) -> int | None:
    """The part a place names: a call by its id; a text as the next one, else the last before."""
    if place.startswith(_CALL):
        id_ = place.removeprefix(_CALL)
        return next((at for at, part in enumerate(parts) if isinstance(part, ToolCallPart) and part.id == id_), None)
    texts = [at for at, part in enumerate(parts) if isinstance(part, TextPart)]
    return next((at for at in texts if at >= position), texts[-1] if texts else None)
