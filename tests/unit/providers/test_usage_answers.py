"""What plans say of their windows beside requests, read by the same reader as the headers of answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openclaw_oauthrouter.health.windows import Reading, read_windows
from openclaw_oauthrouter.providers.anthropic.usage import usage_headers as claude_headers
from openclaw_oauthrouter.providers.openai_codex.usage import usage_headers as codex_headers

NOW = 1_763_800_000.0
RESET = NOW + 9000
EXTRA: dict[str, Any] = {"is_enabled": True, "monthly_limit": 50, "used_credits": 10, "utilization": 20}


def claude(used: object, resets_at: object = "2025-11-22T10:56:40+00:00", window: str = "five_hour", **more: object) -> Reading:
    told = {window: {"utilization": used, "resets_at": resets_at}, **more}
    [reading] = read_windows(claude_headers(json.dumps(told).encode()), NOW)
    return reading


def codex(used: object, **changes: object) -> Reading:
    window = {"used_percent": used, "limit_window_seconds": 18_000, "reset_after_seconds": 9000, "reset_at": RESET}
    credits_ = changes.pop("credits", None)
    told = {"rate_limit": {"primary_window": {**window, **changes}, "secondary_window": None}, "credits": credits_}
    [reading] = read_windows(codex_headers(json.dumps(told).encode()), NOW)
    return reading


@pytest.mark.parametrize("resets_at", ["2025-11-22T10:56:40Z", RESET, int(RESET), int(RESET) * 1000, f"{RESET:.0f}"])
def test_usage_answer_tells_a_reset_in_many_ways(resets_at: object) -> None:
    assert claude(97, resets_at).resets_at == RESET


@pytest.mark.parametrize("resets_at", [None, True, [], "soon", 1e300])
def test_usage_answer_without_a_reset_still_tells_the_share(resets_at: object) -> None:
    reading = claude(97, resets_at)
    assert (reading.used, reading.resets_at, reading.exhausted) == (0.97, None, False)


@pytest.mark.parametrize(("used", "share"), [(97, 0.97), ("97", 0.97), (-5, 0.0), (0, 0.0)])
def test_usage_answer_tells_per_cents(used: object, share: float) -> None:
    assert claude(used).used == share


@pytest.mark.parametrize("used", [True, None, "97%", [], {}])
def test_usage_answer_that_tells_no_number_tells_nothing(used: object) -> None:
    told = {"five_hour": {"utilization": used, "resets_at": RESET}}
    assert claude_headers(json.dumps(told).encode()) == {}


@pytest.mark.parametrize(
    ("used", "more", "exhausted", "extra"),
    [
        (99, {}, False, False),
        (100, {}, True, False),
        (100, {"extra_usage": None}, True, False),
        (150, {"extra_usage": {**EXTRA, "is_enabled": False}}, True, False),
        (100, {"extra_usage": EXTRA}, False, True),
        (100, {"extra_usage": {**EXTRA, "utilization": None}}, False, True),
        (100, {"extra_usage": {**EXTRA, "utilization": 100}}, True, False),
        (100, {"extra_usage": "yes"}, True, False),
        (50, {"extra_usage": EXTRA}, False, False),
    ],
)
def test_usage_answer_full_window_serves_only_as_extra_usage(
    used: float, more: dict[str, Any], exhausted: bool, extra: bool
) -> None:
    reading = claude(used, **more)
    assert (reading.exhausted, reading.extra) == (exhausted, extra)


def test_usage_answer_full_window_of_some_models_blocks_those() -> None:
    reading = claude(100, window="seven_day_opus")
    assert reading.blocks("claude-opus-5-5", NOW)
    assert not reading.blocks("claude-sonnet-5-5", NOW)


@pytest.mark.parametrize("changes", [{}, {"reset_at": None}, {"reset_at": int(RESET) * 1000}, {"reset_after_seconds": None}])
def test_usage_answer_of_codex_tells_a_reset_in_either_way(changes: dict[str, Any]) -> None:
    assert codex(97, **changes).resets_at == RESET


@pytest.mark.parametrize(
    ("used", "credits_", "exhausted", "extra"),
    [
        (99, None, False, False),
        (100, None, True, False),
        (100, {"has_credits": False, "unlimited": False}, True, False),
        (100, {"has_credits": True, "unlimited": False}, False, True),
        (-4, {"has_credits": True, "unlimited": False}, False, False),
    ],
)
def test_usage_answer_of_codex_full_window_serves_only_from_credits(
    used: float, credits_: dict[str, Any] | None, exhausted: bool, extra: bool
) -> None:
    reading = codex(used, credits=credits_)
    assert (reading.exhausted, reading.extra) == (exhausted, extra)
