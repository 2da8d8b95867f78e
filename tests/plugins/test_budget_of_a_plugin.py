"""A budget of a plugin is validated at the start, enforced, and seen wherever a built-in one is."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from openclaw_oauthrouter.builder import assemble
from openclaw_oauthrouter.canonical.routing import Candidate, Estimate, ModelInfo
from openclaw_oauthrouter.canonical.spending import Limit
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.cli import spend as spend_command
from openclaw_oauthrouter.config.loading import load_settings
from openclaw_oauthrouter.dashboard.panels.budgets import Budgets
from openclaw_oauthrouter.errors import BudgetExceededError, ConfigurationError
from openclaw_oauthrouter.hookspecs import hookimpl
from openclaw_oauthrouter.plugins import create_plugin_manager

from . import hourly_cost

OPUS = Candidate(ModelInfo("anthropic", "claude-opus-4-6"))
ASKED = Estimate(100, 200)
Open = Callable[..., Awaitable[Any]]


@pytest.fixture
async def opened(tmp_path):
    runtimes = []

    async def opened(plugin: Any, **settings: Any) -> Any:
        manager = create_plugin_manager(extra=[plugin], load_entry_points=False)
        runtime = assemble(load_settings(environ={}, overrides={"home": tmp_path, **settings}).settings, manager)
        runtimes.append(runtime)
        return runtime.spend

    yield opened
    for runtime in runtimes:
        await runtime.aclose()


async def test_hourly_cost_is_enforced_and_warned_of(opened: Open, caplog: pytest.LogCaptureFixture) -> None:
    spend = await opened(hourly_cost)
    with caplog.at_level(logging.WARNING):
        await (await spend.reserve(OPUS, ASKED, None)).settle(Usage(100, 200), 0.1)
    assert "budget: 50% of the $0.2000 an hour used" in caplog.text
    await (await spend.reserve(OPUS, ASKED, None)).settle(Usage(100, 200), 0.1)
    with pytest.raises(BudgetExceededError, match="hourly limit reached, resets within the hour") as refusal:
        await spend.reserve(OPUS, ASKED, None)
    assert refusal.value.code == "HOURLY_BUDGET_EXCEEDED"
    assert 0 < refusal.value.retry_after <= 3600


async def test_limits_of_a_plugin_are_seen_in_spend_and_on_the_dashboard(
    opened: Open, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spend = await opened(hourly_cost)
    await (await spend.reserve(OPUS, ASKED, None)).settle(Usage(100, 200), 0.05)
    snapshot = await spend.snapshot()
    assert [(budget["period"], budget["used"], budget["most"]) for budget in snapshot["budgets"]] == [
        ("hour", 50_000, 200_000),
        ("shift", 1, 1000),
    ]
    labels = [item["label"] for item in Budgets().show(snapshot)["items"]]
    assert labels == ["dollars an hour", "requests a shift"]

    manager = create_plugin_manager(extra=[hourly_cost], load_entry_points=False)
    monkeypatch.setattr("openclaw_oauthrouter.plugins.create_plugin_manager", lambda: manager)
    settings = load_settings(environ={}, overrides={"home": tmp_path}).settings
    monkeypatch.setattr(spend_command, "subject_of", lambda *_, **__: SimpleNamespace(settings=settings))
    printed = CliRunner(env={"COLUMNS": "120"}).invoke(spend_command.command, [], obj={})
    lines = [" ".join(line.replace("│", " ").split()) for line in printed.output.splitlines()]
    assert "everybody cost this hour $0.0500 $0.2000 $0.1500" in lines
    assert "everybody requests this shift 1 1,000 999" in lines
    as_json = json.loads(CliRunner().invoke(spend_command.command, ["--json"], obj={}).output)
    assert set(as_json["periods"]) == {"day", "week", "month", "hour", "shift"}


class Wrong:
    """A plugin whose limits are none."""

    def __init__(self, limits: Any) -> None:
        self._limits = limits

    @hookimpl
    def oauthrouter_register_budgets(self) -> Any:
        limits = self._limits

        class Broken:
            name = "broken"

            @property
            def limits(self) -> Any:
                return limits()

            def check(self, call: Any) -> Any:
                return ()

        return [Broken()]


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (lambda: [Limit("hours", "requests", 5)], "limits of budget 'broken' are wrong: there is no period 'hours'"),
        (lambda: [Limit("day", "euros", 5)], "limits of budget 'broken' are wrong: a limit cannot be on 'euros'"),
        (lambda: ["five a day"], "limits of budget 'broken' must be Limit objects, not str"),
        (lambda: 5, "limits of budget 'broken' are wrong"),
    ],
)
async def test_budget_of_a_plugin_wrong_limits_stop_the_start_and_name_the_budget(opened: Open, limits: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        await opened(Wrong(limits))


class Unannounced:
    """A plugin of the first edition, which had no ``limits``."""

    @hookimpl
    def oauthrouter_register_budgets(self) -> Any:
        class Five:
            name = "five"

            def check(self, call: Any) -> Any:
                return [Limit("hour", "requests", 5)]

        return [Five()]


async def test_limits_that_only_check_tells_are_enforced_and_seen_from_the_first_call(opened: Open) -> None:
    spend = await opened(Unannounced())
    for _ in range(5):
        await (await spend.reserve(OPUS, ASKED, None)).settle(Usage(1, 1), 0.0)
    with pytest.raises(BudgetExceededError, match="hourly limit reached"):
        await spend.reserve(OPUS, ASKED, None)
    (budget,) = (await spend.snapshot())["budgets"]
    assert (budget["period"], budget["used"]) == ("hour", 5)
