"""Local tokens: who they belong to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_oauthrouter.config.server import ClientKeySettings
from openclaw_oauthrouter.errors import ConfigurationError
from openclaw_oauthrouter.policy.client_auth import MOST_TOKEN_CHARACTERS, ClientKeys

HEADERS = ("authorization", "x-api-key", "x-openai-api-key")
KEYS = ClientKeys("main-token", {"ci": ClientKeySettings(token="ci-token", allowlist_models=("claude-haiku-4-5",))}, HEADERS)


@pytest.mark.parametrize(
    ("headers", "client"),
    [
        ({"authorization": "Bearer main-token"}, "default"),
        ({"authorization": "bearer  main-token "}, "default"),
        ({"authorization": "main-token"}, "default"),
        ({"x-api-key": "main-token"}, "default"),
        ({"x-openai-api-key": "ci-token"}, "ci"),
        ({"authorization": "Bearer somebody-else's", "x-api-key": "ci-token"}, "ci"),
        ({"authorization": "Bearer ci-token", "x-api-key": "somebody-else's"}, "ci"),
        ({}, None),
        ({"authorization": ""}, None),
        ({"authorization": "Bearer "}, None),
        ({"authorization": "Bearer main-toke"}, None),
        ({"authorization": "Bearer main-token2"}, None),
        ({"authorization": "Basic main-token"}, None),
        ({"authorization": "Bearer MAIN-TOKEN"}, None),
        ({"x-api-key": "Bearer main-token"}, None),
        ({"cookie": "main-token"}, None),
        ({"x-api-key": "x" * 10_000_000}, None),
        ({"x-api-key": "\ud800"}, None),
    ],
)
def test_whose_token_it_is(headers: dict[str, str], client: str | None) -> None:
    assert KEYS.identify(headers) == client


@given(st.text(max_size=50))
def test_client_auth_no_other_text_gets_in(token: str) -> None:
    assert (KEYS.identify({"x-api-key": token}) is not None) == (token.strip() in ("main-token", "ci-token"))


def test_client_auth_longest_token_works_and_a_longer_one_is_refused() -> None:
    longest = "x" * MOST_TOKEN_CHARACTERS
    assert ClientKeys(longest, {}, HEADERS).identify({"x-api-key": longest}) == "default"
    with pytest.raises(ConfigurationError, match="'default'"):
        ClientKeys(longest + "x", {}, HEADERS)


@pytest.mark.parametrize(
    ("main", "keys", "words"),
    [
        ("", {}, "'default' must have 1 to"),
        ("a", {"ci": ""}, "'ci' must have 1 to"),
        ("a", {"ci": "a"}, "'default' and 'ci' have the same"),
        ("a", {"ci": "b", "laptop": "b"}, "'ci' and 'laptop' have the same"),
        ("a", {"default": "b"}, "main token's own name"),
    ],
)
def test_tokens_that_cannot_tell_clients_apart_are_refused(main: str, keys: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        ClientKeys(main, {name: ClientKeySettings(token=token) for name, token in keys.items()}, HEADERS)


def test_client_auth_it_keeps_no_token() -> None:
    assert b"main-token" not in repr(vars(KEYS)).encode()
