"""What the outside sees of a request: the original's trace event, field for field, and more.

Fields without a value are left out, as in the original. Never holds a secret; holds the prompt only where ``telemetry.prompts`` is on.
"""

from __future__ import annotations

from itertools import pairwise

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.routing import CandidateCost, Classification, RoutingDecision, SkippedCandidate, WindowShare
from openclaw_oauthrouter.canonical.trace import Attempt, RequestRecord
from openclaw_oauthrouter.telemetry.redact import redact

SPEND_WORDS = {"allow": "allowed", "deny": "blocked", "downgrade": "downgraded"}
"""Our word -> the original's."""

_PROMPT_FEATURE = lazily(r"(?:.*_)?text")
"""Features that hold words of a prompt; the others are counts, names and flags."""


_CANDIDATES_SHOWN = 8
"""A route's reserve may be every model there is; a line of the trace need not list it."""


def public_record(record: RequestRecord, *, prompts: bool = False) -> JsonObject:
    """One record as JSON.

    :param prompts: include ``promptText`` and the text features
    """
    event = _original_fields(record)
    event.update(_additions(record))
    if prompts and record.prompt_text:
        event["promptText"] = record.prompt_text
    if record.features:
        event["features"] = _features(record.features, prompts)
    return {name: value for name, value in event.items() if value is not None}


def _original_fields(record: RequestRecord) -> JsonObject:
    decision = record.decision
    tier = decision.tier.value if decision is not None and decision.tier is not None else None
    return {
        "ts": int(record.started_at * 1000),
        "requestId": record.request_id,
        "path": record.path.partition("?")[0],
        "method": record.method,
        "sessionKey": record.session_key,
        "modelIdRequested": record.model_requested,
        "modelIdResolved": record.model_resolved,
        "modelIdRouted": record.model_answered,
        "routingTier": tier,
        "routingConfidence": _rounded(decision.confidence, 4) if decision is not None and tier else None,
        "routingReasoning": decision.reasoning if decision is not None and tier else None,
        "providerId": record.provider,
        "upstreamUrl": record.upstream_url.partition("?")[0] if record.upstream_url else None,
        "status": record.status,
        "latencyMs": _milliseconds(record.seconds),
        "stream": record.stream,
        "toolCount": record.tool_count,
        "tier": tier,
        "preRoute": _pre_route(record.model_requested, decision) if decision is not None else None,
        "fallback": _fallback(record),
        "spend": _spend(record),
        "errorMessage": redact(record.error_message) if record.error_message else None,
    }


def _additions(record: RequestRecord) -> JsonObject:
    return {
        "client": record.client,
        "userAgent": record.user_agent,
        "conversation": record.conversation,
        "dialect": record.dialect or None,
        "credential": record.credential,
        "subscription": record.subscription,
        "paidBy": record.paid_by if record.usage is not None else None,
        "windows": [_window(one) for one in record.windows] or None,
        "routing": _routing(record.decision) if record.decision is not None else None,
        "attempts": [_attempt(attempt) for attempt in record.attempts],
        "tokens": _tokens(record),
        "cost": _cost(record),
        "savings": _share_saved(record),
        "firstTokenMs": _milliseconds(record.first_token_seconds),
        "tokensPerSecond": _rounded(record.tokens_per_second, 1),
        "finishReason": record.finish_reason,
        "errorType": record.error_type,
        "notes": [{"action": n.action, "subject": n.subject, "reason": n.reason} for n in record.notes] or None,
        "traceparent": record.traceparent,
    }


def _pre_route(requested: str | None, decision: RoutingDecision) -> JsonObject | None:
    passed_over = _first_choice(decision)
    if passed_over is None:
        return None
    return {
        "triggered": True,
        "fromProvider": passed_over.model.partition("/")[0],
        "toProvider": decision.model.partition("/")[0],
        "requestedModel": requested,
        "routedModel": decision.model,
        "reason": redact(passed_over.reason),
    }


def _first_choice(decision: RoutingDecision) -> SkippedCandidate | None:
    return decision.skipped[0] if decision.skipped else None


def _fallback(record: RequestRecord) -> JsonObject | None:
    """Steps from one upstream to another; a second call of the same upstream is a retry and stands in ``attempts`` only."""
    attempts = record.attempts
    steps = [
        {
            "fromProvider": before.provider,
            "toProvider": after.provider,
            "fromStatus": before.status,
            "toStatus": after.status,
            "requestedModel": f"{before.provider}/{before.model}",
            "fallbackModel": f"{after.provider}/{after.model}",
        }
        for before, after in pairwise(attempts)
        if (before.provider, before.model) != (after.provider, after.model)
    ]
    if not steps:
        return None
    return {
        "triggered": True,
        "attempts": steps,
        "requestedModel": steps[0]["requestedModel"],
        "fallbackModel": steps[-1]["fallbackModel"],
    }


def _spend(record: RequestRecord) -> JsonObject | None:
    if record.spend_decision is None:
        return None
    spend: JsonObject = {"decision": SPEND_WORDS.get(record.spend_decision, record.spend_decision)}
    if record.spend_code is not None:
        spend["code"] = record.spend_code
    if record.budget_warnings:
        spend["warnings"] = list(record.budget_warnings)
    if record.downgraded_from is not None:
        spend["downgradedFrom"] = record.downgraded_from
    return spend


def _routing(decision: RoutingDecision) -> JsonObject:
    routing: JsonObject = {
        "method": decision.method,
        "hops": [
            {
                "model": candidate.info.name,
                "tier": candidate.tier,
                "reason": candidate.reason,
                "cost": cost_as_json(candidate.cost),
            }
            for candidate in decision.candidates[:_CANDIDATES_SHOWN]
        ],
        "hopCount": len(decision.candidates),
        "skipped": [{"model": skipped.model, "reason": redact(skipped.reason)} for skipped in decision.skipped],
        "baselineModel": decision.baseline_model,
        "kind": decision.kind,
        "askedTier": decision.asked,
        "forecast": forecast_as_json(decision),
    }
    if decision.classification is not None:
        routing.update(_classification(decision.classification))
    return routing


def cost_as_json(cost: CandidateCost | None) -> JsonObject | None:
    """The sum by which a candidate stands where it stands, in microdollars, and what it was drawn up from."""
    if cost is None:
        return None
    price = cost.price
    return {
        "turn": cost.turn,
        "coming": cost.coming,
        "window": cost.window,
        "shortfall": cost.shortfall,
        "preference": cost.preference,
        "total": cost.total,
        "cachedTokens": cost.cached_tokens,
        "shadow": cost.shadow,
        "rank": cost.rank,
        "place": cost.place,
        "price": [price.input, price.output, price.cache_read, price.cache_write],
    }


def forecast_as_json(decision: RoutingDecision) -> JsonObject | None:
    """What the sums of a decision's candidates were drawn up for."""
    forecast = decision.forecast
    if forecast is None:
        return None
    return {
        "needed": forecast.needed,
        "inputTokens": forecast.input_tokens,
        "outputTokens": forecast.output_tokens,
        "growthTokens": forecast.growth_tokens,
        "turns": forecast.turns,
        "shortfall": forecast.shortfall,
        "preference": forecast.preference,
        "lift": forecast.lift,
        "stake": decision.stake,
    }


def _classification(classification: Classification) -> JsonObject:
    # Scores are not rounded: a replay has to fall on the same side of every cut point.
    return {
        "judgedTier": classification.tier,
        "turn": classification.turn,
        "agent": classification.agent,
        "trouble": classification.trouble,
        "score": classification.score,
        "floors": list(classification.minimum_tiers),
        "dimensions": [
            {"name": d.name, "score": d.score, "weight": d.weight, "signal": d.signal} for d in classification.dimensions
        ],
    }


def _attempt(attempt: Attempt) -> JsonObject:
    return {
        "provider": attempt.provider,
        "model": attempt.model,
        "credential": attempt.credential,
        "url": attempt.url.partition("?")[0],
        "status": attempt.status,
        "outcome": attempt.outcome,
        "reason": redact(attempt.reason) if attempt.reason else None,
        "latencyMs": _milliseconds(attempt.seconds),
        **({} if not attempt.booked else {"booked": round(attempt.booked, 8)}),
    }


def _tokens(record: RequestRecord) -> JsonObject | None:
    usage = record.usage
    tokens: JsonObject = {"inputEstimated": (record.features or {}).get("input_tokens")}
    if usage is not None:
        tokens.update(
            input=usage.input_tokens,
            output=usage.output_tokens,
            cacheRead=usage.cache_read_input_tokens,
            cacheCreation=usage.cache_creation_input_tokens,
            reasoning=usage.reasoning_output_tokens,
            webSearches=usage.web_search_requests or None,
            serviceTier=usage.service_tier if usage.service_tier != "default" else None,
            speed=usage.speed if usage.speed != "standard" else None,
        )
    known = {name: count for name, count in tokens.items() if count is not None}
    return known or None


def _cost(record: RequestRecord) -> JsonObject | None:
    """US dollars; an ``actual`` of ``null`` says that the cost is unknown, ``unpriced`` names the model it is unknown of."""
    decision = record.decision
    cost: JsonObject = {
        "estimated": _rounded(decision.cost_estimate, 8) if decision is not None else None,
        "actual": _rounded(record.cost, 8),
        "baseline": _rounded(record.baseline_cost, 8),
        "saved": _rounded(record.saved, 8),
        "measured": False if record.usage is not None and record.usage.estimated else None,
    }
    known: JsonObject = {name: value for name, value in cost.items() if value is not None}
    if record.unpriced:
        known |= {"actual": None, "unpriced": record.model_answered or record.model_resolved}
    return known or None


def _window(one: WindowShare) -> JsonObject:
    share = {} if one.share is None else {"estimatedShare": round(one.share, 6)}
    return {"window": one.window, "used": round(one.used, 4), **share}


def _share_saved(record: RequestRecord) -> float | None:
    """Of what the baseline model would have charged for the same tokens; 0 to 1, negative when it was more."""
    if record.saved is None or not record.baseline_cost:
        return None
    return round(record.saved / record.baseline_cost, 4)


def _features(features: dict[str, object], prompts: bool) -> JsonObject:
    return {name: value for name, value in features.items() if prompts or not _PROMPT_FEATURE.fullmatch(name)}


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)


def _rounded(number: float | None, digits: int) -> float | None:
    return None if number is None else round(number, digits)
