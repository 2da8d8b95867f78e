"""A conversation keeps its model whichever gateway of a team it comes to."""

from __future__ import annotations

import logging

import pytest

from openclaw_oauthrouter.canonical.routing import Tier
from openclaw_oauthrouter.routing.conversations import Conversations
from openclaw_oauthrouter.shared.conversations import SharedConversations


def memory() -> Conversations:
    return Conversations(lambda: 1000.0, 60.0)


async def test_what_one_gateway_gave_another_learns(redis_url: str) -> None:
    one, other = (SharedConversations.connect(memory(), redis_url, 60.0) for _ in range(2))
    one.remember("talk", Tier.COMPLEX, "anthropic/claude-sonnet-4-6", 1200)
    await one.close()
    assert other.recall("talk") is None
    await other.fetch("talk")
    known = other.recall("talk")
    assert (known.tier, known.model, known.cached_tokens) == (Tier.COMPLEX, "anthropic/claude-sonnet-4-6", 1200)
    await other.fetch("another")
    assert other.recall("another") is None
    await other.close()


async def test_without_the_server_each_goes_by_its_own_memory(caplog: pytest.LogCaptureFixture) -> None:
    alone = SharedConversations.connect(memory(), "redis://127.0.0.1:1/0", 60.0)
    with caplog.at_level(logging.WARNING):
        await alone.fetch("talk")
        alone.remember("talk", Tier.SIMPLE, "a/b")
        await alone.fetch("talk")
    assert alone.recall("talk").model == "a/b"
    asked = []
    alone._client.get = lambda key: asked.append(key)
    await alone.fetch("talk")
    assert not asked, "a server that has just failed is left alone for a while"
    await alone.close()
    assert caplog.text.count("cannot be shared") == 1


async def test_what_somebody_else_wrote_there_is_nobody_s_conversation(redis_url: str) -> None:
    shared = SharedConversations.connect(memory(), redis_url, 60.0)
    for number, value in enumerate((b"x", b"[]", b"[1,2,3]", b'["HUGE","m",1]', b'["SIMPLE","m","many"]', b"{}")):
        key = f"damaged-{number}"
        await shared._client.set("{oauthrouter}:conversation:" + key, value)
        await shared.fetch(key)
        assert shared.recall(key) is None
    await shared.close()
