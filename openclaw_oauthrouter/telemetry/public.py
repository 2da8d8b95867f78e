"""What the outside sees of a request: the original's trace event, field for field, and more.

Fields without a value are left out, as in the original. Never holds a secret; holds the prompt only where ``telemetry.prompts`` is on.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.routing import Candidate, CandidateCost, Classification, RoutingDecision, WindowShare
from openclaw_oauthrouter.canonical.trace import Attempt, RequestRecord
from openclaw_oauthrouter.canonical.usage import Usage
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
    # One field after the other: a literal of forty, cleared of the fields without a value, costs twice as much.
    event: JsonObject = {
        "ts": int(record.started_at * 1000),
        "requestId": record.request_id,
        "path": _without_query(record.path),
        "method": record.method,
    }
    decision = record.decision
    tier = decision.tier.value if decision is not None and decision.tier is not None else None
    _add_models(event, record)
    if decision is not None and tier is not None:
        event["routingTier"] = tier
        event["routingConfidence"] = round(decision.confidence, 4)
        event["routingReasoning"] = decision.reasoning
    _add_answer(event, record)
    if tier is not None:
        event["tier"] = tier
    _add_rerouting(event, record)
    _add_client(event, record)
    _add_course(event, record)
    _add_measures(event, record)
    _add_words(event, record)
    if prompts and record.prompt_text:
        event["promptText"] = record.prompt_text
    if record.features:
        event["features"] = _features(record.features, prompts)
    return event


def _add_models(event: JsonObject, record: RequestRecord) -> None:
    if record.session_key is not None:
        event["sessionKey"] = record.session_key
    if record.model_requested is not None:
        event["modelIdRequested"] = record.model_requested
    if record.model_resolved is not None:
        event["modelIdResolved"] = record.model_resolved
    if record.model_answered is not None:
        event["modelIdRouted"] = record.model_answered


def _add_answer(event: JsonObject, record: RequestRecord) -> None:
    if record.provider is not None:
        event["providerId"] = record.provider
    if record.upstream_url:
        event["upstreamUrl"] = _without_query(record.upstream_url)
    if record.status is not None:
        event["status"] = record.status
    if record.seconds is not None:
        # Not round(): it goes by way of decimal digits, which is a twentieth of all that a line costs.
        event["latencyMs"] = int(record.seconds * 10_000 + 0.5) / 10
    event["stream"] = record.stream
    event["toolCount"] = record.tool_count


def _add_rerouting(event: JsonObject, record: RequestRecord) -> None:
    decision = record.decision
    if decision is not None and decision.skipped and not decision.skipped[0].reserve:
        event["preRoute"] = _pre_route(record.model_requested, decision)
    steps = _fallback(record) if len(record.attempts) > 1 else None
    if steps is not None:
        event["fallback"] = steps
    if record.spend_decision is not None:
        event["spend"] = _spend(record, record.spend_decision)
    if record.error_message:
        event["errorMessage"] = redact(record.error_message)


def _add_client(event: JsonObject, record: RequestRecord) -> None:
    if record.client is not None:
        event["client"] = record.client
    if record.user_agent is not None:
        event["userAgent"] = record.user_agent
    if record.conversation is not None:
        event["conversation"] = record.conversation
    if record.dialect:
        event["dialect"] = record.dialect


def _add_course(event: JsonObject, record: RequestRecord) -> None:
    if record.credential is not None:
        event["credential"] = record.credential
    event["subscription"] = record.paid_by == "plan"
    if record.usage is not None:
        event["paidBy"] = record.paid_by
    if record.windows:
        event["windows"] = [_window(one) for one in record.windows]
    if record.decision is not None:
        event["routing"] = _routing(record.decision)
    event["attempts"] = [_attempt(attempt) for attempt in record.attempts]


def _add_measures(event: JsonObject, record: RequestRecord) -> None:
    tokens, cost = _tokens(record.features, record.usage), _cost(record)
    if tokens:
        event["tokens"] = tokens
    if cost:
        event["cost"] = cost
    if record.baseline_cost and record.cost is not None:
        # Of what the baseline model would have charged for the same tokens: 0 to 1, negative when it was more.
        event["savings"] = round((record.baseline_cost - record.cost) / record.baseline_cost, 4)
    if record.first_token_seconds is not None:
        event["firstTokenMs"] = int(record.first_token_seconds * 10_000 + 0.5) / 10
    speed = record.tokens_per_second if record.stream else None
    if speed is not None:
        event["tokensPerSecond"] = round(speed, 1)


def _add_words(event: JsonObject, record: RequestRecord) -> None:
    if record.finish_reason is not None:
        event["finishReason"] = record.finish_reason
    if record.error_type is not None:
        event["errorType"] = record.error_type
    if record.notes:
        event["notes"] = [{"action": n.action, "subject": n.subject, "reason": n.reason} for n in record.notes]
    if record.traceparent is not None:
        event["traceparent"] = record.traceparent


def _without_query(address: str) -> str:
    return address.partition("?")[0] if "?" in address else address


def _pre_route(requested: str | None, decision: RoutingDecision) -> JsonObject:
    first = decision.skipped[0]
    return {
        "triggered": True,
        "fromProvider": first.model.partition("/")[0],
        "toProvider": decision.model.partition("/")[0],
        "requestedModel": requested,
        "routedModel": decision.model,
        "reason": redact(first.reason),
    }


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


def _spend(record: RequestRecord, decision: str) -> JsonObject:
    spend: JsonObject = {"decision": SPEND_WORDS.get(decision, decision)}
    if record.spend_code is not None:
        spend["code"] = record.spend_code
    if record.budget_warnings:
        spend["warnings"] = list(record.budget_warnings)
    if record.downgraded_from is not None:
        spend["downgradedFrom"] = record.downgraded_from
    return spend


def _routing(decision: RoutingDecision) -> JsonObject:
    candidates, skipped = decision.candidates, decision.skipped
    routing: JsonObject = {
        "method": decision.method,
        "hops": [_hop(candidate) for candidate in candidates[:_CANDIDATES_SHOWN]],
        "hopCount": len(candidates),
        "skipped": [{"model": one.model, "reason": redact(one.reason)} for one in skipped] if skipped else [],
        "baselineModel": decision.baseline_model,
        "kind": decision.kind,
        "askedTier": decision.asked,
        "forecast": forecast_as_json(decision),
    }
    if decision.remembers_since:
        routing["remembersSince"] = decision.remembers_since
    if decision.needs:
        routing["needs"] = list(decision.needs)
    if decision.asked_profile is not None:
        routing["askedProfile"] = decision.asked_profile
    if decision.classification is not None:
        routing.update(_classification(decision.classification))
    return routing


def _hop(candidate: Candidate) -> JsonObject:
    hop: JsonObject = {
        "model": candidate.info.name,
        "tier": candidate.tier,
        "reason": candidate.reason,
        "cost": cost_as_json(candidate.cost),
    }
    if candidate.accounts:
        hop["credential"] = candidate.accounts[0]
    return hop


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
    } | ({"cache": forecast.cache} if forecast.cache != "5m" else {})


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
    event: JsonObject = {
        "provider": attempt.provider,
        "model": attempt.model,
        "credential": attempt.credential,
        "url": _without_query(attempt.url),
        "status": attempt.status,
        "outcome": attempt.outcome,
        "reason": redact(attempt.reason) if attempt.reason else None,
        "latencyMs": int(attempt.seconds * 10_000 + 0.5) / 10,
    }
    if attempt.booked:
        event["booked"] = round(attempt.booked, 8)
    return event


def _tokens(features: Mapping[str, object] | None, usage: Usage | None) -> JsonObject:
    tokens: JsonObject = {}
    estimated = features.get("input_tokens") if features else None
    if estimated is not None:
        tokens["inputEstimated"] = estimated
    if usage is None:
        return tokens
    tokens["input"] = usage.input_tokens
    tokens["output"] = usage.output_tokens
    tokens["cacheRead"] = usage.cache_read_input_tokens
    tokens["cacheCreation"] = usage.cache_creation_input_tokens
    if usage.cache_creation_1h_input_tokens:
        tokens["cacheCreation1h"] = usage.cache_creation_1h_input_tokens
    tokens["reasoning"] = usage.reasoning_output_tokens
    if usage.web_search_requests:
        tokens["webSearches"] = usage.web_search_requests
    if usage.service_tier is not None and usage.service_tier != "default":
        tokens["serviceTier"] = usage.service_tier
    if usage.speed is not None and usage.speed != "standard":
        tokens["speed"] = usage.speed
    return tokens


def _cost(record: RequestRecord) -> JsonObject:
    """US dollars; an ``actual`` of ``null`` says that the cost is unknown, ``unpriced`` names the model it is unknown of."""
    cost: JsonObject = {}
    decision, actual, baseline, usage = record.decision, record.cost, record.baseline_cost, record.usage
    if decision is not None and decision.cost_estimate is not None:
        cost["estimated"] = round(decision.cost_estimate, 8)
    if actual is not None:
        cost["actual"] = round(actual, 8)
    if baseline is not None:
        cost["baseline"] = round(baseline, 8)
        if actual is not None:
            cost["saved"] = round(baseline - actual, 8)
    if usage is not None:
        if usage.estimated:
            cost["measured"] = False
        if actual is None:
            cost["actual"], cost["unpriced"] = None, record.model_answered or record.model_resolved
    return cost


def _window(one: WindowShare) -> JsonObject:
    share = {} if one.share is None else {"estimatedShare": round(one.share, 6)}
    return {"window": one.window, "used": round(one.used, 4), **share}


def _features(features: dict[str, object], prompts: bool) -> JsonObject:
    return {name: value for name, value in features.items() if prompts or not _PROMPT_FEATURE.fullmatch(name)}
