"""What each panel makes of records and snapshots."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.routing import Tier
from openclaw_oauthrouter.canonical.trace import RequestRecord
from openclaw_oauthrouter.dashboard.feed import PanelFeed
from openclaw_oauthrouter.dashboard.panels import state_panels
from openclaw_oauthrouter.dashboard.panels.budgets import Budgets
from openclaw_oauthrouter.dashboard.panels.cost import Cost
from openclaw_oauthrouter.dashboard.panels.latency import Latency
from openclaw_oauthrouter.dashboard.panels.models import MOST_NAMES, OTHER, Models
from openclaw_oauthrouter.dashboard.panels.overview import Overview
from openclaw_oauthrouter.dashboard.panels.providers import Providers
from openclaw_oauthrouter.dashboard.panels.requests import Requests
from openclaw_oauthrouter.dashboard.panels.tiers import Tiers
from openclaw_oauthrouter.dashboard.panels.tokens import Tokens
from openclaw_oauthrouter.dashboard.panels.windows import Windows
from openclaw_oauthrouter.dashboard.plugin import oauthrouter_register_panels
from openclaw_oauthrouter.dashboard.timeline import Timeline
from openclaw_oauthrouter.telemetry.history_sums import SUMS as HISTORY_SUMS
from tests.browser.scene import Scene, health_snapshot, spend_snapshot
from tests.unit.telemetry.records import decision, fallen_back, record

NOW = 1_795_000_000.0
UNITS = {"count", "tokens", "dollars", "percent", "ms", "text"}
VIEWS = {"figures", "series", "shares", "gauges", "states", "table"}


def sums(view: JsonObject, span: str = "1 h") -> dict[str, float]:
    return {series["name"]: sum(series["values"]) for series in view["ranges"][span]["series"]}


def test_overview() -> None:
    panel = Overview()
    for one in (record(), record(paid_by="plan"), fallen_back(), record(status=503, usage=None, cost=None)):
        panel.update(one)
    figures = {item["label"]: (item["value"], item["note"]) for item in panel.render()["items"]}
    assert figures["Requests"] == (4, "1 rerouted")
    assert figures["Failed"] == (1, "25.0% of requests")
    assert figures["Tokens in"] == (3000, "40% from cache")
    assert figures["Tokens out"] == (900, "300 an answer")
    assert figures["Cost"] == (pytest.approx(0.008), "+ $0.00 on plans")
    assert figures["Saved"][0] == pytest.approx(3 * 0.02 - 0.012)


def test_series_over_time() -> None:
    requests, tokens, cost = Requests(lambda: NOW), Tokens(lambda: NOW), Cost(lambda: NOW)
    for one in (
        record(started_at=NOW - 60),
        record(started_at=NOW, status=429, usage=None, cost=None),
        record(started_at=NOW - 7200, status=500, paid_by="plan"),
    ):
        for panel in (requests, tokens, cost):
            panel.update(one)
    assert sums(requests.render()) == {"answered": 1, "4xx": 1, "5xx": 0}
    assert sums(requests.render(), "24 h") == {"answered": 1, "4xx": 1, "5xx": 1}
    assert sums(tokens.render()) == {"in": 600, "from cache": 400, "out": 300}
    assert sums(cost.render(), "24 h") == pytest.approx({"paid": 0.004, "on plans": 0.004, "saved": 0.032})


def test_timeline_forgets_after_a_day_and_puts_now_last() -> None:
    moment = NOW
    timeline = Timeline(("x",), lambda: moment)
    timeline.add(int(NOW // 60), 1)
    assert timeline.ranges()["1 h"]["series"][0]["values"][-1] == 1
    moment = NOW + 86_400
    assert sum(timeline.ranges()["24 h"]["series"][0]["values"]) == 0
    timeline.add(int(moment // 60), 5)
    timeline.add(int(NOW // 60), 9)
    assert sum(timeline.ranges()["24 h"]["series"][0]["values"]) == 5


SUMS: JsonObject = {
    "total": {**dict.fromkeys(HISTORY_SUMS, 0), "requests": 4, "failed": 2, "refused": 1, "rerouted": 1, "paid": 0.5, "plan": 1.25, "input": 80, "cached": 20, "output": 30, "saved": 0.25, "baseline": 2.0, "unpriced": 1},
    "tiers": {"SIMPLE": {"requests": 3}, "": {"requests": 1}},
    "models": {"a/b": {"requests": 3, "unpriced": 0, "paid": 0.5, "plan": 1.25}, "c/d": {"requests": 1, "unpriced": 1, "paid": 0, "plan": 0}},
    "since": 0, "until": 7_200_000, "start": 0, "step": 3_600_000,
    "points": [
        {**dict.fromkeys(HISTORY_SUMS, 0), "requests": 3, "failed": 2, "refused": 1, "paid": 0.5, "input": 80, "cached": 20, "output": 30},
        {**dict.fromkeys(HISTORY_SUMS, 0), "requests": 1, "plan": 1.25, "saved": 0.25},
    ],
    "latest": {"first": [80.0], "whole": [100.0, 300.0]},
}  # fmt: skip


def test_panels_show_any_span() -> None:
    panels = {panel["name"]: panel for panel in PanelFeed(oauthrouter_register_panels()).render({}, SUMS)}
    figures = {item["label"]: (item["value"], item["note"]) for item in panels["overview"]["items"]}
    assert figures == {
        "Requests": (4, "1 rerouted"),
        "Failed": (2, "50.0% of requests"),
        "Tokens in": (80, "25% from cache"),
        "Tokens out": (30, "15 an answer"),
        "Cost": (0.5, "+ $1.25 on plans; 1 of unknown cost (c/d)"),
        "Saved": (0.25, "12% below the baseline"),
    }
    assert sums(panels["requests"], "span") == {"answered": 2, "4xx": 1, "5xx": 1}
    assert sums(panels["tokens"], "span") == {"in": 60, "from cache": 20, "out": 30}
    assert sums(panels["cost"], "span") == {"paid": 0.5, "on plans": 1.25, "saved": 0.25}
    assert {item["label"]: item["value"] for item in panels["tiers"]["items"] if item["value"]} == {
        "SIMPLE": 3,
        "chosen by the client": 1,
    }
    assert panels["models"]["rows"] == [["a/b", 3, 1.75], ["c/d", 1, None]]
    assert panels["latency"]["rows"] == [["p50", 80.0, 100.0], ["p90", 80.0, 300.0], ["p99", 80.0, 300.0]]


def test_panels_of_others_keep_their_own_count_whatever_the_span() -> None:
    class Theirs(Overview):
        of_span = None  # type: ignore[assignment]

    [panel] = PanelFeed([Theirs()]).render({}, SUMS)
    assert panel["title"] == "Since start"


def test_tiers() -> None:
    panel = Tiers()
    assert panel.render()["items"] == []
    for one in (record(), record(decision=decision(tier=Tier.REASONING)), record(decision=decision(tier=None))):
        panel.update(one)
    shares = {item["label"]: item["value"] for item in panel.render()["items"]}
    assert shares == {"SIMPLE": 1, "MEDIUM": 0, "COMPLEX": 0, "REASONING": 1, "chosen by the client": 1}


def test_latency_is_the_nearest_rank_of_answered_requests() -> None:
    panel = Latency()
    for seconds in range(1, 101):
        panel.update(record(seconds=float(seconds), first_token_seconds=None))
    panel.update(record(seconds=9999.0, status=504))
    assert panel.render()["rows"] == [["p50", None, 50_000.0], ["p90", None, 90_000.0], ["p99", None, 99_000.0]]


def test_models_busiest_first() -> None:
    panel = Models()
    for one in (fallen_back(), record(), record(), record(model_answered=None)):
        panel.update(one)
    assert [row[:2] for row in panel.render()["rows"]] == [["anthropic/claude-haiku-4-5", 2], ["openai/gpt-5.4-mini", 1]]


def test_models_and_overview_tell_a_bounded_number_of_names_apart() -> None:
    models, overview = Models(), Overview()
    for number in range(2 * MOST_NAMES):
        one = record(model_answered=f"house/invented-{number}", cost=None)
        models.update(one)
        overview.update(one)
    assert len(models._sums) == MOST_NAMES + 1
    assert models.render()["rows"][0][:2] == [OTHER, MOST_NAMES]
    assert len(overview._unpriced) <= MOST_NAMES
    assert overview.render()["total"]["unpriced"] == 2 * MOST_NAMES


def test_providers_show_cooldowns_first_and_calls_after() -> None:
    panel = Providers()
    panel.update(fallen_back())
    items = panel.show(health_snapshot(NOW))["items"]
    assert [(item["label"], item["state"]) for item in items] == [
        ("deepseek · deepseek-chat", "bad"),
        ("anthropic", "warn"),
        ("openai", "ok"),
    ]
    assert items[0]["until"] == NOW + 95
    assert items[1]["note"] == "answered 0 of the last 2 calls"


def test_panels_provider_cooling_down_is_listed_once() -> None:
    panel = Providers()
    panel.update(record())
    until = "2026-11-22T16:00:00+00:00"
    cooldown = {"scope": "provider", "provider": "anthropic", "name": None, "until": until, "reason": "overloaded"}
    assert [item["label"] for item in panel.show({"cooldowns": [cooldown]})["items"]] == ["anthropic"]


def test_windows_and_budgets() -> None:
    windows = Windows().show(health_snapshot(NOW))["items"]
    first = {
        "label": "anthropic · 5h",
        "used": 0.63,
        "note": "claude-max",
        "resetsAt": NOW + 7500,
        "state": None,
        "lasts": 18_000.0,
    }
    assert windows[0] == first
    budgets = Budgets().show(spend_snapshot(NOW))["items"]
    assert [(item["label"], item["used"], item["note"]) for item in budgets] == [
        ("dollars a day", 0.624, "$3.12 of $5.00"),
        ("requests a day · client:nightly", 0.96, "96 of 100"),
    ]
    assert Windows().show({})["items"] == Budgets().show({})["items"] == []


def test_panels_every_built_in_panel_speaks_the_page_s_language() -> None:
    feed = PanelFeed(oauthrouter_register_panels(), state_panels())
    for one in Scene().past(NOW, 100):
        feed.receive(one)
    panels = feed.render({"health": health_snapshot(NOW), "spend": spend_snapshot(NOW)})
    assert [panel["name"] for panel in panels] == [
        "overview",
        "requests",
        "tokens",
        "cost",
        "tiers",
        "latency",
        "models",
        "providers",
        "windows",
        "budgets",
    ]
    assert {panel["view"] for panel in panels} == VIEWS
    used = [panel.get("unit") for panel in panels] + [item.get("unit") for panel in panels for item in panel.get("items", ())]
    assert {unit for unit in used if unit} <= UNITS


class Broken:
    title = "Broken"

    def __init__(self, name: str = "broken") -> None:
        self.name = name

    def update(self, record: RequestRecord) -> None:
        raise KeyError("x")

    def render(self) -> dict[str, Any]:
        raise ValueError("no state")


def test_panels_broken_panel_harms_only_itself(caplog: pytest.LogCaptureFixture) -> None:
    tiers = Tiers()
    feed = PanelFeed([Broken(), tiers])
    with caplog.at_level(logging.WARNING):
        feed.receive(record())
        feed.receive(record())
    broken, fine = feed.render({})
    assert broken == {"name": "broken", "title": "Broken", "view": "error", "error": "ValueError: no state"}
    assert fine["items"][0]["value"] == 2
    assert len(caplog.records) == 1


def test_panels_made_from_one_that_counts_may_want_every_record() -> None:
    class Theirs(Tiers):
        seen = 0

        def update(self, record: RequestRecord) -> None:
            self.seen += 1
            super().update(record)

    theirs, ours = Theirs(), Models()
    feed = PanelFeed([theirs, ours])
    for _ in range(1001):
        feed.receive(record())
    assert theirs.seen == 1001
    shown = feed.render({})
    assert shown[0]["items"][0]["value"] == shown[1]["rows"][0][1] == 1001


def test_panel_of_the_same_name_takes_the_place_of_a_built_in_one() -> None:
    feed = PanelFeed([Tiers(), Latency(), Broken("tiers")], [Providers()])
    assert [(panel["name"], panel["title"]) for panel in feed.render({})] == [
        ("tiers", "Broken"),
        ("latency", "Latency"),
        ("providers", "Providers"),
    ]


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("5h", 18_000.0),
        ("7d", 604_800.0),
        ("7d_opus", 604_800.0),
        ("codex 300 min", 18_000.0),
        ("requests", None),
        ("gpt-5 primary", None),
    ],
)
def test_windows_know_how_long_they_last_by_their_names(name: str, seconds: float | None) -> None:
    snapshot = {"windows": [{"provider": "p", "window": name, "used": 0.5, "resets_at": None}]}
    assert Windows().show(snapshot)["items"][0]["lasts"] == seconds
