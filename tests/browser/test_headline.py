"""The sentence on top reads right in every state."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.gateway import Gateway

NOW = 1_795_910_400_000 + 12 * 3_600_000
"""Noon, 2026-11-29, a Sunday (UTC)."""
HOUR = 3600
TOTAL = {"requests": 0, "failed": 0, "paid": 0, "plan": 0, "saved": 0, "unpriced": 0}
STANDING: dict[str, Any] = {"plans": [], "budgets": [], "models": {"ready": 5, "resting": 0}, "firstBack": None}


def plan(used: float, name: str = "claude-max", *, exhausted: bool = False, hours: float = 5) -> dict[str, Any]:
    return {
        "provider": "anthropic",
        "credential": name,
        "window": "5h",
        "used": used,
        "exhausted": exhausted,
        "resetsAt": NOW / 1000 + hours * HOUR,
    }


def budget(used: float, most: float, quantity: str = "microdollars", period: str = "day") -> dict[str, Any]:
    return {"period": period, "quantity": quantity, "used": used, "most": most, "resetsAt": NOW / 1000 + 12 * HOUR}


CASES: dict[str, tuple[dict[str, Any], str]] = {
    "nothing yet": ({}, "Today no requests."),
    "no provider": ({"models": {"ready": 0, "resting": 0}}, "Today no requests, no model can be used yet."),
    "one request": ({"requests": 1, "paid": 0.42}, "Today $0.42 for 1 request."),
    "the issue's own": (
        {"requests": 12, "paid": 0.42, "saved": 1.1, "plans": [plan(0.41)], "models": {"ready": 3, "resting": 2}},
        "Today $0.42 for 12 requests, saved $1.10, plan 41% until 17:00, 2 models resting.",
    ),
    "only a plan": ({"requests": 3, "plan": 1.25, "plans": [plan(0.2)]}, "Today $1.25 worth on plans for 3 requests, plan 20% until 17:00."),
    "both": ({"requests": 3, "paid": 0.5, "plan": 1.25}, "Today $0.50 and $1.25 worth on plans for 3 requests."),
    "unknown prices": ({"requests": 3, "unpriced": 2}, "Today at least $0 for 3 requests."),
    "one failed": ({"requests": 1, "failed": 1}, "Today $0 for 1 request, which failed."),
    "all failed": ({"requests": 4, "failed": 4}, "Today $0 for 4 requests, all failed."),
    "some failed": ({"requests": 4, "failed": 1, "paid": 2}, "Today $2.00 for 4 requests, 1 failed."),
    "saved nothing": ({"requests": 4, "paid": 2, "saved": -0.5}, "Today $2.00 for 4 requests."),
    "plan used up until tomorrow": (
        {"plans": [plan(1.0, exhausted=True, hours=20)]},
        "Today no requests, plan used up until Mon 08:00.",
    ),
    "plan of next week": ({"plans": [plan(0.5, hours=24 * 7)]}, "Today no requests, plan 50% until 6 Dec 12:00."),
    "plan whose end is past": ({"plans": [plan(0.5, hours=-1)]}, "Today no requests, plan 50%."),
    "several plans": (
        {"plans": [plan(0.2, "work"), plan(0.9, "home"), plan(0.1, "third")]},
        "Today no requests, home 90% until 17:00, work 20% until 17:00, 1 plan more.",
    ),
    "the one used up first": (
        {"plans": [plan(0.9, "home"), plan(0.8, "work", exhausted=True)]},
        "Today no requests, work used up until 17:00, home 90% until 17:00.",
    ),
    "one model resting": ({"models": {"ready": 3, "resting": 1}}, "Today no requests, 1 model resting."),
    "all resting": (
        {"models": {"ready": 0, "resting": 4}, "firstBack": NOW / 1000 + HOUR / 2},
        "Today no requests, no model can answer now, the first is back at 12:30.",
    ),
    "all resting, nobody knows how long": ({"models": {"ready": 0, "resting": 4}}, "Today no requests, no model can answer now."),
    "budget hardly used": ({"budgets": [budget(1e6, 5e6)]}, "Today no requests."),
    "budget half used": ({"budgets": [budget(3.1e6, 5e6)]}, "Today no requests, budget of $5.00 a day 62% used."),
    "budget used up": ({"budgets": [budget(100, 100, "requests", "hour")]}, "Today no requests, budget of 100 requests an hour used up until Mon 00:00."),
    "budget of nothing": ({"budgets": [budget(0, 0)]}, "Today no requests, budget of $0 a day used up until Mon 00:00."),
    "demo": ({"requests": 4, "paid": 0.03, "demo": True}, "Demo. Today $0.0300 for 4 requests."),
    "a span that is over": ({"requests": 4, "paid": 2, "words": "2026-11-01 to 2026-11-05:", "standing": None}, "2026-11-01 to 2026-11-05: $2.00 for 4 requests."),
    "many": ({"requests": 1_234_567, "paid": 12_345.6, "failed": 1000}, "Today $12,346 for 1.23M requests, 1,000 failed."),
}  # fmt: skip


def given(state: dict[str, Any]) -> dict[str, Any]:
    total = {name: state.get(name, value) for name, value in TOTAL.items()}
    standing = {name: state.get(name, value) for name, value in STANDING.items()}
    return {
        "words": state.get("words", "Today"),
        "total": total,
        "standing": state.get("standing", standing),
        "demo": state.get("demo", False),
        "now": NOW,
    }


@pytest.fixture(scope="module")
def said(browser: Any) -> Any:
    gateway = Gateway().start()
    try:
        context = browser.new_context(locale="en-GB", timezone_id="UTC")
        page = context.new_page()
        page.goto(gateway.login_url())
        yield page.evaluate(
            """async (states) => {
              const { sentence } = await import("./dashboard/static/headline.js");
              return Object.fromEntries(Object.entries(states).map(([name, state]) => [name, sentence(state)]));
            }""",
            {name: given(state) for name, (state, _) in CASES.items()},
        )
        context.close()
    finally:
        gateway.stop()


@pytest.mark.parametrize("name", CASES)
def test_headline(said: Any, name: str) -> None:
    assert said[name] == CASES[name][1]
