"""What the sentence on top of the dashboard is told of now."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from openclaw_oauthrouter.proxy.standing import standing

NOW = 1_795_910_400.0


def utc(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")


def window(used: float | None, *, ends: float | None = 3600, **more: Any) -> dict[str, Any]:
    whose = {"provider": "anthropic", "credential": "max", "model": None, "window": "5h", "exhausted": False}
    return {**whose, "used": used, "resets_at": None if ends is None else utc(NOW + ends), **more}


@pytest.mark.parametrize(
    ("windows", "plans"),
    [
        ([], []),
        ([window(0.2), window(0.7, window="7d")], [("max", "7d", 0.7)]),
        ([window(0.9), window(0.3, window="7d", exhausted=True)], [("max", "7d", 0.3)]),
        ([window(0.2), window(0.7, credential="other")], [("max", "5h", 0.2), ("other", "5h", 0.7)]),
        ([window(0.9, ends=-5), window(0.1, window="7d")], [("max", "7d", 0.1)]),
        ([window(0.9, ends=None)], [("max", "5h", 0.9)]),
        ([window(None)], []),
        ([window(0.9, model="claude")], []),
        ([window(0.9, credential=None)], [(None, "5h", 0.9)]),
    ],
)
def test_standing_tells_the_fullest_window_of_each_plan(windows: Any, plans: Any) -> None:
    told = standing({"windows": windows}, {}, None, NOW)["plans"]
    assert [(plan["credential"], plan["window"], plan["used"]) for plan in told] == plans


def test_standing_tells_budgets_for_everybody_and_who_rests() -> None:
    cooldowns = [{"scope": "model", "until": utc(NOW + 90)}, {"scope": "provider", "until": utc(NOW + 30)}]
    everybody = {"period": "day", "quantity": "requests", "used": 1, "most": 2, "resetsAt": NOW + 9}
    spend = {"budgets": [{**everybody, "scope": ""}, {**everybody, "scope": "client:nightly"}]}
    told = standing({"cooldowns": cooldowns}, spend, None, NOW)
    assert told["budgets"] == [everybody]
    assert (told["models"], told["firstBack"]) == ({"ready": None, "resting": 1}, NOW + 30)
    assert standing({}, {}, {"ready": 3, "resting": 0}, NOW)["models"] == {"ready": 3, "resting": 0}
