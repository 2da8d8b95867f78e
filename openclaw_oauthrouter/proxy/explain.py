"""``POST /v1/route/explain``: the routing of a request, by the code that routes it, with nothing sent."""

from __future__ import annotations

from collections.abc import Mapping

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.routing import RoutingDecision
from openclaw_oauthrouter.errors import InvalidRequestError
from openclaw_oauthrouter.pipeline import Pipeline
from openclaw_oauthrouter.routing.hints import hints_of
from openclaw_oauthrouter.routing.stickiness import conversation_key
from openclaw_oauthrouter.telemetry.public import cost_as_json, forecast_as_json

_CHAT, _RESPONSES, _MESSAGES = "openai_chat_completions", "openai_responses", "anthropic_messages"


def explain_request(pipeline: Pipeline, body: JsonObject, headers: Mapping[str, str], client: str | None = None) -> JsonObject:
    """Explain where a body of any dialect, or ``{"prompt": …, "system": …}``, would go.

    It is taken for the next turn of the conversation it belongs to, or of the one that ``"conversation"`` names; nothing is remembered.

    :param client: who asks; conversations are told apart by it

    :raises InvalidRequestError: the body is none of these
    """
    conversation = body.get("conversation")
    if conversation is not None and not isinstance(conversation, str):
        raise InvalidRequestError("'conversation' is a conversation's key, as the trace tells it", param="conversation")
    request = _decoded(pipeline, {name: value for name, value in body.items() if name != "conversation"}, headers)
    routed = pipeline.router.route(request, hints_of(headers), conversation or conversation_key(request, client))
    return decision_as_json(routed.decision)


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


def _decoded(pipeline: Pipeline, body: JsonObject, headers: Mapping[str, str]) -> ChatRequest:
    if isinstance(body.get("prompt"), str):
        return pipeline.dialects[_CHAT].decode_request(_as_chat(body), headers)
    body = {"model": "auto", **body}
    if "input" in body:
        return pipeline.dialects[_RESPONSES].decode_request(body, headers)
    if "messages" not in body:
        raise InvalidRequestError(
            'send {"prompt": "…"}, or the body of a Chat Completions, Messages or Responses request', param="prompt"
        )
    if "anthropic-version" in headers or ("max_tokens" in body and "system" in body):
        return pipeline.dialects[_MESSAGES].decode_request({"max_tokens": 4096, **body}, headers)
    return pipeline.dialects[_CHAT].decode_request(body, headers)


def _as_chat(body: JsonObject) -> JsonObject:
    messages = [{"role": "user", "content": body["prompt"]}]
    if isinstance(body.get("system"), str):
        messages.insert(0, {"role": "system", "content": body["system"]})
    return {"model": body.get("model", "auto"), "messages": messages, "max_tokens": body.get("max_tokens", 4096)}
