"""How conversations are recognised and forgotten."""

from __future__ import annotations

import pytest

from openclaw_oauthrouter.canonical.content import BlobPart, TextPart
from openclaw_oauthrouter.canonical.conversation import CachedPrompt, Conversation
from openclaw_oauthrouter.canonical.request import ChatRequest, Message
from openclaw_oauthrouter.canonical.routing import Tier
from openclaw_oauthrouter.routing.stickiness import SESSION_HEADERS, Conversations, conversation_key


def said(*words: str, system: str = "", **fields: object) -> ChatRequest:
    system_message = (Message("system", (TextPart(system),)),) if system else ()
    turns = tuple(Message("user", (TextPart(word),)) for word in words)
    return ChatRequest("openai_chat_completions", "auto", system_message + turns, **fields)  # type: ignore[arg-type]


def test_the_first_words_name_a_conversation_however_long_it_grows() -> None:
    assert conversation_key(said("hi"), "me") == conversation_key(said("hi", "and then"), "me")
    assert conversation_key(said("hi", system="now: 10:00"), "me") == conversation_key(said("hi", system="now: 10:01"), "me")
    assert conversation_key(said("hi"), "me") != conversation_key(said("ho"), "me")
    assert conversation_key(said("hi"), "me") != conversation_key(said("hi"), "you")


@pytest.mark.parametrize("header", SESSION_HEADERS)
def test_a_session_header_names_it_better(header: str) -> None:
    one, other = (said(words, headers={header: "s-1"}) for words in ("hi", "ho"))
    assert conversation_key(one, None) == conversation_key(other, None)
    assert conversation_key(one, None) != conversation_key(said("hi", headers={header: "s-2"}), None)


def test_a_cache_key_names_it_too_and_headers_win() -> None:
    assert conversation_key(said("hi", prompt_cache_key="k"), None) == conversation_key(said("ho", prompt_cache_key="k"), None)
    both = said("hi", prompt_cache_key="k", headers={"session-id": "s"})
    assert conversation_key(both, None) == conversation_key(said("ho", headers={"session-id": "s"}), None)


def test_a_key_tells_nothing_and_a_request_without_words_has_none() -> None:
    key = conversation_key(said("my secret plan"), "me")
    assert key is not None
    assert "secret" not in key
    assert conversation_key(ChatRequest("x", "auto", (Message("user", (BlobPart("image", "image/png", "x"),)),)), "me") is None
    assert conversation_key(ChatRequest("x", "auto", ()), "me") is None


def test_conversations_are_forgotten_after_an_idle_time() -> None:
    now = 100.0
    conversations = Conversations(lambda: now, idle_seconds=60)
    known_then = Conversation(Tier.MEDIUM, "alpha/small", now, {"alpha/small": CachedPrompt(5, now)})
    conversations.remember("k", known_then)
    conversations.remember(None, known_then)
    now = 160.0
    known = conversations.recall("k")
    assert known is not None
    assert (known.tier, known.model, known.cached_tokens) == (Tier.MEDIUM, "alpha/small", 5)
    now = 160.1
    assert conversations.recall("k") is None
    assert conversations.recall(None) is None
    assert conversations.recall("other") is None


def test_the_longest_unused_goes_first() -> None:
    conversations = Conversations(lambda: 0.0, idle_seconds=60, capacity=2)
    for key in ("a", "b", "a", "c"):
        conversations.remember(key, Conversation(Tier.SIMPLE, "alpha/small", 0.0))
    assert conversations.recall("b") is None
    assert conversations.recall("a") is not None
    assert conversations.recall("c") is not None
