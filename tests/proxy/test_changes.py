"""The dashboard's changes: shown before, made once, taken back exactly, and by nobody but the owner."""

from __future__ import annotations

import asyncio
import json
import logging
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from openclaw_oauthrouter.credentials.sources.store import FILE_NAME
from tests.proxy.conftest import HASTE
from tests.proxy.editable import CONFIG, NIGHTLY, STORED, make_editable, session
from tests.support.anthropic_streams import MESSAGE
from tests.support.upstream import Play

BUDGET = ["spend_controls", "daily_cost_budget"]
SECRET = "sk-ant-api03-typed-into-the-page-0123456789"
POSTS = (
    "/debug/settings/preview",
    "/debug/settings/apply",
    "/debug/settings/undo",
    "/debug/client-keys/add",
    "/debug/client-keys/remove",
    "/debug/accounts/add",
    "/debug/accounts/test",
    "/debug/accounts/remove",
    "/debug/accounts/put-back",
    "/debug/sign-in",
)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


@pytest.fixture
async def handle(gateway: Any, config: Path) -> Any:
    handle = await gateway(credentials={"order": ["config", "store"]}, providers={"groq": {"api_base": "http://127.0.0.1:9/v1"}})
    make_editable(handle, config)
    return handle


@pytest.fixture
async def page(handle: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with session(handle)() as client:
        yield client


async def version(page: httpx.AsyncClient) -> str:
    return str((await page.get("/debug/settings")).json()["version"])


async def apply(page: httpx.AsyncClient, *changes: dict[str, Any]) -> httpx.Response:
    return await page.post("/debug/settings/apply", json={"version": await version(page), "changes": list(changes)})


def change(key: list[str], value: Any) -> dict[str, Any]:
    return {"key": key, "value": value}


# ------------------------------------------------------------------ what it does


async def test_preview_shows_lines_and_writes_nothing(page: httpx.AsyncClient, config: Path) -> None:
    answer = await page.post("/debug/settings/preview", json={"changes": [change(BUDGET, 2.5)]})
    told = answer.json()
    assert "-daily_cost_budget = 5.0" in told["diff"]
    assert "+daily_cost_budget = 2.5" in told["diff"]
    assert told["settings"] == ["spend_controls.daily_cost_budget: 5.0 -> 2.5"]
    assert config.read_text() == CONFIG


async def test_preview_names_models_that_nobody_serves(page: httpx.AsyncClient) -> None:
    tier = {"primary": "anthropic/claude-hiaku-4-5", "fallback": []}
    answer = await page.post("/debug/settings/preview", json={"changes": [change(["routing", "tiers", "SIMPLE"], tier)]})
    assert [problem["key"] for problem in answer.json()["problems"]] == ["routing.tiers.SIMPLE.primary"]


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        (BUDGET, 2.5, lambda told: told["spend"]["daily_cost_budget"] == 2.5),
        (BUDGET, None, lambda told: told["spend"]["daily_cost_budget"] is None),
        (["spend_controls", "budgets"], [{"period": "hour", "requests": 9}], lambda told: told["spend"]["budgets"] == [{"period": "hour", "requests": 9, "hard": False}]),
        (["routing", "profile"], "quality", lambda told: told["routing"]["profile"] == "quality"),
        (["routing", "aliases", "gpt-4.1"], "groq/x", lambda told: told["routing"]["aliases"]["gpt-4.1"] == "groq/x"),
        (["routing", "aliases", "mine"], None, lambda told: told["routing"]["aliases"] == {}),
        (["routing", "tiers", "SIMPLE"], {"primary": "groq/a", "fallback": ["groq/b"]}, lambda told: [row["model"] for row in told["tiers"]["SIMPLE"]["models"]] == ["groq/a", "groq/b"]),
        (["credentials", "paused"], ["config:groq"], lambda told: told["version"] != ""),
        (["server", "client_keys", "nightly", "daily_cost_budget"], 1.0, lambda told: told["clientKeys"][0]["daily_cost_budget"] == 1.0),
        (["providers", "of-my-own"], {"api_base": "http://127.0.0.1:9/v1"}, lambda told: any(one["name"] == "of-my-own" and one["own"] for one in told["providers"])),
    ],
)  # fmt: skip
async def test_apply_is_in_force_at_once_and_undo_puts_the_very_file_back(
    page: httpx.AsyncClient, config: Path, key: list[str], value: Any, shown: Any
) -> None:
    made = await apply(page, change(key, value))
    assert made.status_code == 200, made.text
    assert shown((await page.get("/debug/settings")).json())
    assert "# kept as it is" in config.read_text()
    undone = await page.post("/debug/settings/undo", json={"name": made.json()["undo"], "version": made.json()["version"]})
    assert undone.status_code == 200
    assert config.read_text() == CONFIG


async def test_add_client_key_shows_its_token_once_and_the_token_works(
    page: httpx.AsyncClient, handle: Any, config: Path
) -> None:
    body = {"name": "alice", "limits": {"daily_request_budget": 5}, "version": await version(page)}
    added = (await page.post("/debug/client-keys/add", json=body)).json()
    assert added["token"] not in added["diff"]
    headers = {"authorization": f"Bearer {added['token']}"}
    async with httpx.AsyncClient(base_url=handle.base_url, headers=headers, trust_env=False) as alice:
        assert (await alice.get("/v1/models")).status_code == 200
        assert added["token"] not in (await page.get("/debug/settings")).text
        removed = await page.post("/debug/client-keys/remove", json={"name": "alice", "version": added["version"]})
        assert removed.status_code == 200
        assert (await alice.get("/v1/models")).status_code == 401
    assert "alice" not in config.read_text()


async def test_add_keeps_a_key_for_its_owner_and_remove_can_be_put_back(page: httpx.AsyncClient, handle: Any) -> None:
    store = handle.live.runtime.settings.home / FILE_NAME
    added = await page.post("/debug/accounts/add", json={"provider": "groq", "secret": SECRET})
    assert added.json() == {"name": "groq:key", "provider": "groq"}
    assert stat.S_IMODE(store.stat().st_mode) == 0o600
    removed = await page.post("/debug/accounts/remove", json={"name": "store:groq:key"})
    assert SECRET not in store.read_text()
    back = {"undo": removed.json()["undo"]}
    assert (await page.post("/debug/accounts/put-back", json=back)).json() == {"name": "groq:key"}
    assert SECRET in store.read_text()
    assert (await page.post("/debug/accounts/put-back", json=back)).status_code == 404


@pytest.mark.parametrize(
    ("plays", "works", "proven"),
    [
        ([Play.json({"data": [{"id": "a"}, {"id": "b"}]}), Play.json({"error": {}}, 401)], True, True),
        ([Play.json({"data": [{"id": "a"}]}), Play.json({"data": [{"id": "a"}]})], True, False),
        ([Play.json({"error": {"message": f"no {SECRET}"}}, 401)], False, False),
    ],
)
async def test_test_asks_for_the_list_of_models_and_quotes_no_secret(
    gateway: Any, scripted: Any, config: Path, plays: list[Play], works: bool, proven: bool
) -> None:
    upstream = await scripted(*plays)
    upstream.models = None
    handle = await gateway(
        providers={"groq": {"api_base": f"{upstream.url}/v1"}}, upstream={**HASTE, "model_lists": {"enabled": False}}
    )
    make_editable(handle, config)
    async with session(handle)() as page:
        answer = await page.post("/debug/accounts/test", json={"provider": "groq", "secret": SECRET})
    told = answer.json()
    assert (told["works"], told["proven"]) == (works, proven), told
    assert SECRET not in answer.text


async def test_changes_paused_account_is_not_asked_even_where_its_key_stands_in_the_file(
    gateway: Any, scripted: Any, config: Path
) -> None:
    upstream = await scripted(Play.json(MESSAGE), Play.json(MESSAGE))
    handle = await gateway(upstream)
    make_editable(handle, config)
    body = {"model": "anthropic/claude-haiku-4-5", "messages": [{"role": "user", "content": "hi"}]}
    owner = {"authorization": f"Bearer {handle.auth_token}"}
    async with session(handle)() as page:
        paused = await apply(page, change(["credentials", "paused"], ["config:anthropic"]))
        assert paused.status_code == 200, paused.text
        refused = await page.post("/v1/chat/completions", json=body, headers=owner)
        assert (refused.status_code, "is paused" in refused.text, len(upstream.seen)) == (503, True, 0), refused.text
        await apply(page, change(["credentials", "paused"], None))
        assert (await page.post("/v1/chat/completions", json=body, headers=owner)).status_code == 200


async def test_changes_page_sends_a_prompt_without_holding_a_token(gateway: Any, scripted: Any, config: Path) -> None:
    upstream = await scripted(Play.json(MESSAGE))
    handle = await gateway(upstream)
    make_editable(handle, config)
    body = {"model": "anthropic/claude-haiku-4-5", "messages": [{"role": "user", "content": "hi"}]}
    for headers, status in (
        ({"cookie": ""}, 401),
        ({"origin": "http://127.0.0.1:1"}, 403),
        ({"x-oauthrouter-change-key": "0"}, 403),
    ):
        async with session(handle)(**headers) as stranger:
            assert (await stranger.post("/debug/try/v1/chat/completions", json=body)).status_code == status
    async with session(handle)() as page:
        assert (await page.post("/debug/try/v1/nothing", json=body)).status_code == 404
        assert (await page.get("/debug/try/v1/chat/completions")).status_code == 405
        answer = await page.post("/debug/try/v1/chat/completions", json=body)
        assert answer.status_code == 200, answer.text
        [event] = (await page.get("/debug/routing-trace?n=1")).json()["events"]
    assert event["userAgent"] == "dashboard"
    assert "cookie" not in upstream.seen[0].headers


# ------------------------------------------------------------------ who may not


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"cookie": ""}, 401),
        ({"cookie": "oauthrouter_session=1.2.3"}, 401),
        ({"cookie": "", "authorization": "Bearer wrong"}, 401),
        ({"cookie": "", "authorization": f"Bearer {NIGHTLY}"}, 403),
        ({"cookie": "", "x-api-key": NIGHTLY}, 403),
        ({"origin": ""}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "http://127.0.0.1:3000"}, 403),
        ({"origin": "http://localhost"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"host": "evil.example"}, 403),
        ({"x-oauthrouter-change-key": ""}, 403),
        ({"x-oauthrouter-change-key": "0" * 64}, 403),
    ],
)
async def test_strangers_change_nothing(handle: Any, config: Path, headers: dict[str, str], status: int) -> None:
    body = {"version": "none", "changes": [change(BUDGET, 999)], "name": "nightly", "provider": "groq", "secret": SECRET}
    async with session(handle)(**headers) as client:
        for path in POSTS:
            answer = await client.post(path, json=body)
            assert answer.status_code == status, (path, answer.text)
            assert answer.json()["error"]["message"]
            assert config.read_text() == CONFIG
    assert not (handle.live.runtime.settings.home / FILE_NAME).exists()


async def test_listed_origins_are_listed_for_models_not_for_changes(gateway: Any, config: Path) -> None:
    handle = await gateway(server={"allowed_origins": ["https://app.example"], "auth_token": "local-test-token", "port": 0})
    make_editable(
        handle, config, CONFIG.replace("[server.client", '[server]\nallowed_origins = ["https://app.example"]\n[server.client')
    )
    async with session(handle)(origin="https://app.example") as app:
        answer = await app.post("/debug/settings/preview", json={"changes": [change(BUDGET, 1)]})
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "foreign_page"


async def test_changes_client_key_opens_no_session(handle: Any) -> None:
    headers = {"authorization": f"Bearer {NIGHTLY}"}
    async with httpx.AsyncClient(base_url=handle.base_url, headers=headers, trust_env=False) as nightly:
        assert (await nightly.post("/debug/dashboard/code")).status_code == 403
        assert (await nightly.get("/debug/settings")).status_code == 403


async def test_changes_session_opens_no_further_one(page: httpx.AsyncClient) -> None:
    assert (await page.post("/debug/dashboard/code")).status_code == 401


async def test_changes_ended_session_changes_nothing(page: httpx.AsyncClient) -> None:
    await page.post("/debug/dashboard/sign-out")
    assert (await page.get("/debug/settings")).status_code == 401


async def test_forms_of_other_pages_are_no_changes(page: httpx.AsyncClient) -> None:
    body = json.dumps({"changes": [change(BUDGET, 1)]})
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        answer = await page.post("/debug/settings/preview", content=body, headers={"content-type": kind})
        assert answer.status_code == 415, kind


async def test_changes_are_not_made_by_get(page: httpx.AsyncClient) -> None:
    for path in POSTS:
        if path != "/debug/sign-in":
            assert (await page.get(path)).status_code == 405


# ------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ([change(["spend_controls", "daily_cost_budgt"], 1)], 400, "unknown_setting"),
        ([change(["nonsense"], 1)], 400, "unknown_setting"),
        ([change([], 1)], 400, "unknown_setting"),
        ([{"key": "routing.profile", "value": "quality"}], 400, None),
        ([{"key": BUDGET, "value": 1, "also": 2}], 400, None),
        ([change(BUDGET, "much")], 400, "invalid_setting"),
        ([change(BUDGET, -3)], 400, "invalid_setting"),
        ([change(["routing", "profile"], "cheap")], 400, "invalid_setting"),
        ([change(["routing", "tiers", "SIMPEL"], {"primary": "a/b"})], 400, "invalid_setting"),
        ([change(["spend_controls", "budgets"], [{"period": "day"}])], 400, "invalid_setting"),
        ([change(["spend_controls", "warn_command"], ["rm", "-rf", "/"])], 403, "by_command_only"),
        ([change(["spend_controls", "warn_url"], "https://evil.example")], 403, "by_command_only"),
        ([change(["providers", "groq", "api_base"], "https://evil.example/v1")], 403, "by_command_only"),
        ([change(["providers", "openai"], {"api_base": "https://evil.example/v1"})], 403, "by_command_only"),
        ([change(["providers", "anthropic", "headers"], {"a": "b"})], 403, "by_command_only"),
        ([change(["server", "auth_token"], "mine-from-now-on-0123456789")], 403, "by_command_only"),
        ([change(["server", "listen_host"], "0.0.0.0")], 403, "by_command_only"),
        ([change(["server", "client_keys", "nightly", "token"], "known-to-me-0123456789abcdef")], 403, "by_command_only"),
        ([change(["credentials", "openai_token_url"], "https://evil.example")], 403, "by_command_only"),
        ([change(["telemetry", "prompts"], True)], 403, "by_command_only"),
        ([], 400, None),
        ([change(BUDGET, 1)] * 60, 400, None),
        ("all of them", 400, None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/debug/settings/preview", "/debug/settings/apply"])
async def test_changes_wrong_changes_are_refused_in_words(
    page: httpx.AsyncClient, config: Path, path: str, changes: Any, status: int, code: str | None
) -> None:
    body = {"changes": changes, **({"version": await version(page)} if path.endswith("apply") else {})}
    answer = await page.post(path, json=body)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["message"]
    assert code is None or answer.json()["error"]["code"] == code
    assert config.read_text() == CONFIG


@pytest.mark.parametrize(
    ("path", "content", "status"),
    [
        ("/debug/settings/preview", b"{", 400),
        ("/debug/settings/preview", b"[]", 400),
        ("/debug/settings/preview", b"", 400),
        ("/debug/settings/preview", b'{"changes": [], "colour": "red"}', 400),
        ("/debug/settings/preview", b'{"changes": "' + b"x" * 70_000 + b'"}', 413),
        ("/debug/accounts/add", b'{"provider": "grok-typo", "secret": "sk-0123456789"}', 400),
        ("/debug/accounts/add", b'{"provider": "groq", "secret": "has blanks in it"}', 400),
        ("/debug/accounts/add", b'{"provider": "groq", "secret": {"deep": 1}}', 400),
        ("/debug/accounts/add", b'{"provider": "groq"}', 400),
        ("/debug/accounts/add", b'{"provider": "openai-codex", "secret": "sk-0123456789"}', 400),
        ("/debug/accounts/remove", b'{"name": "groq:none"}', 404),
        ("/debug/accounts/test", b'{"provider": "groq", "name": "groq:none"}', 404),
        ("/debug/client-keys/add", b'{"name": "nightly", "version": "none"}', 409),
        ("/debug/settings/undo", b'{"name": "settings-00000000000001", "version": "none"}', 409),
    ],
)
async def test_changes_wrong_bodies_are_refused_in_words(page: httpx.AsyncClient, path: str, content: bytes, status: int) -> None:
    answer = await page.post(path, content=content, headers={"content-type": "application/json"})
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["message"]
    for quoted in ("has blanks", "sk-0123456789"):
        assert quoted not in answer.text


@pytest.mark.parametrize(
    ("name", "limits"), [("default", {}), ("a/b", {}), ("x" * 80, {}), ("nightly", {}), ("new", {"token": "mine"})]
)
async def test_changes_wrong_client_keys_are_refused(
    page: httpx.AsyncClient, config: Path, name: str, limits: dict[str, Any]
) -> None:
    body = {"name": name, "limits": limits, "version": await version(page)}
    assert (await page.post("/debug/client-keys/add", json=body)).status_code == 400
    assert config.read_text() == CONFIG


async def test_change_sent_twice_is_made_once(page: httpx.AsyncClient, config: Path) -> None:
    body = {"version": await version(page), "changes": [change(BUDGET, 1.0)]}
    assert (await page.post("/debug/settings/apply", json=body)).status_code == 200
    after = config.read_text()
    again = await page.post("/debug/settings/apply", json=body)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "conflict")
    assert config.read_text() == after


async def test_changes_at_once_are_made_one_and_refused_the_others(page: httpx.AsyncClient, config: Path) -> None:
    seen = await version(page)
    bodies = [{"version": seen, "changes": [change(BUDGET, float(number))]} for number in range(1, 6)]
    answers = await asyncio.gather(*(page.post("/debug/settings/apply", json=body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]


async def test_change_by_hand_meanwhile_is_not_overwritten(page: httpx.AsyncClient, config: Path) -> None:
    body = {"version": await version(page), "changes": [change(BUDGET, 1.0)]}
    config.write_text(CONFIG + "\n# by hand\n")
    assert (await page.post("/debug/settings/apply", json=body)).status_code == 409
    assert config.read_text() == CONFIG + "\n# by hand\n"


async def test_changes_gateway_without_a_file_says_that_it_cannot_be_changed(gateway: Any) -> None:
    handle = await gateway()
    async with session(handle)() as page:
        assert (await page.get("/debug/settings")).json()["readOnly"]
        answer = await page.post("/debug/settings/preview", json={"changes": [change(BUDGET, 1)]})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "read_only")


# ------------------------------------------------------------------ what is never told


async def test_changes_no_answer_and_no_log_holds_a_secret(gateway: Any, config: Path, caplog: pytest.LogCaptureFixture) -> None:
    handle = await gateway(
        providers={"groq": {"api_base": "http://127.0.0.1:9/v1", "api_key": STORED}},
        credentials={"order": ["config", "store"]},
    )
    make_editable(handle, config)
    texts = []
    with caplog.at_level(logging.DEBUG):
        async with session(handle)() as page:
            for path, body in (
                ("/debug/accounts/add", {"provider": "groq", "secret": SECRET}),
                ("/debug/accounts/test", {"provider": "groq"}),
                ("/debug/accounts/remove", {"name": "groq:key"}),
                ("/debug/settings/preview", {"changes": [change(BUDGET, 1)]}),
                ("/debug/settings/apply", {"changes": [change(BUDGET, 1)], "version": await version(page)}),
            ):
                texts.append((await page.post(path, json=body)).text)
            texts.append((await page.get("/debug/settings")).text)
            texts.append((await page.get("/debug/routing-trace")).text)
    texts.append(caplog.text)
    for secret in (STORED, SECRET, NIGHTLY, "local-test-token"):
        assert [text for text in texts if secret in text] == []


async def test_sign_in_answers_a_page_and_how_it_stands(page: httpx.AsyncClient, handle: Any) -> None:
    assert (await page.get("/debug/sign-in")).json()["state"] == "none"
    handle.live.editing.sign_in._port = 0
    begun = await page.post("/debug/sign-in", json={})
    assert begun.json()["url"].startswith("https://auth.openai.com/")
    assert (await page.get("/debug/sign-in")).json()["state"] == "waiting"
    again = await page.post("/debug/sign-in", json={})
    assert (again.status_code, "under way" in again.json()["error"]["message"]) == (400, True)
