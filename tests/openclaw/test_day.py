"""A day inside the real OpenClaw: schedules, sub-agents, thinking, prices, usage, and a user of the former product."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import json5
import pytest

from openclaw_oauthrouter.edits.json5_text import put
from openclaw_oauthrouter.providers.demo.app import demo_settings
from tests.browser import conftest as browsing
from tests.openclaw.conftest import Host
from tests.openclaw.test_conversation import trace
from tests.support.real_programs import Upstream, running_upstream, wait_until
from tests.support.real_programs import running as running_program

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

browser = browsing.browser

CHEAP, MIDDLE, DEAR = "anthropic/claude-haiku-4-5", "anthropic/claude-sonnet-4-6", "anthropic/claude-opus-4-6"
TIERS = {"SIMPLE": CHEAP, "MEDIUM": MIDDLE, "COMPLEX": MIDDLE, "REASONING": DEAR}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Host, Upstream]]:
    """One gateway for the whole day; it takes longer to start than a turn."""
    host = Host(tmp_path_factory.mktemp("day"))
    with running_upstream() as upstream:
        host.state.mkdir(parents=True)
        tiers = {tier: {"primary": model} for tier, model in TIERS.items()}
        limits = {"dailyRequestBudget": 500, "dailyCostBudget": 5}
        settings = {**demo_settings(upstream.origin), "routing": {"tiers": tiers}, "spendControls": limits}
        (host.state / "config.json").write_text(json.dumps(settings))
        host.ours("openclaw", "install", "--default-model", "--yes")
        with host.gateway():
            yield host, upstream


def agent(host: Host, *arguments: str, name: str = "main") -> dict[str, Any]:
    output = host.openclaw("agent", "--agent", name, *arguments, "--json")
    answer = json.loads(output[output.index("{") :])
    found: dict[str, Any] = answer.get("result", answer)["meta"]["agentMeta"]
    return found


def events_after(host: Host, number: int, count: int) -> list[dict[str, Any]]:
    return wait_until(lambda: len(trace(host)) >= number + count and trace(host)[number:], f"{count} more requests")


def test_day_scheduled_run_is_routed_by_its_task(running: tuple[Host, Upstream]) -> None:
    host, upstream = running
    before = len(trace(host))
    host.openclaw("cron", "add", "--name", "t1", "--at", "1s", "--message", "What time is it in Tokyo?", "--session", "isolated")
    event = events_after(host, before, 1)[0]
    assert b"[cron:" in upstream.requests[-1][2]
    assert b"unattended scheduled run" in upstream.requests[-1][2]
    assert (event["routingTier"], event["modelIdRouted"]) == ("SIMPLE", CHEAP)


def test_day_sub_agent_and_its_notice_cost_what_the_task_costs(running: tuple[Host, Upstream]) -> None:
    host, upstream = running
    before = len(trace(host))
    agent(host, "--message", 'USE_TOOL tool_call {"id": "sessions_spawn", "args": {"task": "What is the capital of Italy?"}}')
    events = events_after(host, before, 4)
    sent = b"\n".join(body for _, _, body in upstream.requests)
    assert b"[Subagent Task]" in sent
    assert b"A background task completed" in sent
    tiers = [event["routingTier"] for event in events]
    parent = tiers[0]
    assert "SIMPLE" in tiers
    assert set(tiers) <= {"SIMPLE", parent}


def test_thinking_reaches_the_model(running: tuple[Host, Upstream]) -> None:
    host, upstream = running
    agent(host, "--session-id", "think-1", "--message", "hello there")
    assert "thinking" not in json.loads(upstream.requests[-1][2])
    agent(host, "--session-id", "think-2", "--message", "hello there", "--thinking", "high")
    body = json.loads(upstream.requests[-1][2])
    assert body["thinking"]["type"] in ("adaptive", "enabled")


def test_named_models_have_their_prices_and_their_own_protocol(running: tuple[Host, Upstream]) -> None:
    host, upstream = running
    meta = agent(host, "--session-id", "named", "--model", f"oauthrouter/{CHEAP}", "--message", "hello there")
    usage = meta["usage"]
    path, headers, body = upstream.requests[-1]
    assert path == "/v1/messages"
    assert body.count(b"cache_control") >= 2
    assert usage["cost"]["total"] == pytest.approx((usage["input"] * 1.0 + usage["output"] * 5.0) / 1_000_000, rel=0.3)
    assert meta["terminalReceipt"]["rerouted"] is False
    assert headers


def test_day_choice_of_auto_is_no_change_of_route(running: tuple[Host, Upstream]) -> None:
    meta = agent(running[0], "--session-id", "auto", "--message", "hello there")
    assert meta["terminalReceipt"]["rerouted"] is False
    assert meta["usage"]["cost"]["total"] > 0


def test_openclaws_own_surfaces_show_the_gateway(running: tuple[Host, Upstream]) -> None:
    host, _ = running
    listed = host.openclaw("models", "list")
    assert "oauthrouter/auto" in listed
    assert f"oauthrouter/{CHEAP}" in listed
    assert "indeterminate" not in host.openclaw("models", "status")
    usage = json.loads(host.openclaw("gateway", "call", "usage.status", "--json"))
    ours = next(row for row in usage["providers"] if row["provider"] == "oauthrouter")
    assert {window["label"] for window in ours["windows"]} >= {"requests today", "cost today"}
    assert ours["billing"][0]["limit"] == 5
    shown = host.ours("run", "--", "openclaw", "status", "--usage").stdout
    assert "requests today" in shown


def test_day_default_level_of_thinking_reaches_the_model(running: tuple[Host, Upstream]) -> None:
    host, upstream = running
    before = host.config.read_text()
    host.config.write_text(put(before, ("agents", "defaults", "thinkingDefault"), "high"))
    try:
        turn = ("--session-id", "default-1", "--model", "oauthrouter/openai-codex/gpt-5.6-terra", "--message", "hello there")

        def thinks() -> bool:
            agent(host, *turn)
            return json.loads(upstream.requests[-1][2]).get("reasoning", {}).get("effort") == "high"

        wait_until(thinks, "OpenClaw has read its file again")
    finally:
        host.config.write_text(before)


def test_day_control_ui_shows_budgets_and_takes_our_command(running: tuple[Host, Upstream], browser: Any) -> None:
    host, upstream = running
    page = browser.new_context(viewport=browsing.DESKTOP).new_page()
    page.goto(f"http://127.0.0.1:{host.port}/#token=gateway-token")

    def sent(words: str) -> bool:
        box = page.locator("textarea").last
        box.fill(words)
        if words.startswith("/"):
            box.press("Escape")  # closes the list of commands, which would take the next key
        box.press("Enter")
        try:
            browsing.playwright.expect(box).to_have_value("", timeout=5_000)
        except AssertionError:
            return False  # it was not ready yet
        return True

    def say(words: str, *answers: str) -> None:
        wait_until(lambda: sent(words), f"{words!r} is sent", 120)
        for answer in answers:
            browsing.playwright.expect(page.locator("main")).to_contain_text(answer, timeout=90_000)

    say("/status", "Model: oauthrouter/auto", "Usage: requests today")
    say("/think high", "Thinking level set to high")
    before = len(upstream.requests)
    say("what is a cow", "what is a cow")
    body = json.loads(wait_until(lambda: upstream.requests[before:] and upstream.requests[-1][2], "the model was asked"))
    assert body["thinking"]["type"] in ("adaptive", "enabled")
    say("/route", "auto → anthropic/", "requests today: ")
    say("/think off", "hinking")
    page.context.close()


def test_commands_speak_of_the_gateway_that_openclaw_runs(running: tuple[Host, Upstream]) -> None:
    host, _ = running
    assert "requests today" in host.ours("spend").stdout.replace("\n", " ")
    done = host.ours("doctor", check=False)
    assert "in the last hour were answered" in done.stdout or "of the last" in done.stdout


OLD = {
    "agents": {
        "defaults": {
            "model": {"primary": "oauthrouter/auto"},
            "models": {"oauthrouter/auto": {"provider": "oauthrouter", "contextWindow": 200000, "maxTokens": 128000}},
        }
    },
    "models": {
        "providers": {
            "oauthrouter": {
                "baseUrl": "http://127.0.0.1:9/v1",
                "apiKey": "old-token",
                "api": "openai-completions",
                "models": [{"id": "auto", "name": "auto"}],
            }
        }
    },
}


def test_day_user_of_the_former_product_is_brought_over_and_back(host: Host, upstream: Upstream) -> None:
    document = {**json5.loads(host.config.read_text()), **OLD}
    host.config.write_text(json.dumps(document, indent=2))
    host.state.mkdir(parents=True)
    (host.state / "config.json").write_text(json.dumps(demo_settings(upstream.origin)))
    output = host.ours("openclaw", "install", "--yes").stdout
    assert "older description" in output
    assert "earlier set-up" in output
    assert "Config valid" in host.openclaw("config", "validate")
    with host.gateway():
        assert host.turn("hello there")
    host.ours("openclaw", "uninstall", "--yes")
    assert "Config valid" in host.openclaw("config", "validate")
    assert json5.loads(host.config.read_text())["models"] == OLD["models"]


def test_doctor_fails_when_every_turn_fails(host: Host, tmp_path: Path) -> None:
    host.state.mkdir(parents=True)
    unreachable = demo_settings("http://127.0.0.1:9")
    (host.state / "config.json").write_text(json.dumps(unreachable))
    host.ours("openclaw", "install", "--yes")
    # OpenClaw's own set-up offers us, and makes our model the agents'.
    choices = (
        "--mode",
        "local",
        "--non-interactive",
        "--accept-risk",
        "--auth-choice",
        "oauthrouter-local",
        "--no-install-daemon",
    )
    host.openclaw("onboard", *choices, "--skip-channels", "--skip-skills", "--skip-health")
    assert json5.loads(host.config.read_text())["agents"]["defaults"]["model"]["primary"] == "oauthrouter/auto"
    turn = ["openclaw", "agent", "--agent", "main", "--message", "hi", "--json"]
    with host.gateway(), running_program(host, turn, tmp_path / "agent.log"):
        # OpenClaw goes on trying for minutes; one request that failed is enough.
        wait_until(lambda: trace(host), "a request was traced")
        done = host.ours("doctor", check=False)
    assert done.returncode == 1
    assert "every one:" in done.stdout
