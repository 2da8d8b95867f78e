"""What an answer says of itself in its headers."""

from __future__ import annotations

from collections.abc import Mapping

from openclaw_oauthrouter.canonical.routing import RoutingDecision
from openclaw_oauthrouter.canonical.trace import RequestRecord
from openclaw_oauthrouter.errors import OAuthRouterError, UpstreamAuthenticationError, UpstreamError

_KEPT_PREFIXES = ("anthropic-ratelimit-", "x-ratelimit-", "x-codex-")
_MOST_KEPT = 60
_LONGEST_VALUE = 500
"""Python's own client refuses answers of more than a hundred headers; the busiest vendor sends about twenty of these."""

_UPSTREAM_IDS = ("request-id", "x-request-id")


def answer_headers(
    record: RequestRecord, explain: bool, upstream: Mapping[str, str], content_type: str | None = None
) -> dict[str, str]:
    """Header fields of an answer.

    :param explain: include ``x-oauthrouter-*``
    :param upstream: the upstream's own headers; its rate limits and request id are passed on
    """
    headers = {"x-request-id": record.request_id}
    if content_type is not None:
        headers["content-type"] = content_type
    for name, value in upstream.items():
        if name.startswith(_KEPT_PREFIXES) and len(headers) < _MOST_KEPT and len(value) <= _LONGEST_VALUE:
            headers[name] = value
        elif name in _UPSTREAM_IDS:
            headers["x-upstream-request-id"] = value
    if explain and record.decision is not None:
        _explain(record, record.decision, headers)
    return headers


def refusal_headers(error: OAuthRouterError) -> Mapping[str, str]:
    """The headers of the provider's answer that an error is made of; none where it is not, or speaks of the gateway's own credential."""
    if not isinstance(error, UpstreamError) or isinstance(error, UpstreamAuthenticationError) or error.refusal is None:
        return {}
    return error.refusal.headers


def _explain(record: RequestRecord, decision: RoutingDecision, headers: dict[str, str]) -> None:
    headers["x-oauthrouter-model"] = record.model_answered or decision.model
    headers["x-oauthrouter-reason"] = decision.reasoning[:200]
    headers["x-oauthrouter-cost"] = "unknown" if decision.cost_estimate is None else f"{decision.cost_estimate:.6f}"
    if decision.tier is not None:
        headers["x-oauthrouter-tier"] = decision.tier
        headers["x-oauthrouter-confidence"] = f"{decision.confidence:.3f}"
    if record.budget_warnings:
        headers["x-oauthrouter-budget"] = "; ".join(record.budget_warnings)[:300]
    if record.downgraded_from is not None:
        headers["x-oauthrouter-downgraded-from"] = record.downgraded_from
    if record.notes:
        headers["x-oauthrouter-notes"] = "; ".join(str(note) for note in record.notes)[:500]
    attempts = record.attempts
    if len(attempts) > 1 or (attempts and attempts[0].outcome != "ok"):
        headers["x-oauthrouter-attempts"] = ", ".join(f"{a.provider}/{a.model}: {a.outcome}" for a in attempts)[:500]
