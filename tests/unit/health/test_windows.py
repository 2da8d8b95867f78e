"""Headers of limits, as vendors send them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_oauthrouter.health.windows import Reading, read_windows, speak_of_limits

NOW = 1_763_800_000.0


def read(headers: dict[str, str]) -> dict[str, Reading]:
    found = {reading.name: reading for reading in read_windows(headers, NOW)}
    assert not found or speak_of_limits(headers)
    return found


PLAN = {
    "anthropic-ratelimit-unified-status": "allowed",
    "anthropic-ratelimit-unified-reset": "1763810000",
    "anthropic-ratelimit-unified-representative-claim": "five_hour",
    "anthropic-ratelimit-unified-fallback": "available",
    "anthropic-ratelimit-unified-5h-status": "allowed",
    "anthropic-ratelimit-unified-5h-utilization": "0.42",
    "anthropic-ratelimit-unified-5h-reset": "1763810000",
    "anthropic-ratelimit-unified-7d-status": "allowed_warning",
    "anthropic-ratelimit-unified-7d-utilization": "0.91",
    "anthropic-ratelimit-unified-7d-reset": "1764200000",
    "anthropic-ratelimit-unified-overage-status": "rejected",
    "anthropic-ratelimit-unified-overage-reset": "1764200000",
    "anthropic-ratelimit-unified-overage-disabled-reason": "out_of_credits",
}


def test_windows_claude_plan() -> None:
    assert read(PLAN) == {
        "5h": Reading("5h", 0.42, 1763810000.0, False, "", NOW),
        "7d": Reading("7d", 0.91, 1764200000.0, False, "", NOW),
    }


def test_windows_claude_plan_that_is_used_up() -> None:
    readings = read(
        {**PLAN, "anthropic-ratelimit-unified-status": "rejected", "anthropic-ratelimit-unified-5h-status": "rejected"}
    )
    assert readings["5h"].blocks("claude-opus-4-6", NOW)
    assert not readings["5h"].blocks("claude-opus-4-6", 1763810000.0)
    assert not readings["7d"].blocks("claude-opus-4-6", NOW)


def test_windows_full_window_that_extra_usage_pays_for() -> None:
    readings = read(
        {**PLAN, "anthropic-ratelimit-unified-5h-status": "rejected", "anthropic-ratelimit-unified-5h-utilization": "1.2"}
    )
    assert not readings["5h"].exhausted


@pytest.mark.parametrize(
    ("claim", "model", "blocks"),
    [
        ("seven_day_opus", "claude-opus-4-6", True),
        ("seven_day_opus", "claude-haiku-4-5", False),
        ("seven_day_sonnet", "claude-sonnet-4-6", True),
        ("seven_day", "claude-haiku-4-5", True),
        ("something_new", "claude-haiku-4-5", True),
    ],
)
def test_windows_rejection_that_names_its_window_only_in_words(claim: str, model: str, blocks: bool) -> None:
    headers = {
        "anthropic-ratelimit-unified-status": "rejected",
        "anthropic-ratelimit-unified-reset": "2025-11-22T09:00:00Z",
        "anthropic-ratelimit-unified-representative-claim": claim,
    }
    [reading] = read_windows(headers, NOW)
    assert reading.blocks(model, NOW) is blocks


def codex(percent: str, minutes: str | None, position: str = "primary", meter: str = "codex", **more: str) -> dict[str, str]:
    headers = {f"x-{meter}-{position}-used-percent": percent, f"x-{meter}-{position}-reset-at": "1763900000", **more}
    if minutes is not None:
        headers[f"x-{meter}-{position}-window-minutes"] = minutes
    return headers


def test_windows_chatgpt_plan_goes_by_minutes_not_by_position() -> None:
    headers = {**codex("100", "10080"), **codex("12.5", "300", "secondary")}
    readings = read(headers)
    assert readings["codex 10080 min"] == Reading("codex 10080 min", 1.0, 1763900000.0, True, "", NOW)
    assert readings["codex 300 min"] == Reading("codex 300 min", 0.125, 1763900000.0, False, "", NOW)


@pytest.mark.parametrize("credit", [{"x-codex-credits-has-credits": "True"}, {"x-codex-credits-unlimited": "true"}])
def test_credits_keep_a_full_plan_open(credit: dict[str, str]) -> None:
    assert not read(codex("100", "300", **credit))["codex 300 min"].exhausted
    assert read(codex("100", "300", **{"x-codex-credits-has-credits": "false"}))["codex 300 min"].exhausted


def test_windows_another_meter_counts_the_model_it_is_named_after() -> None:
    headers = codex("100", "300", meter="codex-bengalfox", **{"x-codex-bengalfox-limit-name": "GPT-5.3-Codex-Spark"})
    [reading] = read_windows(headers, NOW)
    assert reading.blocks("gpt-5.3-codex-spark", NOW)
    assert not reading.blocks("gpt-5.3-codex", NOW)


def test_windows_anthropic_key() -> None:
    headers = {
        "anthropic-ratelimit-requests-limit": "50",
        "anthropic-ratelimit-requests-remaining": "49",
        "anthropic-ratelimit-requests-reset": "2025-11-22T08:27:00Z",
        "anthropic-ratelimit-input-tokens-limit": "10000",
        "anthropic-ratelimit-input-tokens-remaining": "0",
        "anthropic-ratelimit-input-tokens-reset": "2025-11-22T08:27:00Z",
    }
    readings = read(headers)
    assert readings["requests"].used == pytest.approx(0.02)
    assert not readings["requests"].exhausted
    assert readings["input-tokens"].exhausted
    assert readings["input-tokens"].per_model
    assert readings["input-tokens"].resets_at == 1763800020.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0s", 0),
        ("2ms", 0.002),
        ("6m0s", 360),
        ("1h2m3.5s", 3723.5),
        ("1d", 86_400),
        ("250ms", 0.25),
        ("20", 20),
        ("1763800020", 20),
    ],
)
def test_windows_openai_key_says_durations(text: str, seconds: float) -> None:
    headers = {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-limit-tokens": "100", "x-ratelimit-reset-tokens": text}
    [reading] = read_windows(headers, NOW)
    assert reading == Reading("tokens", 1.0, pytest.approx(NOW + seconds), True, "", NOW, per_model=True)


@pytest.mark.parametrize(
    "text", ["", "soon", "6x", "6m soon", "nan", "1e30", "99999999999", "0001-01-01T00:00:00", "999999999999999d"]
)
def test_windows_reset_that_cannot_be_read_blocks_nothing(text: str) -> None:
    [reading] = read_windows({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": text}, NOW)
    assert reading.resets_at is None
    assert not reading.blocks("gpt-5", NOW)


names = st.sampled_from(
    [
        *PLAN,
        *codex("1", "2"),
        "x-ratelimit-reset-requests",
        "x-ratelimit-remaining-tokens",
        "anthropic-ratelimit-tokens-reset",
        "x-a",
    ]
)


@given(st.dictionaries(names, st.text() | st.floats().map(str)))
def test_windows_no_header_value_does_harm(headers: dict[str, str]) -> None:
    for reading in read_windows(headers, NOW):
        reading.blocks("m", NOW)


@pytest.mark.parametrize(
    ("headers", "speak"),
    [
        ({}, False),
        ({"content-type": "application/json", "request-id": "limit", "retry-after": "5"}, False),
        ({"x-ratelimit-remaining-requests": "5"}, True),
        ({"x-codex-primary-used-percent": "5"}, True),
    ],
)
def test_headers_speak_of_limits_by_their_names(headers: dict[str, str], speak: bool) -> None:
    assert speak_of_limits(headers) is speak


RESET = NOW + 9000
UNIFIED = "anthropic-ratelimit-unified-"


@pytest.mark.parametrize(
    "told",
    [
        f"{RESET:.0f}",
        f"{RESET * 1000:.0f}",
        "9000",
        "2h30m0s",
        "2025-11-22T10:56:40Z",
        "2025-11-22T10:56:40+00:00",
        "2025-11-22T10:56:40",
    ],
)
def test_windows_reset_may_be_told_in_many_ways(told: str) -> None:
    assert read({f"{UNIFIED}5h-utilization": "0.5", f"{UNIFIED}5h-reset": told})["5h"].resets_at == RESET
    assert read({"x-codex-primary-used-percent": "50", "x-codex-primary-reset-at": told})["codex primary"].resets_at == RESET


@pytest.mark.parametrize("told", ["soon", "", "NaN", "inf", "99999999999999999999", f"{NOW + 4e7:.0f}", f"{NOW - 4e7:.0f}"])
def test_windows_reset_out_of_all_reason_is_not_believed(told: str) -> None:
    assert read({f"{UNIFIED}5h-utilization": "0.5", f"{UNIFIED}5h-reset": told})["5h"].resets_at is None


def test_windows_reset_may_be_told_as_seconds_from_now_in_a_header_of_its_own() -> None:
    headers = {
        "x-codex-primary-used-percent": "99",
        "x-codex-primary-window-minutes": "300",
        "x-codex-primary-reset-after-seconds": "9000",
    }
    assert read(headers)["codex 300 min"].resets_at == RESET


@pytest.mark.parametrize(
    ("told", "used"),
    [("-0.4", 0.0), ("-0", 0.0), ("1.7", 1.7), ("NaN", None), ("inf", None), ("1e400", None), ("plenty", None), ("", None)],
)
def test_windows_share_is_never_below_nothing(told: str, used: float | None) -> None:
    assert read({f"{UNIFIED}5h-utilization": told, f"{UNIFIED}5h-reset": "9000"})["5h"].used == used


@pytest.mark.parametrize("minutes", ["0", "-300", "weekly", "NaN", ""])
def test_windows_length_that_is_none_leaves_the_window_its_place(minutes: str) -> None:
    headers = {"x-codex-primary-used-percent": "-20", "x-codex-primary-window-minutes": minutes}
    [reading] = read(headers).values()
    assert (reading.name, reading.used, reading.seconds) == ("codex primary", 0.0, None)


@pytest.mark.parametrize(
    ("name", "hours"),
    [("5h", 5), ("7d", 168), ("7d_opus", 168), ("7d_oi", 168), ("30d", 720), ("codex 300 min", 5), ("plan", None), ("0h", None)],
)
def test_windows_length_is_in_the_name(name: str, hours: float | None) -> None:
    assert Reading(name, 0.5, None, False).seconds == (hours * 3600 if hours else None)


@pytest.mark.parametrize(("name", "hours"), [("5h", 5), ("7d_opus", 168), ("plan", 24)])
def test_windows_without_a_reset_is_forgotten_after_its_length(name: str, hours: float) -> None:
    reading = Reading(name, 0.97, None, False, observed_at=NOW)
    assert reading.counts("claude-opus-4-6", NOW + hours * 3600 - 1)
    assert not reading.counts("claude-opus-4-6", NOW + hours * 3600)


OPUS_FULL = {
    f"{UNIFIED}status": "allowed",
    f"{UNIFIED}5h-utilization": "0.2",
    f"{UNIFIED}5h-status": "allowed",
    f"{UNIFIED}5h-reset": "9000",
    f"{UNIFIED}7d_opus-utilization": "1.0",
    f"{UNIFIED}7d_opus-status": "rejected",
    f"{UNIFIED}7d_opus-reset": "300000",
}


@pytest.mark.parametrize(
    ("called", "more", "exhausted", "extra"),
    [
        ("claude-sonnet-5-5", {}, True, False),
        ("", {}, True, False),
        ("claude-opus-5-5", {}, False, True),  # it was served all the same
        ("claude-sonnet-5-5", {f"{UNIFIED}overage-status": "allowed"}, False, True),
        ("claude-sonnet-5-5", {f"{UNIFIED}overage-status": "rejected"}, True, False),
        ("claude-opus-5-5", {f"{UNIFIED}status": "rejected"}, True, False),
        ("claude-opus-5-5", {f"{UNIFIED}status": " Rejected "}, True, False),
        ("claude-opus-5-5", {f"{UNIFIED}status": "rejected", f"{UNIFIED}overage-status": "allowed_warning"}, False, True),
    ],
)
def test_windows_verdict_is_on_the_model_that_was_called(called: str, more: dict[str, str], exhausted: bool, extra: bool) -> None:
    found = {reading.name: reading for reading in read_windows({**OPUS_FULL, **more}, NOW, called)}
    assert (found["7d_opus"].exhausted, found["7d_opus"].extra) == (exhausted, extra)
    assert not found["5h"].exhausted
    assert not found["7d_opus"].blocks("claude-haiku-5-5", NOW)


def test_windows_verdict_spells_out_a_window_that_headers_shorten() -> None:
    headers = {**OPUS_FULL, f"{UNIFIED}status": "rejected", f"{UNIFIED}representative-claim": "seven_day_opus"}
    assert sorted(read(headers)) == ["5h", "7d_opus"]


def test_windows_credits_pay_for_a_codex_window_that_is_used_up() -> None:
    headers = {"x-codex-primary-used-percent": "100", "x-codex-credits-has-credits": "True"}
    [reading] = read(headers).values()
    assert (reading.exhausted, reading.extra) == (False, True)
