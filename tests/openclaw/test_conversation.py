"""A day with OpenClaw: a picture, a conversation whose model fails in the middle, a third party's plugin beside ours; and what is seen of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from openclaw_oauthrouter.providers.demo.app import demo_settings
from tests.browser import conftest as browsing
from tests.clients.agents import red_square
from tests.openclaw.conftest import Host
from tests.support.environments import SAMPLE, environment_with
from tests.support.real_programs import Upstream, processes_of, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

browser = browsing.browser

FIRST, SECOND = "anthropic/claude-haiku-4-5", "openai-codex/gpt-5.6-terra"
TIERS = ("SIMPLE", "MEDIUM", "COMPLEX", "REASONING")


def configure(host: Host, upstream: Upstream, **settings: object) -> None:
    host.state.mkdir(parents=True, exist_ok=True)
    (host.state / "config.json").write_text(json.dumps({**demo_settings(upstream.origin), **settings}))


def show(host: Host, message: str, picture: str) -> None:
    """A turn with a picture, as a chat window takes it."""
    attachment = {"type": "image", "mimeType": "image/png", "fileName": "square.png", "content": picture}
    params = {"message": message, "agentId": "main", "idempotencyKey": "turn-1", "attachments": [attachment]}
    call = ("gateway", "call", "agent", "--expect-final", "--json", "--timeout", "100000", "--params", json.dumps(params))
    assert '"status": "ok"' in host.openclaw(*call)


def trace(host: Host) -> list[dict[str, Any]]:
    token = (host.state / "local-token").read_text().strip()
    answer = httpx.get(
        f"http://127.0.0.1:{host.environ['OAUTHROUTER_PORT']}/debug/routing-trace",
        headers={"authorization": f"Bearer {token}"},
        trust_env=False,
    )
    events: list[dict[str, Any]] = answer.json()["events"]
    return events


def check_dashboard(host: Host, browser: Any) -> None:
    page = browser.new_context(viewport=browsing.DESKTOP).new_page()
    page.goto(host.ours("dashboard").stdout.strip())
    expect = browsing.playwright.expect
    expect(page.locator("#count")).to_have_text("4 requests")
    fallen_back = page.locator(".rows .row", has_text="fallback 529")
    expect(fallen_back).to_have_count(1)
    expect(fallen_back).to_contain_text(SECOND)
    fallen_back.click()
    expect(page.locator("#detail .attempts li").first).to_contain_text("529")
    page.context.close()


def test_conversation_picture_and_a_conversation_that_outlives_its_model(host: Host, upstream: Upstream, browser: Any) -> None:
    # By list prices the primary comes first; otherwise the plan of the second would, which has room to spare.
    tiers = {tier: {"primary": FIRST, "fallback": [SECOND]} for tier in TIERS}
    configure(host, upstream, routing={"classifier": "rules-v1", "tiers": tiers})
    host.ours("openclaw", "install", "--default-model", "--yes")
    picture = red_square()
    with host.gateway() as openclaw:
        show(host, "what is on this picture", picture)
        assert "claude-haiku-4-5" in host.turn("hello there")
        assert "gpt-5.6-terra" in host.turn("FAIL 529 haiku-4-5")
        assert "so where were we" in host.turn("so where were we")
        check_trace(trace(host))
        check_dashboard(host, browser)
        assert len(processes_of(host.home)) >= 2
        openclaw.terminate()
        openclaw.wait(30)
        wait_until(lambda: not processes_of(host.home), "every process has ended")
    last = upstream.requests[-1][2].decode()
    assert [said in last for said in ("what is on this picture", picture, "hello there", "FAIL 529", "so where")] == [True] * 5
    with pytest.raises(httpx.ConnectError):
        trace(host)


def check_trace(events: list[dict[str, Any]]) -> None:
    assert [event["status"] for event in events] == [200] * 4
    assert len({event["conversation"] for event in events}) == 1
    assert events[0]["features"]["image_count"] == 1
    failed = events[2]
    assert (failed["fallback"]["requestedModel"], failed["fallback"]["fallbackModel"]) == (FIRST, SECOND)
    assert failed["fallback"]["attempts"][-1]["fromStatus"] == 529
    assert [event["modelIdRouted"] for event in events[:3]] == [FIRST, FIRST, SECOND]
    assert not events[0].get("fallback")


def models(events: list[dict[str, Any]]) -> list[Mapping[str, str]]:
    return [{"tier": event["tier"], "model": event["modelIdRouted"]} for event in events]


def test_conversation_third_partys_plugin_beside_ours(host: Host, upstream: Upstream, tmp_path: Path) -> None:
    python = environment_with(SAMPLE, tmp_path / "third-party")
    configure(host, upstream)
    host.run([python, "-P", "-m", "openclaw_oauthrouter", "openclaw", "install", "--default-model", "--yes"])
    with host.gateway():
        assert "claude-haiku-5-5" in host.turn("hello there")
        assert "gpt-6.2-sol" in host.turn("urgent: hello there")
        assert models(trace(host)) == [
            {"tier": "SIMPLE", "model": "anthropic/claude-haiku-5-5"},
            {"tier": "REASONING", "model": "openai-codex/gpt-6.2-sol"},
        ]
