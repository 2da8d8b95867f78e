"""An edited configuration takes force without dropping a stream; a bad one is refused with the reason."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from openclaw_oauthrouter.config.loading import load_settings
from openclaw_oauthrouter.proxy.reload import Reloader
from tests.support.anthropic_streams import MESSAGE, START, TEXT_START, WHOLE_STREAM, text
from tests.support.upstream import Play

CHAT = {"model": "mine", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def written(path: Path, alias: str) -> None:
    path.write_text(f'[routing.aliases]\nmine = "anthropic/{alias}"\n')


async def reloader_for(handle: Any, config: Path) -> Reloader:
    settings = handle.live.runtime.settings
    overrides = settings.model_dump(include={"home", "providers", "credentials", "server", "upstream"}, exclude_unset=True)
    return Reloader(handle.live, config, lambda: load_settings(config, environ={}, overrides=overrides))


async def test_a_running_stream_goes_on_while_new_requests_see_the_change(
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


async def test_a_bad_file_is_refused_and_the_old_one_stays(
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


async def test_an_edit_is_noticed(gateway: Any, scripted: Any, config: Path) -> None:
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
    assert handle.live.runtime.lasting is before.lasting
