"""Carries a vendor's sealed reasoning through a client that speaks another dialect.

The foreign client stores one string it does not understand (``signature`` in Messages, ``encrypted_content`` in Responses,
``thinking_blocks`` in Chat). The string says who made the content, so that it goes back to nobody else.
"""

from __future__ import annotations

import base64
import json

from openclaw_oauthrouter.canonical.content import Opaque
from openclaw_oauthrouter.canonical.json import is_text

_PREFIX = "oar1."
_KINDS = ("signature", "redacted", "encrypted")


def seal(opaque: Opaque) -> str:
    """Wrap opaque reasoning for a client of another dialect."""
    fields = {"k": opaque.kind, "o": opaque.origin, "d": opaque.data, "i": opaque.item_id}
    return _PREFIX + base64.urlsafe_b64encode(json.dumps(fields, ensure_ascii=False).encode()).decode("ascii")


def unseal(text: str) -> Opaque | None:
    """Read what ``seal`` wrote; ``None`` for any other string, a damaged one included."""
    if not text.startswith(_PREFIX):
        return None
    try:
        fields = json.loads(base64.urlsafe_b64decode(text[len(_PREFIX) :]))
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict):
        return None
    kind, data, origin, item_id = fields.get("k"), fields.get("d"), fields.get("o") or "", fields.get("i")
    if kind not in _KINDS or not is_text(data) or not is_text(origin):
        return None
    return Opaque(kind, data, origin, item_id) if item_id is None or is_text(item_id) else None
