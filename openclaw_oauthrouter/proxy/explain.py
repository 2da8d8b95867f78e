"""``POST /v1/route/explain``: the routing of a request, by the code that routes it, with nothing sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from openclaw_oauthrouter.canonical.conversation import Conversation
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.routing import Estimate, ModelInfo, RoutingDecision
from openclaw_oauthrouter.interfaces import Dialect
from openclaw_oauthrouter.pipeline import Pipeline
from openclaw_oauthrouter.policy.client_auth import DEFAULT_CLIENT
from openclaw_oauthrouter.proxy.asked import Asked, read_asked
from openclaw_oauthrouter.proxy.client_paths import ClientPaths
from openclaw_oauthrouter.routing.hints import hints_of
from openclaw_oauthrouter.routing.router import Router
from openclaw_oauthrouter.routing.stickiness import conversation_key
from openclaw_oauthrouter.telemetry.public import cost_as_json, forecast_as_json
from openclaw_oauthrouter.upstream.foreseen import Foreseen, foresee


async def explain_request(
    pipeline: Pipeline, paths: ClientPaths, told: JsonObject, headers: Mapping[str, str], client: str
) -> JsonObject:
    """Explain where a prompt, a body of any dialect, or a recorded request would go; see ``read_asked``.

    It is taken for the next turn of the conversation it belongs to, or of the one that ``"conversation"`` names; nothing is remembered.

    :param client: who asks; conversations are told apart by it
    :raises InvalidRequestError: there is nothing in it to explain
    """
    asked = read_asked(pipeline.dialects, paths, told, headers)
    conversations = pipeline.router.conversations
    if conversations.shared and asked.conversation is not None:
        await conversations.fetch(asked.conversation)
    if asked.alone and conversations.recall(asked.conversation) is not None:
        asked = asked.going_on()
    body = await pipeline.in_full(asked.dialect, asked.body, client)
    request = asked.dialect.decode_request(body, asked.headers, asked.path)
    key = asked.conversation or conversation_key(request, client)
    if conversations.shared and asked.conversation is None:
        await conversations.fetch(key)
    answer, decision = _explained(pipeline.router, asked, request, key)
    foreseen = await foresee(pipeline.upstream, request, decision, client, key)
    return answer | _as_it_would_be(pipeline.router, request, foreseen, key)


def explain_alone(dialects: Mapping[str, Dialect], router: Router, told: JsonObject) -> JsonObject:
    """The same without a gateway: nothing is known of conversations, windows and caches.

    :raises InvalidRequestError: there is nothing in it to explain
    """
    asked = read_asked(dialects, ClientPaths(dialects.values()), told, {})
    request = asked.dialect.decode_request(asked.body, asked.headers, asked.path)
    return _explained(router, asked, request, asked.conversation or conversation_key(request, DEFAULT_CLIENT))[0]


def _explained(router: Router, asked: Asked, request: ChatRequest, key: str | None) -> tuple[JsonObject, RoutingDecision]:
    known = router.conversations.recall(key)
    if asked.alone and asked.conversation is not None and known is not None:
        router = _with_earlier_turns(router, known)
    decision = router.route(request, hints_of(asked.headers), key).decision
    if decision.task is not None and decision.task.anew:
        known = None  # another conversation that begins with the same words
    conversation = _conversation_as_json(key, known, router.choosing.clock())
    return {**decision_as_json(decision), "conversation": conversation}, decision


def _as_it_would_be(router: Router, request: ChatRequest, foreseen: Foreseen, key: str | None) -> JsonObject:
    """What budgets, lists and running waits change in an answer; nothing as a rule."""
    refusal = foreseen.refusal
    if refusal is None:
        return {"refusal": None}
    told = {"code": refusal.code, "message": refusal.message, "downgraded": foreseen.downgraded}
    if foreseen.first is None:
        return {**decision_as_json(foreseen.decision), "model": None, "refusal": told}
    return {**decision_as_json(router.priced(request, foreseen.decision, key)), "refusal": told}


def _with_earlier_turns(router: Router, known: Conversation) -> Router:
    """A router that counts what came before a prompt: a next turn sends all of it again."""
    earlier = known.input_tokens + round(known.output_tokens)

    def estimate(request: ChatRequest, info: ModelInfo) -> Estimate:
        of_prompt = router.estimate(request, info)
        return Estimate(of_prompt.input_tokens + earlier, of_prompt.output_tokens)

    return replace(router, estimate=estimate)


def _conversation_as_json(key: str | None, known: Conversation | None, now: float) -> JsonObject:
    if known is None:
        return {"key": key, "known": False}
    return {
        "key": key,
        "known": True,
        "model": known.model,
        "tier": known.tier,
        "turns": known.turns,
        "inputTokens": known.input_tokens,
        "idleSeconds": round(max(0.0, now - known.used_at), 1),
        "cached": {name: tokens for name, cache in known.caches.items() if (tokens := cache.tokens_at(now))},
    }


def decision_as_json(decision: RoutingDecision) -> JsonObject:
    """A decision for people and scripts; names as in the trace."""
    classified = decision.classification
    return {
        "model": decision.model,
        "tier": decision.tier,
        "score": decision.score,
        "confidence": decision.confidence,
        "method": decision.method,
        "reasoning": decision.reasoning,
        "dimensions": [
            {"name": d.name, "score": d.score, "weight": d.weight, "signal": d.signal}
            for d in (classified.dimensions if classified else ())
        ],
        "floors": list(classified.minimum_tiers) if classified else [],
        "hops": [
            {"model": candidate.info.name, "reason": candidate.reason, "cost": cost_as_json(candidate.cost)}
            | ({"credential": candidate.accounts[0]} if candidate.accounts else {})
            for candidate in decision.candidates
        ],
        "kind": decision.kind,
        "turn": classified.turn if classified else None,
        "trouble": classified.trouble if classified else None,
        "forecast": forecast_as_json(decision),
        "skipped": [{"model": candidate.model, "reason": candidate.reason} for candidate in decision.skipped],
        "costEstimate": decision.cost_estimate,
        "baselineCost": decision.baseline_cost,
        "baselineModel": decision.baseline_model,
        "savings": decision.savings,
    }
