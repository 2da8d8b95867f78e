"""A limit that counts some models of a plan leaves the others alone, however it is told."""

from __future__ import annotations

import pytest

from openclaw_oauthrouter.errors import UpstreamAuthenticationError, UpstreamBillingError, UpstreamError, UpstreamRateLimitError
from openclaw_oauthrouter.health.registry import HealthRegistry

NOW = 1_763_800_000.0
UNIFIED = "anthropic-ratelimit-unified-"
CLAIM = {
    f"{UNIFIED}status": "rejected",
    f"{UNIFIED}representative-claim": "seven_day_opus",
    f"{UNIFIED}reset": "300000",
    f"{UNIFIED}5h-utilization": "0.2",
    f"{UNIFIED}5h-status": "allowed",
    f"{UNIFIED}5h-reset": "9000",
}
ACCOUNT = {**CLAIM, f"{UNIFIED}representative-claim": "five_hour", f"{UNIFIED}5h-utilization": "1.0"}
OPUS, OTHER_OPUS, SONNET = "claude-opus-5-5", "claude-opus-5", "claude-sonnet-5-5"


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


def refused(headers: dict[str, str], error: UpstreamError) -> tuple[HealthRegistry, Clock]:
    clock = Clock()
    registry = HealthRegistry(clock)
    registry.calling("anthropic", OPUS, "a")
    registry.observe_headers("anthropic", "a", headers, OPUS)
    registry.failed("anthropic", OPUS, "a", error)
    return registry, clock


@pytest.mark.parametrize(
    ("headers", "error", "blocked"),
    [
        (CLAIM, UpstreamRateLimitError("This request would exceed your account's rate limit."), {OPUS, OTHER_OPUS}),
        (CLAIM, UpstreamBillingError("You've reached your Opus usage limit.", retry_after=300_000), {OPUS, OTHER_OPUS}),
        ({}, UpstreamBillingError("You've reached your Opus usage limit."), {OPUS, OTHER_OPUS}),
        ({}, UpstreamRateLimitError("Opus weekly limit reached, resets Oct 2", retry_after=9000), {OPUS, OTHER_OPUS}),
        (
            {},
            UpstreamRateLimitError("You've reached your Sonnet limit."),
            {OPUS, OTHER_OPUS, SONNET},
        ),  # not about what was called
        ({}, UpstreamRateLimitError("claude-opus-5-5 is busy. A limit of the account."), {OPUS, OTHER_OPUS, SONNET}),
        (ACCOUNT, UpstreamRateLimitError("This request would exceed your account's rate limit."), {OPUS, OTHER_OPUS, SONNET}),
        (CLAIM, UpstreamAuthenticationError("the token is revoked"), {OPUS, OTHER_OPUS, SONNET}),
    ],
)
def test_registry_limit_of_some_models_blocks_those(headers: dict[str, str], error: UpstreamError, blocked: set[str]) -> None:
    registry, _ = refused(headers, error)
    assert {model for model in (OPUS, OTHER_OPUS, SONNET) if registry.blocked("anthropic", model, "a")} == blocked
    assert registry.blocked("anthropic", OPUS, "b") is None


def test_registry_limit_of_some_models_ends_with_its_window_and_is_looked_at_before() -> None:
    registry, clock = refused(CLAIM, UpstreamRateLimitError("no"))
    assert "the 7d_opus limit of a is used up for another 300000 s" in str(registry.blocked("anthropic", OPUS, "a"))
    clock.now += 61
    assert registry.blocked("anthropic", OPUS, "a") is None  # one request may look
    registry.calling("anthropic", OPUS, "a")
    assert registry.blocked("anthropic", OTHER_OPUS, "a")
    registry.succeeded("anthropic", OPUS, "a")
    assert registry.blocked("anthropic", OTHER_OPUS, "a") is None


@pytest.mark.parametrize("wait", [0.0, -5.0])
def test_registry_wait_of_no_length_is_none(wait: float) -> None:
    registry, clock = refused({}, UpstreamRateLimitError("slow down", retry_after=wait))
    assert registry.blocked("anthropic", SONNET, "a")
    assert registry.told("anthropic", SONNET, "a") is None
    clock.now += 16
    assert registry.blocked("anthropic", SONNET, "a") is None


@pytest.mark.parametrize(
    ("wait", "told"),
    [
        (None, "the 5h limit of a is used up for another 9000 s"),
        (60.0, "the 5h limit of a is used up for another 9000 s"),
        (600_000.0, "credential a is left alone for another 600000 s"),
    ],
)
def test_registry_tells_the_reason_that_lasts_longest(wait: float | None, told: str) -> None:
    registry, clock = refused(ACCOUNT, UpstreamRateLimitError("limit reached", retry_after=wait))
    assert str(registry.blocked("anthropic", SONNET, "a")).startswith(told)
    clock.now += 10
    assert registry.blocked("anthropic", SONNET, "a")
