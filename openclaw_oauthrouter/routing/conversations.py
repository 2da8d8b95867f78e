"""Remembers what each conversation was last given, so that it keeps its model while that is cheaper or needed.

Conversations are recognised by what clients send anyway: a session id where there is one, else the client, and the user's first words.
Tool-call ids are no help, hosts rewrite them.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.content import TextPart
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.routing import Tier

SESSION_HEADERS = (
    "x-oauthrouter-session",
    "x-session-id",
    "session-id",
    "session_id",
    "x-claude-code-session-id",
    "x-openclaw-session-id",
)


@dataclass(slots=True)
class Conversation:
    """What one conversation was last given.

    :ivar cached_tokens: prompt tokens its provider has in its cache
    """

    tier: Tier
    model: str
    used_at: float
    cached_tokens: int = 0


class Conversations:
    """The most recent conversations, forgotten after an idle time."""

    def __init__(self, clock: Clock, idle_seconds: float, capacity: int = 4096) -> None:
        self._clock = clock
        self._idle_seconds = idle_seconds
        self._capacity = capacity
        self._known: OrderedDict[str, Conversation] = OrderedDict()

    def recall(self, key: str | None) -> Conversation | None:
        """What the conversation was last given, unless that is too long ago."""
        known = self._known.get(key) if key else None
        if known is None or self._clock() - known.used_at > self._idle_seconds:
            return None
        return known

    async def fetch(self, key: str | None) -> None:
        """Nothing to learn: this memory is the only one. (``shared.conversations`` asks the others here.)"""

    def remember(self, key: str | None, tier: Tier, model: str, cached_tokens: int = 0) -> None:
        """Note what a conversation was given."""
        if not key:
            return
        self._known[key] = Conversation(tier, model, self._clock(), cached_tokens)
        self._known.move_to_end(key)
        while len(self._known) > self._capacity:
            self._known.popitem(last=False)


def conversation_key(request: ChatRequest, client: str | None) -> str | None:
    """A stable, unreadable name of the request's conversation; ``None`` for an empty request."""
    named = next((str(request.headers[name]) for name in SESSION_HEADERS if request.headers.get(name)), None)
    named = named or request.prompt_cache_key
    text = f"s\0{named}" if named else f"w\0{_first_words(request)}"
    if text == "w\0":
        return None
    return hashlib.blake2b(f"{client}\0{text}".encode("utf-8", "replace"), digest_size=12).hexdigest()


def _first_words(request: ChatRequest) -> str:
    for message in request.messages:
        if message.role == "user":
            words = "\0".join(part.text[:2000] for part in message.parts if isinstance(part, TextPart))
            if words:
                return words
    return ""
