"""What single calls are taken to have used up of a plan's windows."""

from __future__ import annotations

import pytest

from openclaw_oauthrouter.canonical.routing import WindowShare
from openclaw_oauthrouter.health.registry import HealthRegistry

NOW = 1_795_000_000.0


def claude(share: float, *, reset: float = NOW + 9000, window: str = "5h") -> dict[str, str]:
    return {
        "anthropic-ratelimit-unified-status": "allowed",
        f"anthropic-ratelimit-unified-{window}-status": "allowed",
        f"anthropic-ratelimit-unified-{window}-utilization": str(share),
        f"anthropic-ratelimit-unified-{window}-reset": f"{reset:.0f}",
    }


class Account:
    """One plan, its readings and calls."""

    def __init__(self) -> None:
        self.health = HealthRegistry(lambda: NOW)

    def told(self, *args: float, **more: object) -> None:
        self.health.observe_headers("anthropic", "me", claude(*args, **more))  # type: ignore[arg-type]

    def call(self, dollars: float, model: str = "claude-opus-5-5") -> list[WindowShare]:
        return list(self.health.charged("anthropic", model, "me", dollars))


def test_window_shares_share_is_unknown_until_the_window_was_seen_to_fill() -> None:
    account = Account()
    assert account.call(1.0) == []
    account.told(0.10)
    assert account.call(1.0) == [WindowShare("5h", 0.10, None)]
    account.told(0.10)
    assert account.call(1.0) == [WindowShare("5h", 0.10, None)], "a whole per cent is not reached yet; that is not nothing"
    account.told(0.12)
    assert account.call(0.5) == [WindowShare("5h", 0.12, pytest.approx(0.005))]


def test_shares_add_up_to_what_the_window_filled_by() -> None:
    account = Account()
    used, total, told = 0.0, 0.0, 0
    account.told(0.0)
    for number in range(400):
        dollars = 0.05 + 0.1 * (number % 7)
        share = account.call(dollars)[0].share
        used += dollars * 0.002
        if share is not None:
            total, told = total + share, told + 1
        account.told(int(used * 100) / 100)
    assert told > 350
    assert total == pytest.approx(used, rel=0.1)


def test_window_shares_new_window_is_not_a_negative_share() -> None:
    account = Account()
    account.told(0.50)
    account.call(1.0)
    account.told(0.60)
    account.call(5.0)
    account.told(0.01, reset=NOW + 30_000)
    assert account.call(1.0) == [WindowShare("5h", 0.01, pytest.approx(0.1))], (
        "what a dollar takes is known from the window before"
    )


def test_windows_of_single_models_count_those_only() -> None:
    account = Account()
    for share in (0.1, 0.2):
        account.told(share, window="7d_opus")
        account.told(share / 2)
        account.call(1.0)
    assert [one.window for one in account.call(1.0)] == ["7d_opus", "5h"]
    assert [one.window for one in account.call(1.0, "claude-haiku-5-5")] == ["5h"]


def test_rate_limits_of_a_key_are_no_windows() -> None:
    health = HealthRegistry(lambda: NOW)
    limits = {"anthropic-ratelimit-tokens-limit": "1000", "anthropic-ratelimit-tokens-remaining": "10"}
    health.observe_headers("anthropic", "key", limits, model="claude-opus-5-5")
    assert health.charged("anthropic", "claude-opus-5-5", "key", 1.0) == ()


def test_accounts_are_bounded() -> None:
    health = HealthRegistry(lambda: NOW)
    for number in range(600):
        health.observe_headers("anthropic", f"account {number}", claude(0.1))
    assert len(health._shares._meters) <= 256
