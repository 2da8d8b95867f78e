"""Requests to Anthropic: address, headers, authentication, model cards."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from openclaw_oauthrouter.canonical.credential import Credential, Secret
from openclaw_oauthrouter.canonical.request import ChatRequest, EncodedRequest
from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.catalog.models import placed
from openclaw_oauthrouter.config.providers import AnthropicOAuthSettings, ProviderSettings
from openclaw_oauthrouter.providers.anthropic import Anthropic
from openclaw_oauthrouter.providers.anthropic.oauth import PREAMBLE

KEY, TOKEN = "sk-ant-api03-k", "sk-ant-oat01-t"
CHAT = ChatRequest("openai_chat_completions", "auto", ())


def provider(oauth: AnthropicOAuthSettings | None = None, models: tuple[ModelInfo, ...] = (), **settings: Any) -> Anthropic:
    return Anthropic("anthropic", ProviderSettings(**settings), oauth or AnthropicOAuthSettings(), models)


def credential(value: str, header: str | None = None) -> Credential:
    return Credential("c", "anthropic", "api_key", Secret(value), "test", header=header)


def encoded() -> EncodedRequest:
    return EncodedRequest(
        {
            "model": "claude-haiku-4-5",
            "system": [{"type": "text", "text": "S"}],
            "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
            "tools": [{"name": "get_weather", "input_schema": {"type": "object"}}],
        },
        tool_names={"get_weather": "get weather"},
    )


def build(given: Credential | None, request: ChatRequest = CHAT, stream: bool = False, **settings: Any) -> httpx.Request:
    body: dict[str, object] = {"model": "m", "stream": True} if stream else {"model": "m"}
    return provider(**settings).build_request(request, EncodedRequest(body), given)


def test_anthropic_provider_plain_request() -> None:
    request = build(credential(KEY))
    assert (request.method, str(request.url)) == ("POST", "https://api.anthropic.com/v1/messages")
    assert json.loads(request.content) == {"model": "m"}
    assert request.headers["content-type"] == request.headers["accept"] == "application/json"
    assert request.headers["anthropic-version"] == "2023-06-01"
    assert request.headers["x-api-key"] == KEY
    assert "authorization" not in request.headers
    assert "anthropic-beta" not in request.headers


def test_anthropic_provider_stream_is_asked_for() -> None:
    assert build(credential(KEY), stream=True).headers["accept"] == "text/event-stream"


@pytest.mark.parametrize(
    ("base", "url", "origin"),
    [
        ("https://x.example/anthropic", "https://x.example/anthropic/v1/messages", "https://x.example"),
        ("http://127.0.0.1:9/v1", "http://127.0.0.1:9/v1/messages", "http://127.0.0.1:9"),
    ],
)
def test_anthropic_provider_another_address(base: str, url: str, origin: str) -> None:
    assert str(build(credential(KEY), api_base=base).url) == url
    assert provider(api_base=base).origin == origin


WAYS: list[tuple[Credential | None, dict[str, Any], dict[str, str]]] = [
    (credential(KEY), {}, {"x-api-key": KEY}),
    (credential(f"Bearer {KEY}", "Authorization"), {}, {"x-api-key": KEY}),
    (credential("abc", "X-Gateway"), {}, {"x-gateway": "abc"}),
    (credential(TOKEN), {}, {"authorization": f"Bearer {TOKEN}"}),
    (credential(f"bearer {TOKEN}", "Authorization"), {}, {"authorization": f"Bearer {TOKEN}"}),
    (credential(TOKEN, "x-api-key"), {}, {"authorization": f"Bearer {TOKEN}"}),
    (None, {"api_key": KEY}, {"x-api-key": KEY}),
    (None, {"auth_header": f"Bearer {TOKEN}"}, {"authorization": f"Bearer {TOKEN}"}),
    (None, {"headers": {"X-Api-Key": TOKEN}}, {"authorization": f"Bearer {TOKEN}"}),
    (credential(KEY), {"headers": {"Authorization": f"Bearer {TOKEN}"}}, {"x-api-key": KEY}),
    (None, {}, {}),
]


@pytest.mark.parametrize(("given", "settings", "expected"), WAYS)
def test_anthropic_provider_one_way_to_authenticate(
    given: Credential | None, settings: dict[str, Any], expected: dict[str, str]
) -> None:
    headers = build(given, **settings).headers
    assert {name: headers[name] for name in ("x-api-key", "authorization", "x-gateway") if name in headers} == expected
    assert headers.get("x-app") == ("cli" if TOKEN in str(expected) else None)


def test_anthropic_provider_subscription_token_speaks_as_its_client() -> None:
    headers = build(
        credential(TOKEN), ChatRequest("openai_chat_completions", "auto", (), headers={"anthropic-beta": "mine-1"})
    ).headers
    assert headers["user-agent"] == "claude-cli/2.1.2 (external, cli)"
    assert headers["anthropic-dangerous-direct-browser-access"] == "true"
    assert headers["anthropic-beta"].split(",") == [
        "mine-1",
        "claude-code-20250219",
        "oauth-2025-04-20",
        "fine-grained-tool-streaming-2025-05-14",
        "interleaved-thinking-2025-05-14",
    ]


def test_anthropic_provider_each_header_rule_can_be_switched_off() -> None:
    rules = AnthropicOAuthSettings(beta_flags=False, user_agent=False)
    headers = provider(rules).build_request(CHAT, EncodedRequest({}), credential(TOKEN)).headers
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert "anthropic-beta" not in headers
    assert "x-app" not in headers


def test_anthropic_provider_only_headers_that_mean_something_to_the_api_go_along() -> None:
    own = {
        "anthropic-version": "2026-10-21",
        "anthropic-beta": "x-1",
        "x-mine": "1",
        "cookie": "c",
        "x-api-key": "local",
        "accept": "*/*",
    }
    messages = build(credential(KEY), ChatRequest("anthropic_messages", "auto", (), headers=own)).headers
    assert (messages["anthropic-version"], messages["anthropic-beta"]) == ("2026-10-21", "x-1")
    assert (messages["x-api-key"], messages["accept"]) == (KEY, "application/json")
    assert not {"cookie", "x-mine"} & set(messages)
    chat = build(credential(KEY), ChatRequest("openai_chat_completions", "auto", (), headers=own)).headers
    assert chat["anthropic-version"] == "2023-06-01"


def test_configured_headers_win() -> None:
    headers = build(credential(KEY), headers={"Anthropic-Version": "2027-01-01", "X-Team": "a"}).headers
    assert (headers["anthropic-version"], headers["x-team"]) == ("2027-01-01", "a")


def test_anthropic_provider_body_is_adapted_for_subscription_tokens_only() -> None:
    plain = encoded()
    assert provider().prepare(CHAT, plain, credential(KEY)) is plain
    adapted = provider().prepare(CHAT, plain, credential(TOKEN))
    assert adapted.body["system"] == [{"type": "text", "text": PREAMBLE}]
    assert adapted.body["tools"] == [{"name": "GetWeather", "input_schema": {"type": "object"}}]
    assert adapted.tool_names["GetWeather"] == "get weather"
    assert [note.subject for note in adapted.notes] == ["tools"]
    assert plain == encoded()


def test_anthropic_provider_each_body_rule_can_be_switched_off() -> None:
    def adapted(**rules: bool) -> dict[str, Any]:
        return provider(AnthropicOAuthSettings(**rules)).prepare(CHAT, encoded(), credential(TOKEN)).body

    plain = encoded().body
    assert adapted(system_in_messages=False, rename_tools=False) == plain
    assert adapted(system_in_messages=False)["system"] == plain["system"]
    assert adapted(rename_tools=False)["tools"] == plain["tools"]


def test_anthropic_provider_token_in_the_settings_adapts_the_body_too() -> None:
    found = provider(headers={"authorization": f"Bearer {TOKEN}"}).prepare(CHAT, encoded(), None)
    assert found.body["system"] == [{"type": "text", "text": PREAMBLE}]


def test_anthropic_provider_what_a_provider_is() -> None:
    bare, paid = provider(), provider(auth_header=f"Bearer {TOKEN}")
    assert (bare.name, bare.dialect, bare.always_streams) == ("anthropic", "anthropic_messages", False)
    assert (bare.origin, bare.subscription, bare.needs_credential) == ("https://api.anthropic.com", False, True)
    assert (paid.subscription, paid.needs_credential) == (True, False)
    assert provider(subscription=False, auth_header=f"Bearer {TOKEN}").subscription is False
    assert provider(subscription=True).subscription is True


HAIKU = ModelInfo("anthropic", "claude-haiku-4-5", 200_000, 64_000)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("claude-haiku-4-5", HAIKU),
        ("claude-haiku-4.5", HAIKU),
        ("claude-haiku-4-5-20251001", replace(placed(HAIKU), id="claude-haiku-4-5-20251001")),
        ("gpt-5", None),
    ],
)
def test_model_infos(model: str, expected: ModelInfo | None) -> None:
    assert provider(models=(HAIKU,)).model_info(model) == expected
    assert provider(models=(HAIKU,)).models() == (HAIKU,)


def test_model_info_of_an_unlisted_id_is_like_its_nearest_relative() -> None:
    newest = provider(models=(HAIKU,)).model_info("claude-haiku-9")
    assert newest is not None
    assert (newest.name, newest.context_window, newest.generation) == ("anthropic/claude-haiku-9", 200_000, (9,))
    assert provider(models=(HAIKU,)).model_info("claude-unheard-of") == ModelInfo("anthropic", "claude-unheard-of")


@pytest.mark.parametrize(
    ("block", "flags"),
    [("tool_addition", "a-1,mid-conversation-tool-changes-2026-07-01,b-2"), ("text", "a-1,b-2")],
)
def test_anthropic_provider_flag_for_tool_changes_goes_with_tool_changes_only(block: str, flags: str) -> None:
    sent = {"anthropic-beta": "a-1,mid-conversation-tool-changes-2026-07-01,b-2"}
    request = ChatRequest("anthropic_messages", "auto", (), headers=sent)
    body: dict[str, object] = {"model": "m", "messages": [{"role": "system", "content": [{"type": block}]}]}
    built = provider().build_request(request, EncodedRequest(body), credential(KEY))
    assert built.headers["anthropic-beta"] == flags
    alone = ChatRequest("anthropic_messages", "auto", (), headers={"anthropic-beta": "mid-conversation-tool-changes-2026-07-01"})
    built = provider().build_request(alone, EncodedRequest({"messages": [{"role": "system", "content": "x"}]}), credential(KEY))
    assert "anthropic-beta" not in built.headers
