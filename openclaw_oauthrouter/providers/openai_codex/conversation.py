"""Names a conversation, so that the backend finds the cache of its earlier turns."""

from __future__ import annotations

import hashlib
import re
from uuid import UUID

from openclaw_oauthrouter.canonical.content import TextPart
from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.request import ChatRequest, Message

MAX_KEY = 64
"""The backend refuses a longer ``prompt_cache_key``."""

SESSION_HEADERS = ("session-id", "session_id", "thread-id", "x-claude-code-session-id", "x-session-id")
"""By which Codex CLI, Claude Code and others say which conversation a request belongs to; the first that is there counts."""

_SESSION_IN_USER = lazily(r"session_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.IGNORECASE)
_NONCE = lazily(r"x-anthropic-billing-header:[^\n]*", re.IGNORECASE)
"""A line of Claude Code's system prompt that differs from session to session, and in some versions from request to request."""


def conversation_of(request: ChatRequest) -> str:
    """The client's own key; else one that stays the same for every turn, because what a conversation begins with does not change."""
    key = named_session(request)
    if isinstance(key, str) and 0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable():
        return key  # it also becomes a header
    beginning = hashlib.sha256((key or "").encode())
    for message in request.messages:
        beginning.update(_words(message).encode())
        if message.role == "user":
            break
    return str(UUID(bytes=beginning.digest()[:16]))


def named_session(request: ChatRequest) -> str | None:
    """The conversation as the client itself names it, in whichever way; ``None`` for a client that does not."""
    if request.prompt_cache_key:
        return request.prompt_cache_key
    named = next((value for name in SESSION_HEADERS if isinstance(value := request.headers.get(name), str) and value), None)
    if named is not None:
        return named
    # Older versions of Claude Code name the session within the user's id only.
    user = (request.decoded or request).user
    found = _SESSION_IN_USER.search(user or "")
    return found[1] if found else None


def _words(message: Message) -> str:
    return message.role + "\n".join(_NONCE.sub("", part.text) for part in message.parts if isinstance(part, TextPart))
