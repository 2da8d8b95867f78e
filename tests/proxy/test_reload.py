"""An edited configuration takes force without dropping a stream; a bad one is refused with the reason."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from pathlib import Path
from typing import Any

import pytest

from openclaw_oauthrouter import hookimpl
from openclaw_oauthrouter.config.loading import load_settings
from openclaw_oauthrouter.edits.edit import ReplaceText
from openclaw_oauthrouter.edits.journal import FileChange, Journal
from openclaw_oauthrouter.proxy.reload import LOOKS_AT_A_CUT_FILE, Reloader
from tests.support.anthropic_streams import MESSAGE, START, TEXT_START, WHOLE_STREAM, text
from tests.support.upstream import Play

CHAT = {"model": "mine", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def written(path: Path, alias: str) -> None:
    path.write_text(f'[routing.aliases]\nmine = "anthropic/{alias}"\n')


async def reloader_for(handle: Any, config: Path) -> Reloader:
    # What the gateway was started with: it stays in force beside the file.
    settings = handle.live.runtime.settings
    overrides = settings.model_dump(include={"home", "providers", "credentials", "server", "upstream"}, exclude_unset=True)
    return Reloader(handle.live, config, lambda: load_settings(config, environ={}, overrides=overrides))


async def test_reload_running_stream_goes_on_while_new_requests_see_the_change(
    gateway: Any, scripted: Any, client: Any, config: Path
) -> None:
    upstream = await scripted(Play([START, TEXT_START, text("Hel"), 0.3, *WHOLE_STREAM[3:]]), Play.json(MESSAGE))
    handle = await gateway(upstream, routing={"aliases": {"mine": "anthropic/claude-haiku-4-5"}})
    http = await client(handle)
    running = asyncio.create_task(http.post("/v1/chat/completions", json={**CHAT, "stream": True}))
    await upstream.arrived()
    written(config, "claude-opus-4-6")
    assert (await reloader_for(handle, config)).reload()
    await http.post("/v1/chat/completions", json=CHAT)
    assert upstream.seen[1].body["model"] == "claude-opus-4-6"
    assert "[DONE]" in (await running).text


async def test_reload_bad_file_is_refused_and_the_old_one_stays(
    gateway: Any, scripted: Any, client: Any, config: Path, caplog: pytest.LogCaptureFixture
) -> None:
    upstream = await scripted(Play.json(MESSAGE))
    handle = await gateway(upstream, routing={"aliases": {"mine": "anthropic/claude-haiku-4-5"}})
    config.write_text("[routing]\naliasses = 3\n")
    with caplog.at_level(logging.ERROR):
        assert not (await reloader_for(handle, config)).reload()
    assert "did you mean 'aliases'" in caplog.text
    await (await client(handle)).post("/v1/chat/completions", json=CHAT)
    assert upstream.seen[0].body["model"] == "claude-haiku-4-5"


async def test_reload_edit_is_noticed(gateway: Any, scripted: Any, config: Path) -> None:
    handle = await gateway(await scripted(Play.json(MESSAGE)))
    before = handle.live.runtime
    watching = asyncio.create_task((await reloader_for(handle, config)).watch())
    await asyncio.sleep(0.05)
    written(config, "claude-opus-4-6")
    async with asyncio.timeout(10):
        while handle.live.runtime is before:
            await asyncio.sleep(0.05)
    watching.cancel()
    assert handle.live.runtime.settings.routing.aliases == {"mine": "anthropic/claude-opus-4-6"}
    assert handle.live.runtime.persistent is before.persistent


REFUSED_EDITS = {
    "the main token's own name": '[server.client_keys.default]\ntoken = "another-token"\n',
    "a token used twice": '[server.client_keys.me]\ntoken = "same-token"\n[server.client_keys.you]\ntoken = "same-token"\n',
    "nested too deeply": f"routing = {'[' * 5000}{']' * 5000}\n",
}


@pytest.mark.parametrize("edit", REFUSED_EDITS.values(), ids=REFUSED_EDITS)
async def test_reload_refused_edit_changes_nothing_at_all_and_the_next_one_is_read(
    gateway: Any, scripted: Any, client: Any, config: Path, edit: str, caplog: pytest.LogCaptureFixture
) -> None:
    upstream = await scripted(Play.json(MESSAGE))
    handle = await gateway(upstream, routing={"aliases": {"mine": "anthropic/claude-haiku-4-5"}})
    http, before = await client(handle), handle.live.runtime
    watching = asyncio.create_task((await reloader_for(handle, config)).watch())
    await asyncio.sleep(0.05)
    config.write_text(edit)
    async with asyncio.timeout(10):
        while "was not reloaded" not in caplog.text:
            await asyncio.sleep(0.05)
    assert handle.live.runtime is before
    assert (await http.get("/v1/models")).status_code == 200
    assert (await http.post("/v1/chat/completions", json=CHAT)).status_code == 200
    written(config, "claude-opus-4-6")
    async with asyncio.timeout(10):
        while handle.live.runtime is before:
            await asyncio.sleep(0.05)
    watching.cancel()


async def test_reload_plugin_that_fails_at_a_reload_is_logged_and_the_old_configuration_stays(
    gateway: Any, config: Path, caplog: pytest.LogCaptureFixture
) -> None:
    asked = 0

    class Fragile:
        @hookimpl
        def oauthrouter_register_budgets(self) -> list[Any]:
            nonlocal asked
            asked += 1
            if asked > 1:
                raise KeyError("at the second time")
            return []

    handle = await gateway(plugins=[Fragile()])
    before = handle.live.runtime
    written(config, "claude-opus-4-6")
    assert not (await reloader_for(handle, config)).reload()
    assert handle.live.runtime is before
    assert "at the second time" in caplog.text


async def test_reload_short_token_is_refused_where_other_machines_can_come_in(
    gateway: Any, client: Any, config: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config.write_text("")
    handle = await gateway(auth_token="a-token-that-nobody-guesses", listen_host="0.0.0.0")
    reloader = Reloader(handle.live, config, lambda: load_settings(config, environ={}))
    # The address stays the one the gateway is bound to, whatever the file has come to say.
    config.write_text('[server]\nlisten_host = "127.0.0.1"\n')
    assert reloader.reload()
    assert "server.listen_host" in caplog.text
    config.write_text('[server]\nlisten_host = "127.0.0.1"\n[server.client_keys.guest]\ntoken = "abc"\n')
    assert not reloader.reload()
    assert "server.client_keys.guest.token" in caplog.text
    http = await client(handle)
    assert (await http.get("/v1/models", headers={"authorization": "Bearer abc"})).status_code == 401


async def test_reload_request_outside_the_model_paths_ends_under_the_configuration_it_began_with(
    gateway: Any, scripted: Any, client: Any, config: Path
) -> None:
    answer = {"object": "list", "data": [], "usage": {"prompt_tokens": 5, "total_tokens": 5}}
    slow = Play([0.3, json.dumps(answer).encode()], content_type="application/json")
    upstream = await scripted(slow)
    handle = await gateway(providers={"openai": {"api_base": upstream.url, "api_key": "sk-test"}})
    http = await client(handle)
    running = asyncio.create_task(http.post("/v1/embeddings", json={"model": "openai/e", "input": "a"}))
    await upstream.arrived()
    written(config, "claude-opus-4-6")
    assert (await reloader_for(handle, config)).reload()
    done = await running
    assert (done.status_code, done.json()) == (200, answer)
    used = (await http.get("/debug/spend")).json()["periods"]["day"]["used"]
    assert used["model:openai/e"]["requests"] == 1


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/embeddings"])
async def test_reload_new_bound_on_bodies_holds_on_every_path(
    path: str, gateway: Any, scripted: Any, client: Any, config: Path
) -> None:
    handle = await gateway(await scripted(Play.json(MESSAGE)))
    http = await client(handle)
    body = {"model": "nobody/nothing", "messages": [], "input": "x" * 3000}
    assert (await http.post(path, json=body)).status_code in (400, 404)
    config.write_text("[server]\nmax_body_bytes = 2000\n")
    assert (await reloader_for(handle, config)).reload()
    assert (await http.post(path, json=body)).status_code == 413


LIMITS = '[spend_controls]\ndaily_request_budget = 7\n[server.client_keys.alice]\ntoken = "a-token-of-alices"\n'


@pytest.fixture
async def limited(gateway: Any, scripted: Any, config: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A gateway whose limits come from its file, watched quickly."""
    monkeypatch.setattr("openclaw_oauthrouter.proxy.reload.CHECK_SECONDS", 0.2)
    handle = await gateway(await scripted(Play.json(MESSAGE)))
    config.write_text(LIMITS)
    reloader = await reloader_for(handle, config)
    assert reloader.reload()
    watching = asyncio.create_task(reloader.watch())
    yield handle
    watching.cancel()


ABSENT = {
    "emptied": lambda config: config.write_text(""),
    "only a comment": lambda config: config.write_text("# nothing\n\n"),
    "removed": lambda config: config.unlink(),
    "its folder moved": lambda config: config.rename(config.with_suffix(".old")),
    "byte order mark": lambda config: config.write_bytes(b"\xef\xbb\xbf" + config.read_bytes()),
    "utf-16": lambda config: config.write_bytes(config.read_text().encode("utf-16")),
    "torn in a line": lambda config: config.write_text(LIMITS[:-5]),
    "a folder in its place": lambda config: (config.unlink(), config.mkdir()),
    "a pipe in its place": lambda config: (config.unlink(), os.mkfifo(config)),
    "a device in its place": lambda config: (config.unlink(), config.symlink_to("/dev/zero")),
    "a link to nothing": lambda config: (config.unlink(), config.symlink_to("nothing")),
    "noughts": lambda config: config.write_bytes(bytes(len(LIMITS))),
}


@pytest.mark.parametrize("how", ABSENT)
async def test_file_that_is_not_there_any_more_changes_nothing(
    how: str, limited: Any, client: Any, config: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = limited.live.runtime
    ABSENT[how](config)
    async with asyncio.timeout(10):
        while limited.live.config_problem is None:
            await asyncio.sleep(0.05)
    assert limited.live.runtime is before
    assert limited.live.runtime.settings.spend_controls.daily_request_budget == 7
    assert "was not reloaded" in caplog.text
    shown = (await (await client(limited)).get("/debug/gateway")).json()
    assert shown["configProblem"] == limited.live.config_problem
    if config.is_dir():
        config.rmdir()
    elif not config.is_file() or config.is_symlink():
        config.unlink(missing_ok=True)
    config.write_text(LIMITS.replace("7", "8"))
    async with asyncio.timeout(10):
        while limited.live.runtime is before:
            await asyncio.sleep(0.05)
    assert limited.live.config_problem is None


async def test_file_that_is_being_written_is_not_read_in_the_middle(limited: Any, config: Path) -> None:
    before = limited.live.runtime
    whole = LIMITS + "[routing]\nsticky = false\n"
    for end in (17, 42, 17):  # each a file that could stand
        config.write_text(whole[:end])
        await asyncio.sleep(0.5)
        assert limited.live.runtime is before
    config.write_text(whole)
    async with asyncio.timeout(10):
        while limited.live.runtime is before:
            await asyncio.sleep(0.05)
    assert limited.live.runtime.settings.spend_controls.daily_request_budget == 7


async def test_reload_says_what_changed_without_a_secret(limited: Any, config: Path, caplog: pytest.LogCaptureFixture) -> None:
    before = limited.live.runtime
    config.write_text('[server.client_keys.bob]\ntoken = "a-token-of-bobs"\n')
    async with asyncio.timeout(10):
        while limited.live.runtime is before:
            await asyncio.sleep(0.05)
    assert "spend_controls.daily_request_budget: 7 -> None" in caplog.text
    assert "server.client_keys.alice.token" in caplog.text
    assert "server.client_keys.bob.token: new" in caplog.text
    assert "a-token-of" not in caplog.text


KEY = '[server.client_keys.ann]\ntoken = "a-token-of-sixteen-letters"\n'
REST = '[routing.aliases]\nmine = "anthropic/claude-opus-4-6"\n'


def by_command(handle: Any, path: Path, after: str | None) -> None:
    """What a command, the dashboard or an undoing makes of the file."""
    before = path.read_text() if path.exists() else None
    journal = Journal(handle.live.runtime.settings.home / "changes")
    journal.make(FileChange("settings-1", path, before, after, before, (ReplaceText(text=after),) if after is not None else ()))


@pytest.mark.parametrize(
    ("before", "after"),
    [(KEY, ""), (KEY, "# nothing\n"), (KEY, None), (REST + KEY, REST)],
    ids=["last setting", "comments stay", "no file any more", "end of the file"],
)
async def test_reload_key_that_a_command_removes_is_worth_nothing_whatever_stays_of_the_file(
    before: str, after: str | None, gateway: Any, scripted: Any, config: Path
) -> None:
    handle = await gateway(await scripted(Play.json(MESSAGE)))
    settings = handle.live.runtime.settings
    overrides = settings.model_dump(include={"home", "providers", "credentials", "upstream"}, exclude_unset=True)
    server = {"auth_token": handle.auth_token, "port": 0}
    load = lambda: load_settings(config if config.exists() else None, environ={}, overrides=overrides | {"server": server})  # noqa: E731
    reloader = Reloader(handle.live, config, load, hang_up=False)
    by_command(handle, config, before)
    assert reloader.reload()
    assert list(handle.live.runtime.settings.server.client_keys) == ["ann"]
    by_command(handle, config, after)
    assert reloader._looks_needed() == 1
    assert reloader.reload()
    assert handle.live.runtime.settings.server.client_keys == {}
    assert handle.live.config_problem is None


@pytest.mark.parametrize("cut", [b"", REST.encode()], ids=["emptied", "cut off"])
async def test_reload_what_a_command_once_wrote_is_not_meant_when_somebody_else_leaves_it(
    cut: bytes, gateway: Any, scripted: Any, config: Path
) -> None:
    handle = await gateway(await scripted(Play.json(MESSAGE)))
    reloader = await reloader_for(handle, config)
    by_command(handle, config, cut.decode())
    reloader.reload()
    written(config, "claude-haiku-4-5")
    config.write_text(config.read_text() if not cut else REST + "[routing]\nsticky = true\n")
    assert reloader.reload()
    config.write_bytes(cut)
    assert reloader._looks_needed() == (LOOKS_AT_A_CUT_FILE if cut else 1)
    if not cut:
        assert not reloader.reload()
