"""The registry of client paths: who answers where, which headers may hold the token, and that none of those travels on."""

from __future__ import annotations

import pytest

from openclaw_oauthrouter.canonical.client_paths import ClientPath
from openclaw_oauthrouter.dialects.plugin import oauthrouter_register_dialects
from openclaw_oauthrouter.errors import ConfigurationError
from openclaw_oauthrouter.interfaces import Dialect
from openclaw_oauthrouter.proxy.client_paths import ClientPaths
from tests.plugins.gemini_clients import GeminiClients

BUILT_IN = list(oauthrouter_register_dialects())
ALL = ClientPaths([*BUILT_IN, GeminiClients()])  # type: ignore[list-item]


class UpstreamOnly:
    name = "upstream_only"


def test_client_paths_every_accepted_token_header_ends_here() -> None:
    assert set(ALL.token_headers) <= set(ALL.never_forwarded)
    assert {"authorization", "x-api-key", "x-openai-api-key", "x-goog-api-key"} == set(ALL.token_headers)
    sent = dict.fromkeys(ALL.token_headers, "secret") | {"anthropic-beta": "x", "cookie": "c"}
    assert ALL.forwarded(sent) == {"anthropic-beta": "x"}


@pytest.mark.parametrize(
    ("path", "dialect", "parameters"),
    [
        ("/v1/chat/completions", "openai_chat_completions", {}),
        ("/v1/responses", "openai_responses", {}),
        ("/v1/messages", "anthropic_messages", {}),
        ("/v1beta/models/gemini-3:generateContent", "gemini_clients", {"model": "gemini-3"}),
        ("/v1beta/models/anthropic/claude-haiku-4-5:generateContent", "gemini_clients", {"model": "anthropic/claude-haiku-4-5"}),
        ("/v1beta/models/a:b:streamGenerateContent", "gemini_clients", {"model": "a:b"}),
    ],
)
def test_find_says_who_answers_and_what_the_path_holds(path: str, dialect: str, parameters: dict[str, str]) -> None:
    found = ALL.find(path)
    assert found is not None
    assert (found[0].name, found[1].parameters) == (dialect, parameters)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/chat/completions/",
        "/v1/messages/count_tokens",
        "/v1beta/models/:generateContent",
        "/v1beta/models/g:countTokens",
        "/",
    ],
)
def test_find_leaves_other_paths_alone(path: str) -> None:
    assert ALL.find(path) is None


def test_dialect_without_paths_is_for_upstreams_only() -> None:
    assert ClientPaths([UpstreamOnly()]).by_pattern == {}  # type: ignore[list-item]


def test_client_paths_two_dialects_on_one_path_are_refused() -> None:
    class Other(UpstreamOnly):
        client_paths = (ClientPath("/v1/messages"),)

    dialects: list[Dialect] = [*BUILT_IN, Other()]  # type: ignore[list-item]
    with pytest.raises(ConfigurationError, match="both answer on /v1/messages"):
        ClientPaths(dialects)
