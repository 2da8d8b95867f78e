"""The table of failures: each failure finds its row, and the page shows the table."""

from __future__ import annotations

from pathlib import Path

import pytest

from openclaw_oauthrouter import errors
from openclaw_oauthrouter.canonical.failure import FailureRule
from openclaw_oauthrouter.errors import (
    AllUpstreamsFailed,
    UpstreamAuthenticationError,
    UpstreamBillingError,
    UpstreamConnectionError,
    UpstreamContextError,
    UpstreamEndpointError,
    UpstreamError,
    UpstreamModelError,
    UpstreamOverloadedError,
    UpstreamProtocolError,
    UpstreamRateLimitError,
    UpstreamStatusError,
    UpstreamTimeout,
)
from openclaw_oauthrouter.health.failures import FAILURE_RULES, FailureTable, classify_failure
from openclaw_oauthrouter.health.failures_page import failures_page

PAGE = Path(__file__).resolve().parents[3] / "docs" / "failures.md"

EXAMPLES: list[tuple[UpstreamError, str]] = [
    (UpstreamConnectionError("anthropic cannot be reached: certificate verify failed", code="upstream_unreachable"), "tls"),
    (UpstreamConnectionError("anthropic cannot be reached: [SSL: WRONG_VERSION_NUMBER]", code="upstream_unreachable"), "tls"),
    (
        UpstreamConnectionError(
            "cannot be reached: Cannot connect to host x:443 ssl:default [refused]", code="upstream_unreachable"
        ),
        "unreachable",
    ),
    (UpstreamConnectionError("anthropic cannot be reached: refused", code="upstream_unreachable"), "unreachable"),
    (UpstreamConnectionError("anthropic closed the connection without answering"), "connection-lost"),
    (UpstreamTimeout("anthropic did not answer within 300 s"), "time-out"),
    (UpstreamTimeout("anthropic fell silent for 120 s in the middle of its answer"), "time-out"),
    (UpstreamTimeout("gateway timeout", upstream_status=504), "time-out"),
    (UpstreamContextError("prompt is too long: 210000 tokens > 200000 maximum", upstream_status=400), "context-overflow"),
    (UpstreamBillingError("You're out of extra usage", upstream_status=400), "out-of-extra-usage"),
    (UpstreamBillingError("Insufficient credits", upstream_status=402), "billing"),
    (UpstreamBillingError("You exceeded your current quota", upstream_status=429), "billing"),
    (UpstreamAuthenticationError("project has no access to model gpt-6-sol", upstream_status=403), "model-not-permitted"),
    (UpstreamAuthenticationError("account disabled", upstream_status=403), "forbidden"),
    (UpstreamAuthenticationError("invalid x-api-key", upstream_status=401), "unauthorized"),
    (UpstreamAuthenticationError("token expired"), "unauthorized"),
    (UpstreamModelError("model: claude-2 not found", upstream_status=404), "model-gone"),
    (UpstreamRateLimitError("The usage limit has been reached", code="usage_limit_reached", upstream_status=429), "plan-window"),
    (UpstreamRateLimitError("x", upstream_type="usage_limit_reached", upstream_status=429), "plan-window"),
    (UpstreamRateLimitError("Request too large for gpt-5.5 on tokens per min", upstream_status=429), "more-than-a-minute-holds"),
    (UpstreamRateLimitError("Rate limit reached for gpt-5.5 in organization org-1", upstream_status=429), "model-rate-limit"),
    (UpstreamRateLimitError("Number of requests has exceeded your rate limit", upstream_status=429), "rate-limit"),
    (UpstreamOverloadedError("Overloaded", upstream_status=529), "overloaded"),
    (UpstreamOverloadedError("Overloaded", upstream_type="overloaded_error"), "overloaded"),
    (UpstreamProtocolError("its answer repeats 'ha' without end", code="endless_answer"), "endless-answer"),
    (UpstreamProtocolError("the provider's answer is incomplete"), "empty-answer"),
    (UpstreamProtocolError("an empty answer"), "empty-answer"),
    (UpstreamProtocolError("the provider's stream is broken: bad JSON"), "malformed"),
    (UpstreamStatusError("too large", status_code=413), "too-large"),
    (UpstreamStatusError("conflict", status_code=409), "conflict"),
    (UpstreamStatusError("internal error", status_code=500), "server-error"),
    (UpstreamStatusError("bad gateway", status_code=502), "server-error"),
    (UpstreamStatusError("web server is down", status_code=520), "server-error"),
    (UpstreamStatusError("error event", status_code=200), "server-error"),
    (UpstreamEndpointError("404 page not found", upstream_status=404), "endpoint"),
    (UpstreamStatusError("unknown parameter", status_code=400), "cannot-do-this"),
    (UpstreamStatusError("messages: at least one", status_code=400), "refused"),
    (UpstreamStatusError("?", status_code=400, param="tools[0]"), "refused"),
    (UpstreamStatusError("bad request", status_code=400), "unsaid"),
    (UpstreamStatusError("who knows", status_code=422), "unsaid"),
    (UpstreamError("something new"), "unknown"),
    (AllUpstreamsFailed([("a", UpstreamTimeout("x")), ("b", UpstreamTimeout("y"))]), "unknown"),
]


@pytest.mark.parametrize(("error", "name"), EXAMPLES, ids=[f"{name}-{index}" for index, (_, name) in enumerate(EXAMPLES)])
def test_failures_each_failure_finds_its_row(error: UpstreamError, name: str) -> None:
    assert classify_failure(error).name == name
    assert FailureTable().rule_for(error).name == name


def test_failures_no_row_is_out_of_reach() -> None:
    assert {name for _, name in EXAMPLES} == {rule.name for rule in FAILURE_RULES}


def test_rows_have_names_of_their_own_and_name_real_errors() -> None:
    assert len({rule.name for rule in FAILURE_RULES}) == len(FAILURE_RULES)
    assert all(rule.error is None or issubclass(getattr(errors, rule.error), UpstreamError) for rule in FAILURE_RULES)


def test_failures_client_s_mistake_leaves_nothing_alone() -> None:
    for rule in FAILURE_RULES:
        assert (rule.cooldown is None) == (rule.scope == "request")


def test_failures_time_out_is_never_repeated() -> None:
    assert "retry" not in classify_failure(UpstreamTimeout("slow")).actions


MINE = FailureRule(
    name="maintenance",
    happened="the provider says that it is under maintenance",
    scope="provider",
    actions=("next_candidate",),
    cooldown=None,
    client_gets="503",
    statuses=(503,),
    words=("maintenance",),
)


def test_failures_plugin_s_row_comes_first() -> None:
    table = FailureTable([MINE])
    assert table.rule_for(UpstreamOverloadedError("Down for Maintenance", upstream_status=503)) is MINE
    assert table.rule_for(UpstreamOverloadedError("busy", upstream_status=503)).name == "overloaded"


def test_failures_plugin_s_row_replaces_the_one_of_its_name() -> None:
    mine = FailureRule("time-out", "x", "request", (), None, "504", error="UpstreamTimeout", words=("never",))
    table = FailureTable([mine])
    assert [rule for rule in table.rules if rule.name == "time-out"] == [mine]
    assert table.rule_for(UpstreamTimeout("slow")).name == "unknown"


def test_failures_page_shows_the_table() -> None:
    expected = failures_page()
    assert PAGE.read_text(encoding="utf-8") == expected, (
        "docs/failures.md is out of date: python -m openclaw_oauthrouter.health.failures_page > docs/failures.md"
    )
