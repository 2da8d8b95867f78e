"""Lets a conversation keep its model whichever gateway of a team it comes to next."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any

import orjson

from openclaw_oauthrouter.canonical.conversation import Conversation
from openclaw_oauthrouter.interfaces import ConversationMemory
from openclaw_oauthrouter.wire.redis_client import connect_redis

_PREFIX = "{oauthrouter}:conversation:"
_PATIENCE_SECONDS = 0.25
# A hint that comes late is worth less than the answer it would delay.
_PAUSE_SECONDS = 30.0
# A server that has just failed is not asked by every request in turn.

log = logging.getLogger(__name__)


class SharedConversations:
    """A memory that asks Redis before a request is routed and tells it afterwards.

    :param memory: this gateway's own
    :param client: a ``redis.asyncio`` client
    :param idle_seconds: time after which Redis forgets a conversation
    """

    shared = True
    since = 0

    def __init__(self, memory: ConversationMemory, client: Any, idle_seconds: float) -> None:
        self._memory = memory
        self._client = client
        self._idle_seconds = max(1, int(idle_seconds))
        self._writing: set[asyncio.Task[None]] = set()
        self._complained = False
        self._asked_again_at = 0.0

    @classmethod
    def connect(cls, memory: ConversationMemory, url: str, idle_seconds: float) -> SharedConversations:
        """Use the server that ``state_url`` names.

        :raises ConfigurationError: see ``connect_redis``
        """
        return cls(memory, connect_redis(url, seconds=2.0), idle_seconds)

    def recall(self, key: str | None) -> Conversation | None:
        """What the conversation was last given, as far as ``fetch`` has learnt."""
        return self._memory.recall(key)

    def remember(self, key: str | None, conversation: Conversation) -> None:
        """Note what a conversation was given, here and for the others."""
        self._memory.remember(key, conversation)
        if key:
            value = orjson.dumps(conversation.as_json())
            self._keep(self._client.set(_PREFIX + key, value, ex=self._idle_seconds))

    async def fetch(self, key: str | None) -> None:
        """Learn what others have given the conversation; without the server each gateway goes by its own memory."""
        if not key or asyncio.get_running_loop().time() < self._asked_again_at:
            return
        value = await self._quietly(self._asked_for(key))
        try:
            theirs = Conversation.from_json(orjson.loads(value or b""))
            own = self._memory.recall(key)
            if own is None or own.used_at < theirs.used_at:
                self._memory.remember(key, theirs)
        except (ValueError, TypeError, LookupError, AttributeError):
            return  # nobody knows it, or somebody else wrote there

    async def _asked_for(self, key: str) -> bytes | None:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            answer: bytes | None = await self._client.get(_PREFIX + key)
            return answer

    async def close(self) -> None:
        """Let what is being written end, then let go of the server."""
        await asyncio.gather(*self._writing, return_exceptions=True)
        await self._client.aclose()

    def _keep(self, writing: Awaitable[Any]) -> None:
        async def write() -> None:
            await self._quietly(writing)

        task = asyncio.create_task(write())
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _quietly(self, asking: Awaitable[Any]) -> Any:
        from redis.exceptions import RedisError

        try:
            return await asking
        except (RedisError, OSError, TimeoutError) as error:
            self._asked_again_at = asyncio.get_running_loop().time() + _PAUSE_SECONDS
            if not self._complained:
                self._complained = True
                log.warning("conversations cannot be shared: %r", error)
            return None
