"""Names a conversation, so that the backend finds the cache of its earlier turns."""

from __future__ import annotations

import hashlib
from uuid import UUID

from openclaw_oauthrouter.canonical.content import TextPart
from openclaw_oauthrouter.canonical.request import ChatRequest, Message

MAX_KEY = 64
"""The backend refuses a longer ``prompt_cache_key``."""


def conversation_of(request: ChatRequest) -> str:
    """The client's own key; else one that stays the same for every turn, because what a conversation begins with does not change."""
    key = request.prompt_cache_key or request.headers.get("session-id")
    if isinstance(key, str) and 0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable():
        return key  # it also becomes a header
    beginning = hashlib.sha256((key or "").encode())
    for message in request.messages:
        beginning.update(_words(message).encode())
        if message.role == "user":
            break
    return str(UUID(bytes=beginning.digest()[:16]))


def _words(message: Message) -> str:
    return message.role + "\n".join(part.text for part in message.parts if isinstance(part, TextPart))
