"""The ChatGPT plan's backend: what is sent there, header by header and field by field."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
import pytest

from openclaw_oauthrouter import __version__
from openclaw_oauthrouter.canonical.credential import Credential, Secret
from openclaw_oauthrouter.canonical.request import ChatRequest, EncodedRequest
from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.catalog.models import described
from openclaw_oauthrouter.config.providers import ProviderSettings
from openclaw_oauthrouter.dialects.openai_responses import OpenAIResponses
from openclaw_oauthrouter.providers.openai_codex import OpenAICodex
from tests.support.responses import assistant, foreign, from_client, make_dialect, system, user

CARD = ModelInfo("openai-codex", "gpt-5.6-sol", context_window=1000)


def token(**claims: Any) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJub25lIn0.{payload}.c2ln"


TOKEN = token(**{"https://api.openai.com/auth": {"chatgpt_account_id": "acct-1"}})


def credential(secret: str = TOKEN, **fields: Any) -> Credential:
    return Credential("codex:main", "openai-codex", "oauth", Secret(secret), "store", **fields)


def make_provider(**settings: Any) -> OpenAICodex:
    return OpenAICodex("openai-codex", ProviderSettings(**settings), (CARD,))


def prepare(request: ChatRequest, **settings: Any) -> EncodedRequest:
    encoded = make_dialect().encode_request(request, CARD)
    return make_provider(**settings).prepare(request, encoded, None)


def body_of(request: ChatRequest) -> dict[str, Any]:
    return dict(prepare(request).body)


def notes_of(request: ChatRequest) -> set[str]:
    return {note.subject for note in prepare(request).notes}


BASE = {
    "model": "gpt-5.6-sol",
    "instructions": "You are a helpful assistant.",
    "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}],
    "include": ["reasoning.encrypted_content"],
    "text": {"verbosity": "medium"},
    "store": False,
    "stream": True,
}
FUNCTION = {
    "type": "function",
    "name": "f",
    "parameters": {"type": "object", "properties": {}, "required": [], "additionalProperties": False},
}


@pytest.mark.parametrize(
    ("body", "prepared"),
    [
        ({}, {}),
        ({"instructions": "be brief"}, {"instructions": "be brief"}),
        ({"store": True, "stream": False}, {}),
        ({"text": {"verbosity": "low"}}, {"text": {"verbosity": "low"}}),
        ({"text": {"format": {"type": "text"}}}, {"text": {"format": {"type": "text"}, "verbosity": "medium"}}),
        ({"reasoning": {"effort": "minimal", "summary": "auto"}}, {"reasoning": {"effort": "low", "summary": "auto"}}),
        ({"reasoning": {"effort": "xhigh"}}, {"reasoning": {"effort": "xhigh"}}),
        ({"service_tier": "fast"}, {"service_tier": "priority"}),
        ({"service_tier": "flex"}, {}),
        ({"service_tier": "auto"}, {}),
        ({"prompt_cache_key": "k"}, {"prompt_cache_key": "k"}),
        ({"client_metadata": {"a": "b"}}, {"client_metadata": {"a": "b"}}),
        (
            {"tools": [FUNCTION, {"type": "web_search"}]},
            {"tools": [{**FUNCTION, "strict": None}, {"type": "web_search"}], "tool_choice": "auto", "parallel_tool_calls": True},
        ),
        (
            {"tools": [{**FUNCTION, "strict": True}], "tool_choice": "required", "parallel_tool_calls": False},
            {"tools": [{**FUNCTION, "strict": True}], "tool_choice": "required", "parallel_tool_calls": False},
        ),
    ],
)
def test_relayed_body(body: dict[str, Any], prepared: dict[str, Any]) -> None:
    assert body_of(from_client(**body)) == BASE | prepared


def test_reasoning_that_is_not_sealed_is_left_out() -> None:
    words = BASE["input"][0]
    request = from_client(input=[{"type": "reasoning", "id": "rs_0", "summary": []}, words])
    assert body_of(request)["input"] == [words]
    assert notes_of(request) == {"reasoning"}


@pytest.mark.parametrize(
    "field",
    [
        {"max_output_tokens": 100},
        {"temperature": 0.5},
        {"top_p": 0.5},
        {"user": "u"},
        {"metadata": {}},
        {"safety_identifier": "s"},
        {"prompt_cache_retention": "24h"},
        {"prompt_cache_options": {}},
        {"truncation": "auto"},
        {"context_management": []},
        {"max_tool_calls": 3},
        {"top_logprobs": 2},
        {"include": ["message.output_text.logprobs"]},
        {"service_tier": "flex"},
        {"invented_tomorrow": 1},
    ],
)
def test_provider_what_the_backend_refuses_is_left_out_and_noted(field: dict[str, Any]) -> None:
    assert body_of(from_client(**field)) == BASE
    assert notes_of(from_client(**field)) == set(field)


def test_fields_that_are_null_are_left_out_in_silence() -> None:
    assert body_of(from_client(temperature=None, metadata=None)) == BASE
    assert notes_of(from_client(temperature=None, metadata=None)) == set()


def test_system_messages_among_the_items_become_developer_ones() -> None:
    items = [{"role": "system", "content": "a"}, {"type": "message", "role": "user", "content": "hi"}]
    assert body_of(from_client(input=items))["input"] == [{"role": "developer", "content": "a"}, items[1]]


def test_provider_request_of_another_dialect() -> None:
    request = foreign(system("be brief"), user("hi"), temperature=0.1, max_output_tokens=9, stop=("END",))
    assert body_of(request) == BASE | {"instructions": "be brief"}
    assert notes_of(request) == {"temperature", "max_output_tokens", "stop"}


def test_provider_configured_field_list_replaces_ours() -> None:
    request = from_client(truncation="auto")
    body = prepare(request, allowed_fields=("model", "input", "stream", "truncation")).body
    assert set(body) == {"model", "input", "stream", "truncation"}


def test_provider_encoded_body_of_the_caller_is_not_touched() -> None:
    request = from_client(tools=[FUNCTION], input=[{"role": "system", "content": "a"}])
    before = orjson.dumps(request.body)
    prepare(request)
    assert orjson.dumps(request.body) == before


def test_headers() -> None:
    request = from_client(prompt_cache_key="thread-1")
    sent = make_provider().build_request(request, prepare(request), credential())
    assert str(sent.url) == "https://chatgpt.com/backend-api/codex/responses"
    assert sent.method == "POST"
    expected = {
        "authorization": f"Bearer {TOKEN}",
        "chatgpt-account-id": "acct-1",
        "openai-beta": "responses=experimental",
        "originator": "openclaw_oauthrouter",
        "accept": "text/event-stream",
        "content-type": "application/json",
        "user-agent": f"openclaw-oauthrouter/{__version__}",
        "session-id": "thread-1",
    }
    assert expected.items() <= dict(sent.headers).items()
    assert json.loads(sent.content) == prepare(request).body


@pytest.mark.parametrize(
    ("settings", "given", "headers", "absent"),
    [
        ({}, credential("opaque"), {"authorization": "Bearer opaque"}, "chatgpt-account-id"),
        ({}, credential("opaque", account_id="acct-9"), {"chatgpt-account-id": "acct-9"}, "x-api-key"),
        ({}, credential("v", header="X-Gate"), {"x-gate": "v"}, "authorization"),
        ({"auth_header": {"name": "X-Gate", "value": "v"}}, None, {"x-gate": "v"}, "authorization"),
        ({"headers": {"Originator": "mine"}}, credential(), {"originator": "mine"}, "x-api-key"),
        ({}, None, {}, "authorization"),
    ],
)
def test_authentication(settings: dict[str, Any], given: Credential | None, headers: dict[str, str], absent: str) -> None:
    request = from_client()
    sent = make_provider(**settings).build_request(request, prepare(request), given)
    assert headers.items() <= dict(sent.headers).items()
    assert absent not in sent.headers


@pytest.mark.parametrize(
    ("settings", "needed"),
    [({}, True), ({"auth_header": "Bearer x"}, False), ({"headers": {"Authorization": "Bearer x"}}, False)],
)
def test_provider_credential_is_needed_unless_the_settings_hold_one(settings: dict[str, Any], needed: bool) -> None:
    assert make_provider(**settings).needs_credential is needed


def _session(request: ChatRequest) -> str:
    return make_provider().build_request(request, prepare(request), None).headers["session-id"]


def test_provider_conversation_keeps_its_session_from_turn_to_turn() -> None:
    first = foreign(system("a"), user("hi"))
    later = foreign(system("a"), user("hi"), assistant("yo"), user("more"))
    assert _session(first) == _session(later)
    assert len({_session(first), _session(foreign(system("b"), user("hi"))), _session(foreign(system("a"), user("hello")))}) == 3
    assert "prompt_cache_key" not in body_of(first)  # the header says it


@pytest.mark.parametrize(
    ("headers", "user_id", "session"),
    [
        ({"x-claude-code-session-id": "3f8a1c5e-0d2b-4a7c-9e61-5b4c3d2e1f00"}, None, "3f8a1c5e-0d2b-4a7c-9e61-5b4c3d2e1f00"),
        ({"session-id": "s-1", "x-claude-code-session-id": "s-2"}, None, "s-1"),
        ({}, "user_ab_account__session_3f8a1c5e-0d2b-4a7c-9e61-5b4c3d2e1f00", "3f8a1c5e-0d2b-4a7c-9e61-5b4c3d2e1f00"),
    ],
)
def test_session_that_claude_code_names_is_the_cache_key(headers: dict[str, str], user_id: str | None, session: str) -> None:
    request = replace(foreign(user("hi")), headers=headers, user=user_id)
    assert _session(request) == session
    assert prepare(request).body["prompt_cache_key"] == session


def test_session_does_not_change_with_claude_codes_nonce() -> None:
    said = "x-anthropic-billing-header: cc_version=2.1.330.77d; cch={};"
    first, second = (foreign(system(said.format(nonce)), system("Be careful."), user("hi")) for nonce in ("18bd1", "c2040"))
    assert _session(first) == _session(second)
    assert _session(first) != _session(foreign(system("Be careless."), user("hi")))


def test_provider_client_s_own_session_wins_and_is_kept_short() -> None:
    assert _session(replace(from_client(), headers={"session-id": "s-1"})) == "s-1"
    long = from_client(prompt_cache_key="k" * 65)
    assert len(_session(long)) <= 64
    assert body_of(long)["prompt_cache_key"] == _session(long)
    assert _session(long) != _session(from_client(prompt_cache_key="j" * 65))


@pytest.mark.parametrize(
    ("model", "info"),
    [
        ("gpt-5.6-sol", CARD),
        ("gpt-9-unheard-of", described("openai-codex", "gpt-9-unheard-of", [CARD])),
        ("codex-mini-latest", ModelInfo("openai-codex", "codex-mini-latest")),
        ("claude-haiku-4-5", None),
        ("gpt-", None),
    ],
)
def test_model_infos(model: str, info: ModelInfo | None) -> None:
    assert make_provider().model_info(model) == info


def test_provider_what_it_is() -> None:
    provider = make_provider(api_base="http://127.0.0.1:9/codex")
    assert (provider.name, provider.dialect, provider.origin) == ("openai-codex", OpenAIResponses.name, "http://127.0.0.1:9")
    assert (provider.always_streams, provider.subscription) == (True, True)
    assert list(provider.models()) == [CARD]
    sent = provider.build_request(from_client(), EncodedRequest({}), None)
    assert str(sent.url) == "http://127.0.0.1:9/codex/backend-api/codex/responses"


def test_provider_no_secret_shows_in_the_request_s_text() -> None:
    assert TOKEN not in repr(make_provider().build_request(from_client(), EncodedRequest({}), credential()))


@pytest.mark.parametrize("key", ["проект", "a\nb", "\x00"])
def test_provider_key_that_no_header_may_hold_is_not_taken_as_it_is(key: str) -> None:
    named, other = (_session(replace(from_client(), prompt_cache_key=word)) for word in (key, key + "x"))
    assert UUID(named) != UUID(other)
