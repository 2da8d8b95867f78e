"""A conversation keeps its model whichever gateway of a team it comes to."""

from __future__ import annotations

import logging

import pytest

from openclaw_oauthrouter.canonical.conversation import CachedPrompt, Conversation
from openclaw_oauthrouter.canonical.routing import Tier
from openclaw_oauthrouter.routing.stickiness import Conversations
from openclaw_oauthrouter.shared_state.conversations import SharedConversations

SONNET = "anthropic/claude-sonnet-4-6"


def memory() -> Conversations:
    return Conversations(lambda: 1000.0, 60.0)


async def test_shared_conversations_what_one_gateway_gave_another_learns(redis_url: str) -> None:
    one, other = (SharedConversations.connect(memory(), redis_url, 60.0) for _ in range(2))
    cached = {SONNET: CachedPrompt(1200, 990.0, 3600.0)}
    told = Conversation(Tier.COMPLEX, SONNET, 1000.0, cached, 4, 2000, 150.5, 300.0, 1, "high", 1, 22)
    one.remember("talk", told)
    await one.close()
    assert other.recall("talk") is None
    await other.fetch("talk")
    assert other.recall("talk") == told
    await other.fetch("another")
    assert other.recall("another") is None
    await other.close()


async def test_shared_conversations_without_the_server_each_goes_by_its_own_memory(caplog: pytest.LogCaptureFixture) -> None:
    alone = SharedConversations.connect(memory(), "redis://127.0.0.1:1/0", 60.0)
    with caplog.at_level(logging.WARNING):
        await alone.fetch("talk")
        alone.remember("talk", Conversation(Tier.SIMPLE, "a/b", 1000.0))
        await alone.fetch("talk")
    assert alone.recall("talk").model == "a/b"
    asked = []
    alone._client.get = lambda key: asked.append(key)
    await alone.fetch("talk")
    assert not asked, "a server that has just failed is left alone for a while"
    await alone.close()
    assert caplog.text.count("cannot be shared") == 1


async def test_shared_conversations_what_somebody_else_wrote_there_is_nobody_s_conversation(redis_url: str) -> None:
    shared = SharedConversations.connect(memory(), redis_url, 60.0)
    for number, value in enumerate(
        (b"x", b"[]", b"[1,2,3]", b'["HUGE","m",1]', b'["SIMPLE","m","many"]', b"{}", b'{"tier":"HUGE","caches":{}}')
    ):
        key = f"damaged-{number}"
        await shared._client.set("{oauthrouter}:conversation:" + key, value)
        await shared.fetch(key)
        assert shared.recall(key) is None
    await shared.close()


async def test_shared_conversations_newer_memory_of_our_own_is_not_overwritten_by_an_older_one(redis_url: str) -> None:
    one, other = (SharedConversations.connect(memory(), redis_url, 60.0) for _ in range(2))
    one.remember("raced", Conversation(Tier.SIMPLE, "a/old", 990.0))
    await one.close()
    other._memory.remember("raced", Conversation(Tier.COMPLEX, "a/new", 1000.0))
    await other.fetch("raced")
    known = other.recall("raced")
    assert known is not None
    assert known.model == "a/new"
    await other.close()
