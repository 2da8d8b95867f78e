"""What is left alone, for how long, and what ends it."""

from __future__ import annotations

from itertools import pairwise

import pytest

from openclaw_oauthrouter.canonical.failure import FailureRule
from openclaw_oauthrouter.errors import (
    UpstreamAuthenticationError,
    UpstreamBillingError,
    UpstreamConnectionError,
    UpstreamContextError,
    UpstreamError,
    UpstreamModelError,
    UpstreamOverloadedError,
    UpstreamRateLimitError,
    UpstreamStatusError,
    UpstreamTimeout,
)
from openclaw_oauthrouter.health.cooldowns import MOST_SUBJECTS, PROBE_SECONDS, Cooldowns, Subject
from openclaw_oauthrouter.health.failures import classify_failure
from openclaw_oauthrouter.health.plan_windows import MOST_WINDOWS, PlanWindows
from openclaw_oauthrouter.health.registry import HealthRegistry
from openclaw_oauthrouter.health.windows import Reading
from openclaw_oauthrouter.interfaces import Health

OPUS, HAIKU, KEY, PLAN = "claude-opus-4-6", "claude-haiku-4-5", "anthropic:key", "anthropic:plan"


class Clock:
    def __init__(self) -> None:
        self.now = 1_763_800_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def registry(clock: Clock) -> HealthRegistry:
    health: Health = HealthRegistry(clock)
    assert isinstance(health, HealthRegistry)
    return health


def reach(registry: HealthRegistry) -> dict[str, bool]:
    """What is blocked after a failure of OPUS with KEY."""
    return {
        "same call": registry.blocked("anthropic", OPUS, KEY) is not None,
        "other model": registry.blocked("anthropic", HAIKU, KEY) is not None,
        "other credential": registry.blocked("anthropic", OPUS, PLAN) is not None,
        "other provider": registry.blocked("openai", OPUS, KEY) is not None,
    }


SCOPES = {
    "request": (False, False, False, False),
    "model": (True, False, True, False),
    "credential": (True, True, False, False),
    "provider": (True, True, True, False),
}


@pytest.mark.parametrize(
    ("error", "scope"),
    [
        (UpstreamStatusError("bad field", status_code=400), "request"),
        (UpstreamStatusError("no such path", status_code=404), "request"),
        (UpstreamStatusError("too large", status_code=413), "request"),
        (UpstreamStatusError("bad schema", status_code=422), "request"),
        (UpstreamContextError("too long", upstream_status=400), "request"),
        (UpstreamModelError("gone", upstream_status=404), "model"),
        (UpstreamOverloadedError("busy", upstream_status=529), "model"),
        (UpstreamStatusError("oops", status_code=500), "model"),
        (UpstreamTimeout("slow"), "model"),
        (UpstreamRateLimitError("Rate limit reached for gpt-5 in organization x", upstream_status=429), "model"),
        (UpstreamRateLimitError("slow down", upstream_status=429), "credential"),
        (UpstreamRateLimitError("x", code="usage_limit_reached", upstream_status=429), "credential"),
        (UpstreamBillingError("You're out of extra usage", upstream_status=400), "credential"),
        (UpstreamAuthenticationError("bad key", upstream_status=401), "credential"),
        (UpstreamConnectionError("refused", code="upstream_unreachable"), "provider"),
    ],
)
def test_registry_failure_reaches_as_far_as_its_evidence(registry: HealthRegistry, error: UpstreamError, scope: str) -> None:
    registry.failed("anthropic", OPUS, KEY, error)
    assert tuple(reach(registry).values()) == SCOPES[scope]


def test_registry_cooldown_says_why_and_ends(registry: HealthRegistry, clock: Clock) -> None:
    registry.failed("anthropic", OPUS, KEY, UpstreamOverloadedError("busy", upstream_status=529))
    assert registry.blocked("anthropic", OPUS, KEY) == (
        f"model {OPUS} is left alone for another 15 s: "
        "the provider is overloaded, or the model is still loading or has crashed (busy)"
    )
    clock.now += 15
    assert registry.blocked("anthropic", OPUS, KEY) is None


def cooldowns_in_a_row(registry: HealthRegistry, clock: Clock, error: UpstreamError, count: int) -> list[float]:
    lengths = []
    for _ in range(count):
        registry.failed("anthropic", OPUS, KEY, error)
        [entry] = registry.snapshot()["cooldowns"]
        lengths.append(entry["seconds_left"])
        clock.now += entry["seconds_left"]
    return lengths


def test_registry_it_doubles_up_to_a_cap(registry: HealthRegistry, clock: Clock) -> None:
    lengths = cooldowns_in_a_row(registry, clock, UpstreamOverloadedError("busy", upstream_status=529), 60)
    assert lengths[:4] == [15, 30, 60, 120]
    assert lengths[-1] == 600
    assert all(later == min(2 * former, 600) for former, later in pairwise(lengths))


def test_registry_success_starts_anew(registry: HealthRegistry, clock: Clock) -> None:
    busy = UpstreamOverloadedError("busy", upstream_status=529)
    cooldowns_in_a_row(registry, clock, busy, 3)
    registry.succeeded("anthropic", OPUS, KEY)
    assert cooldowns_in_a_row(registry, clock, busy, 1) == [15]


def test_calls_that_fail_together_are_one_incident(registry: HealthRegistry) -> None:
    for _ in range(50):
        registry.failed("anthropic", OPUS, KEY, UpstreamOverloadedError("busy", upstream_status=529))
    [entry] = registry.snapshot()["cooldowns"]
    assert (entry["failures"], entry["seconds_left"]) == (1, 15)


def test_registry_provider_s_own_time_counts(registry: HealthRegistry, clock: Clock) -> None:
    registry.failed("anthropic", OPUS, KEY, UpstreamRateLimitError("slow", retry_after=7, upstream_status=429))
    clock.now += 6.9
    assert registry.blocked("anthropic", OPUS, KEY)
    clock.now += 0.1
    assert registry.blocked("anthropic", OPUS, KEY) is None


def test_registry_time_that_is_nonsense_is_bounded(registry: HealthRegistry, clock: Clock) -> None:
    registry.failed("anthropic", OPUS, KEY, UpstreamRateLimitError("slow", retry_after=1e9, upstream_status=429))
    clock.now += 8 * 86_400
    assert registry.blocked("anthropic", OPUS, KEY) is None


# ------------------------------------------------------------------ probes


def test_registry_one_call_a_minute_looks_whether_it_works_again(registry: HealthRegistry, clock: Clock) -> None:
    registry.failed("anthropic", OPUS, KEY, UpstreamBillingError("no credit", upstream_status=402))
    clock.now += 59
    assert registry.blocked("anthropic", OPUS, KEY)
    clock.now += 1
    for _ in range(3):  # asking is no call: routes are planned and explained without one
        assert registry.blocked("anthropic", OPUS, KEY) is None
    registry.calling("anthropic", OPUS, KEY)
    assert registry.blocked("anthropic", OPUS, KEY)
    clock.now += 1
    assert registry.blocked("anthropic", OPUS, KEY)
    clock.now += 59
    assert registry.blocked("anthropic", OPUS, KEY) is None


def test_registry_probe_that_succeeds_opens_for_all(registry: HealthRegistry, clock: Clock) -> None:
    registry.failed("anthropic", OPUS, KEY, UpstreamBillingError("no credit", upstream_status=402))
    clock.now += 60
    registry.calling("anthropic", OPUS, KEY)
    registry.succeeded("anthropic", OPUS, KEY)
    clock.now += 5
    assert registry.blocked("anthropic", OPUS, KEY) is None


def test_registry_probe_that_fails_closes_for_twice_as_long(registry: HealthRegistry, clock: Clock) -> None:
    refused = UpstreamBillingError("no credit", upstream_status=402)
    registry.failed("anthropic", OPUS, KEY, refused)
    clock.now += 60
    registry.calling("anthropic", OPUS, KEY)
    registry.failed("anthropic", OPUS, KEY, refused)
    assert registry.blocked("anthropic", OPUS, KEY)
    assert registry.snapshot()["cooldowns"][0]["seconds_left"] == 1200


# ------------------------------------------------------------------ windows


def test_registry_model_s_limit_that_is_over_says_nothing_of_the_account(registry: HealthRegistry, clock: Clock) -> None:
    registry.failed("openai", "gpt-5.4", KEY, UpstreamBillingError("no credit", upstream_status=402))
    for remaining in ("0", "3"):
        limits = {"x-ratelimit-limit-requests": "10", "x-ratelimit-remaining-requests": remaining}
        registry.observe_headers("openai", KEY, {**limits, "x-ratelimit-reset-requests": "9s"}, model="gpt-5.4")
    assert registry.blocked("openai", "gpt-5.5", KEY)


def plan(status: str, reset: float) -> dict[str, str]:
    return {
        "anthropic-ratelimit-unified-status": status,
        "anthropic-ratelimit-unified-representative-claim": "five_hour",
        "anthropic-ratelimit-unified-5h-status": status,
        "anthropic-ratelimit-unified-5h-utilization": "1.0" if status == "rejected" else "0.1",
        "anthropic-ratelimit-unified-5h-reset": str(reset),
    }


def test_registry_used_up_window_blocks_its_credential_until_the_reset(registry: HealthRegistry, clock: Clock) -> None:
    registry.observe_headers("anthropic", PLAN, plan("rejected", clock.now + 50), model=OPUS)
    assert registry.blocked("anthropic", HAIKU, PLAN) == "the 5h limit of anthropic:plan is used up for another 50 s"
    assert registry.blocked("anthropic", HAIKU, KEY) is None
    assert registry.blocked("anthropic", HAIKU) is None
    clock.now += 50
    assert registry.blocked("anthropic", HAIKU, PLAN) is None


def test_registry_probe_that_succeeds_opens_the_window_though_its_answer_has_no_headers(
    registry: HealthRegistry, clock: Clock
) -> None:
    registry.observe_headers("anthropic", PLAN, plan("rejected", clock.now + 9000))
    registry.succeeded("anthropic", OPUS, PLAN)
    assert registry.blocked("anthropic", OPUS, PLAN), "that call had begun before the window was used up"
    clock.now += 60
    assert registry.blocked("anthropic", OPUS, PLAN) is None
    registry.calling("anthropic", OPUS, PLAN)
    registry.succeeded("anthropic", OPUS, PLAN)
    clock.now += 5
    assert registry.blocked("anthropic", OPUS, PLAN) is None


def test_registry_call_that_nobody_kept_back_shows_that_the_window_is_open(registry: HealthRegistry, clock: Clock) -> None:
    registry.observe_headers("anthropic", PLAN, plan("rejected", clock.now + 9000))
    clock.now += 60
    registry.succeeded("anthropic", OPUS, PLAN)
    assert registry.blocked("anthropic", OPUS, PLAN) is None
    assert registry.snapshot()["windows"][0]["exhausted"] is False


def test_registry_row_without_a_cooldown_leaves_nothing_alone(clock: Clock) -> None:
    registry = HealthRegistry(clock, rule_for=lambda error: FailureRule("x", "x", "provider", (), None, "x"))
    registry.failed("anthropic", OPUS, KEY, UpstreamTimeout("slow"))
    assert not any(reach(registry).values())


def test_registry_window_is_tried_less_and_less_often(registry: HealthRegistry, clock: Clock) -> None:
    reset = clock.now + 86_400
    pauses = []
    for _ in range(7):
        registry.observe_headers("anthropic", PLAN, plan("rejected", reset))
        began = clock.now
        while registry.blocked("anthropic", OPUS, PLAN):
            clock.now += 20
        registry.calling("anthropic", OPUS, PLAN)
        pauses.append(clock.now - began)
    assert pauses == [60, 120, 240, 480, 900, 900, 900]
    registry.observe_headers("anthropic", PLAN, plan("allowed", reset))
    registry.observe_headers("anthropic", PLAN, plan("rejected", reset))
    clock.now += 60
    assert registry.blocked("anthropic", OPUS, PLAN) is None


def test_registry_api_limit_counts_for_the_model_that_was_called(registry: HealthRegistry) -> None:
    used_up = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "20s"}
    registry.observe_headers("openai", KEY, used_up, model="gpt-5.4")
    assert registry.blocked("openai", "gpt-5.4", KEY)
    assert registry.blocked("openai", "gpt-5.5", KEY) is None


def test_registry_success_does_not_open_a_window_that_the_same_answer_used_up(registry: HealthRegistry, clock: Clock) -> None:
    used_up = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "20s"}
    registry.observe_headers("openai", KEY, used_up, model="gpt-5.4")
    registry.succeeded("openai", "gpt-5.4", KEY)
    assert registry.blocked("openai", "gpt-5.4", KEY)


def test_script_cooldown_that_outlives_its_reset(registry: HealthRegistry, clock: Clock) -> None:
    """A week's cooldown, though the plan was reset early: a probe finds out within a minute."""
    week = 6 * 86_400
    registry.observe_headers("openai-codex", PLAN, {**codex_window(100, clock.now + week)})
    registry.failed("openai-codex", "gpt-6-sol", PLAN, UpstreamRateLimitError("x", code="usage_limit_reached", retry_after=week))
    clock.now += 60
    assert registry.blocked("openai-codex", "gpt-6-sol", PLAN) is None
    registry.observe_headers("openai-codex", PLAN, {**codex_window(1, clock.now + week)})
    registry.succeeded("openai-codex", "gpt-6-sol", PLAN)
    clock.now += 2
    assert registry.blocked("openai-codex", "gpt-6-terra", PLAN) is None


def test_script_news_of_a_reset_by_another_call_ends_the_cooldown(registry: HealthRegistry, clock: Clock) -> None:
    registry.observe_headers("openai-codex", PLAN, {**codex_window(100, clock.now + 9000)})
    registry.failed("openai-codex", "gpt-6-sol", PLAN, UpstreamRateLimitError("x", code="usage_limit_reached", retry_after=9000))
    clock.now += 5
    registry.observe_headers("openai-codex", PLAN, {**codex_window(0, clock.now + 9000)})
    assert registry.blocked("openai-codex", "gpt-6-sol", PLAN) is None


def test_headers_of_a_refusal_do_not_end_its_own_cooldown(registry: HealthRegistry, clock: Clock) -> None:
    for _ in range(2):
        registry.failed("anthropic", OPUS, PLAN, UpstreamRateLimitError("slow", upstream_status=429))
        registry.observe_headers("anthropic", PLAN, plan("allowed", clock.now + 9000))
    assert registry.blocked("anthropic", OPUS, PLAN)


def test_script_an_account_wide_limit_is_not_asked_for_again_with_each_model(registry: HealthRegistry) -> None:
    registry.failed("openai-codex", "gpt-6-sol", PLAN, UpstreamRateLimitError("x", code="usage_limit_reached", retry_after=500))
    assert registry.blocked("openai-codex", "gpt-6-terra", PLAN)


def test_script_one_model_s_limit_leaves_the_provider_open(registry: HealthRegistry) -> None:
    registry.failed(
        "openai", "gpt-5.5", KEY, UpstreamRateLimitError("Rate limit reached for gpt-5.5 in organization", upstream_status=429)
    )
    assert registry.blocked("openai", "gpt-5.4-mini", KEY) is None


def codex_window(percent: float, reset: float) -> dict[str, str]:
    return {
        "x-codex-primary-used-percent": str(percent),
        "x-codex-primary-window-minutes": "10080",
        "x-codex-primary-reset-at": str(reset),
    }


def test_registry_any_number_of_models_takes_a_bounded_room(registry: HealthRegistry, clock: Clock) -> None:
    used_up = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "20s"}
    for number in range(MOST_SUBJECTS + 5):
        clock.now += 0.001
        registry.failed("openai", f"no-such-model-{number}", KEY, UpstreamModelError("gone", upstream_status=404))
        registry.observe_headers("openai", KEY, used_up, model=f"no-such-model-{number}")
    snapshot = registry.snapshot()
    assert len(snapshot["cooldowns"]) == len(snapshot["windows"]) == MOST_SUBJECTS
    assert registry.blocked("openai", f"no-such-model-{MOST_SUBJECTS + 4}", KEY)
    assert registry.blocked("openai", "no-such-model-4", KEY) is None


def test_probes_are_forgotten_with_what_they_probe(clock: Clock) -> None:
    cooldowns, windows = Cooldowns(clock), PlanWindows(clock)
    limited = UpstreamRateLimitError("slow down", upstream_status=429, retry_after=3600.0)
    for number in range(MOST_SUBJECTS + 50):
        subject = Subject("model", "openai", f"no-such-model-{number}")
        cooldowns.begin(subject, classify_failure(limited), limited)
        reading = Reading("tokens", 1.0, clock.now + 86_400.0, True, "", clock.now, per_model=True)
        windows.observe("openai", KEY, f"no-such-model-{number}", [reading])
        clock.now += PROBE_SECONDS + 1  # a probe is due
        cooldowns.calling(subject)
        windows.calling("openai", KEY, f"no-such-model-{number}")
    for probes in (cooldowns._probes, windows._probes):
        assert 0 < len(probes._started) <= MOST_SUBJECTS
        assert len(probes._pauses) <= MOST_SUBJECTS


def test_registry_provider_that_names_ever_new_windows_takes_a_bounded_room(registry: HealthRegistry) -> None:
    for number in range(MOST_WINDOWS * 3):
        minutes = str(100 + number)
        registry.observe_headers(
            "openai-codex", KEY, {**codex_window(50.0, 1_795_009_000.0), "x-codex-primary-window-minutes": minutes}
        )
    assert 0 < len(registry.snapshot()["windows"]) <= MOST_WINDOWS


# ------------------------------------------------------------------ for people


def test_registry_snapshot(registry: HealthRegistry, clock: Clock) -> None:
    registry.failed("deepseek", "deepseek-chat", None, UpstreamConnectionError("refused", code="upstream_unreachable"))
    registry.observe_headers("anthropic", PLAN, plan("rejected", clock.now + 100))
    registry.observe_headers("anthropic", PLAN, {"content-type": "text/plain"})
    assert registry.snapshot() == {
        "cooldowns": [
            {
                "scope": "provider",
                "provider": "deepseek",
                "name": None,
                "until": "2025-11-22T08:26:50+00:00",
                "seconds_left": 10.0,
                "failures": 1,
                "reason": "no connection: it was refused, the host does not exist, or connecting took too long (refused)",
            }
        ],
        "windows": [
            {
                "provider": "anthropic",
                "credential": PLAN,
                "model": None,
                "window": "5h",
                "used": 1.0,
                "exhausted": True,
                "resets_at": "2025-11-22T08:28:20+00:00",
                "runs_out_at": "2025-11-22T08:26:40+00:00",
                "observed_at": "2025-11-22T08:26:40+00:00",
            }
        ],
    }
    clock.now += 100
    later = registry.snapshot()
    assert later["cooldowns"] == []
    assert later["windows"][0]["exhausted"] is False
