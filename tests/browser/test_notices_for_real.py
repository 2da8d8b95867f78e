"""Each notice for real: a gateway in which it comes about, told on the page, in ``top``, by the user's command and on the desktop."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from openclaw_oauthrouter.cli.root import root
from openclaw_oauthrouter.errors import UpstreamAuthenticationError
from openclaw_oauthrouter.proxy.notice_watch import NoticeWatch
from openclaw_oauthrouter.proxy.notices import window_id
from tests.browser.conftest import playwright
from tests.browser.real import TOKEN, RealGateway, real_gateway

expect = playwright.expect

SETTINGS = """\
[spend_controls]
daily_request_budget = 1
warn_at = [0.5]

[notices]
desktop = true
retires_within_days = 3650
command = ["/bin/sh", "-c", "cat >> {told}"]

[routing.aliases]
old = "anthropic/claude-sonnet-4-5"
"""
SAID = {
    "budget": re.compile(r"the budget of 1 requests? a day is used up"),
    "window": re.compile(r"91% of the 5h window of anthropic config:anthropic is used"),
    "key": re.compile(r"openai-codex refuses 'config:openai-codex:authorization'"),
    "model": re.compile(r"claude-sonnet-4-5 \(alias old\) (retires|was retired) on \d{4}-\d\d-\d\d"),
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("told")


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory, told: Path) -> Iterator[RealGateway]:
    with real_gateway(tmp_path_factory.mktemp("gateway"), SETTINGS.format(told=told / "command")) as gateway:
        gateway.ask("What is the capital of Portugal?")
        gateway.call(lambda: come_about(gateway.handle.live.runtime.health))
        yield gateway


def come_about(health: Any) -> None:
    """What a plan's answer says, and how a provider refuses a key that was revoked."""
    prefix = "anthropic-ratelimit-unified-5h"
    headers = {f"{prefix}-utilization": "0.91", f"{prefix}-status": "allowed", f"{prefix}-reset": str(int(time.time()) + 3600)}
    health.observe_headers("anthropic", "config:anthropic", headers, "claude-haiku-4-5")
    refused = UpstreamAuthenticationError("authentication failed (401): this key was revoked", provider="openai-codex")
    health.failed("openai-codex", "gpt-6-luna", "config:openai-codex:authorization", refused)


@pytest.mark.parametrize("kind", SAID)
def test_notice_on_the_page(real: RealGateway, shown: str, kind: str) -> None:
    assert SAID[kind].search(shown), shown


@pytest.fixture(scope="module")
def shown(browser: Any, real: RealGateway) -> Iterator[str]:
    """The notices on the page, all of them."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(real.login_url())
    more = page.locator("#notices").get_by_role("button", name="more")
    expect(more.or_(page.locator("#notices .notice").nth(len(SAID) - 1))).to_be_visible()
    if more.is_visible():
        more.click()
    expect(page.locator("#notices .notice")).to_have_count(len(SAID))
    yield page.locator("#notices").inner_text()
    context.close()


def test_notices_in_top(real: RealGateway, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(
        f'home = "{real.handle.live.runtime.settings.home}"\n[server]\nport = {real.handle.port}\nauth_token = "{TOKEN}"\n'
    )
    environ = {"COLUMNS": "200", "LINES": "60", "NO_COLOR": "1"}
    seen = CliRunner(env=environ).invoke(root, ["--config", str(config), "top", "--once"])
    assert seen.exit_code == 0, seen.output
    for kind, words in SAID.items():
        assert words.search(seen.output), (kind, seen.output)


def test_notices_by_command_and_on_the_desktop_once(
    real: RealGateway, told: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "notify-send"
    program.write_text(f'#!/bin/sh\nfor word in "$@"; do printf "%s|" "$word"; done >> {told / "desktop"}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    watch = NoticeWatch(lambda: real.handle.live.runtime, time.time)

    async def look_twice() -> None:
        for _ in range(2):
            await watch.look()
        while watch._running:
            await asyncio.wait(watch._running, timeout=30)

    asyncio.run_coroutine_threadsafe(look_twice(), real._loop).result(60)
    wrote = (told / "command").read_bytes()
    notices = [orjson.loads(line) for line in wrote.replace(b"}{", b"}\n{").splitlines()]
    assert sorted(notice["kind"] for notice in notices) == sorted(SAID)
    shown = (told / "desktop").read_text()
    assert shown.count("--app-name|") == len(SAID)
    for kind, words in SAID.items():
        [notice] = [notice for notice in notices if notice["kind"] == kind]
        assert words.search(notice["words"])
        assert words.search(shown)


def test_notice_of_a_window_stays_the_same_while_its_end_is_told_a_little_differently() -> None:
    at = 1_795_000_000.0
    ids = {window_id("max", "5h", at + jitter, False) for jitter in (0, 1, -1, 20)}
    assert len(ids) == 1
    assert window_id("max", "5h", at + 5 * 3600, False) not in ids
    assert window_id("max", "5h", at, True) not in ids
    assert window_id("max", "5h", None, False) == window_id("max", "5h", None, False)
