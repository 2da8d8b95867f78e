"""Routes recorded requests again under any configuration, without their words: by the scores, floors and features of the trace.

What cannot be known is taken from the record: what was out of order then is out of order again, and a tier that the client asked for, or
that a classifier other than ``rules`` chose, stays.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from openclaw_oauthrouter.canonical.content import BlobPart, Part, TextPart
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.request import ChatRequest, Message, Tool
from openclaw_oauthrouter.canonical.routing import (
    Classification,
    Estimate,
    ModelInfo,
    RequestFeatures,
    RouteHints,
    RoutingDecision,
    Tier,
)
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.classifier.parameters import CutPoints, Parameters, tier_at
from openclaw_oauthrouter.config.routing import Profile, RoutingSettings
from openclaw_oauthrouter.policy.token_estimate import output_tokens
from openclaw_oauthrouter.routing.conversations import Conversations
from openclaw_oauthrouter.routing.eligibility import Eligibility
from openclaw_oauthrouter.routing.router import Router

RULES = "rules"

_FLOOR = re.compile(rf"at least (?P<tier>{'|'.join(Tier)}): (?P<reason>.*)")
_TASK = ("goes on with a ", "tool results of a ")
"""How the classifier words a floor that the conversation sets."""

_BY_STATE = ("no credential for ", "cannot ", "the prompt ", "excluded ", "retired ", "no provider ")
"""Reasons that follow from configuration and request, and are judged again; any other was the provider's state at that moment."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """One recorded request under another configuration.

    :ivar cost: US dollars for the tokens that were really used, at the model then and at the model now; ``None`` without usage or price
    """

    event: JsonObject
    decision: RoutingDecision
    cost_then: float | None
    cost_now: float | None

    @property
    def tier_then(self) -> str | None:
        """As recorded."""
        return self.event.get("routingTier")

    @property
    def model_then(self) -> str | None:
        """The model decided for, whatever answered in the end."""
        return self.event.get("modelIdResolved")

    @property
    def differs(self) -> bool:
        """Whether tier or model would be another."""
        return (self.tier_then, self.model_then) != (self.decision.tier, self.decision.model)


class RecordedRouting:
    """A router over recorded requests; feed it in the order in which they came.

    :param router: the configuration's own; what it asks about the present is replaced by what the trace tells of the past
    """

    def __init__(self, router: Router) -> None:
        self._judge = RecordedClassifier(router.settings)
        self._now = 0.0
        self._conversations = Conversations(lambda: self._now, router.settings.sticky_seconds)
        self._router = replace(router, classify=self._judge, conversations=self._conversations, estimate=self._estimate)
        self._eligibility = router.eligibility

    @property
    def kept(self) -> int:
        """Tiers taken from the record as they were."""
        return self._judge.kept

    def route(self, event: JsonObject) -> Replayed:
        """Decide for a recorded request.

        :raises OAuthRouterError: the configuration cannot route it
        """
        self._now = event["ts"] / 1000
        self._judge.take(event)
        router = replace(self._router, eligibility=self._eligibility_then(event))
        request = _request(event)
        decision = router.route(request, self._hints(event), event.get("conversation")).decision
        if (event.get("status") or 500) < 400 and event.get("conversation"):
            router.answered(event["conversation"], decision, self._answering(event, decision), _usage(event))
            self._judge.remember(event["conversation"], decision.tier)
        return Replayed(event, decision, self._cost(event, event.get("modelIdResolved")), self._cost(event, decision.model))

    def _answering(self, event: JsonObject, decision: RoutingDecision) -> ModelInfo:
        """Who answered: the recorded model, where the decision is the recorded one; it may have been a fallback."""
        calls = [attempt for attempt in event.get("attempts", ()) if attempt["outcome"] == "ok"]
        if decision.model == event.get("modelIdResolved") and calls:
            provider = self._router.providers.get(calls[-1]["provider"])
            answered = provider.model_info(calls[-1]["model"]) if provider is not None else None
            if answered is not None:
                return answered
        return decision.candidates[0].info

    def _eligibility_then(self, event: JsonObject) -> Eligibility:
        routing = event.get("routing") or {}
        skipped = {entry["model"]: entry["reason"] for entry in routing.get("skipped", ())}
        out_of_order = {model: reason for model, reason in skipped.items() if not reason.startswith(_BY_STATE)}
        without = {reason.rpartition(" ")[2] for reason in skipped.values() if reason.startswith(_BY_STATE[0])}
        called = {attempt["provider"] for attempt in event.get("attempts", ())}
        called |= {candidate["model"].partition("/")[0] for candidate in routing.get("hops", ())}
        usable_now = self._eligibility.usable

        def usable(provider: str) -> bool:
            return provider in called or (provider not in without and usable_now(provider))

        def today() -> date:
            return datetime.fromtimestamp(self._now, UTC).date()

        return replace(
            self._eligibility,
            usable=usable,
            blocked=lambda provider, model: out_of_order.get(f"{provider}/{model}"),
            today=today if self._eligibility.today is not None else None,
        )

    def _hints(self, event: JsonObject) -> RouteHints:
        """A recorded tier that the classification does not explain was asked for by the client."""
        recorded = event.get("routingTier")
        classified = (event.get("routing") or {}).get("judgedTier", recorded)
        return RouteHints() if recorded is None or recorded == classified else RouteHints(tier=Tier(recorded))

    def _estimate(self, request: ChatRequest, info: ModelInfo) -> Estimate:
        return Estimate(int(request.native["input_tokens"]), output_tokens(request, info))

    def _cost(self, event: JsonObject, model: str | None) -> float | None:
        usage = _usage(event)
        provider, _, rest = (model or "").partition("/")
        known = self._router.providers.get(provider)
        info = known.model_info(rest) if known is not None and rest else None
        # Another model has another cache: every token of the prompt counts as fresh, then and now.
        fresh = Usage(usage.input_tokens, usage.output_tokens) if usage is not None else None
        return self._router.prices.actual(info, fresh) if info is not None and fresh is not None else None


class RecordedClassifier:
    """A ``Judge`` that classifies by recorded scores instead of words."""

    def __init__(self, settings: RoutingSettings) -> None:
        self._settings = settings
        self._parameters = Parameters.load(learned=settings.learned_score)
        self._previous: dict[str, Tier] = {}
        self._event: JsonObject = {}
        self.kept = 0

    def take(self, event: JsonObject) -> None:
        """The request that is asked about next."""
        self._event = event

    def remember(self, conversation: str, tier: Tier | None) -> None:
        """What a conversation was given."""
        if tier is not None:
            self._previous[conversation] = tier

    def __call__(
        self, request: ChatRequest, previous_tier: Tier | None, profile: Profile, input_tokens: int
    ) -> tuple[RequestFeatures, Classification]:
        """Judge the request taken."""
        event = self._event
        routing = event.get("routing") or {}
        recorded = Tier(routing.get("judgedTier") or event.get("routingTier") or Tier.MEDIUM)
        classification = Classification(
            tier=self._tier(routing, profile, recorded),
            score=routing.get("score", 0.0),
            confidence=event.get("routingConfidence", 0.0),
            method=routing.get("method", RULES),
            reasoning=event.get("routingReasoning", ""),
        )
        return RequestFeatures("", 0, input_tokens=input_tokens), classification

    def _tier(self, routing: JsonObject, profile: Profile, recorded: Tier) -> Tier:
        if routing.get("method") != RULES or self._settings.classifier != RULES or not routing.get("dimensions"):
            self.kept += 1
            return recorded
        score = sum(one["score"] * self._weight(one) for one in routing["dimensions"])
        minimum_tiers = [self._floor(note) for note in routing.get("floors", ())]
        return max([tier_at(score, self._cuts(profile)), *minimum_tiers], key=lambda tier: tier.rank)

    def _weight(self, dimension: Mapping[str, Any]) -> float:
        if dimension["name"] == "learnedScore" and not self._settings.learned_score:
            return 0.0
        weight: float = self._parameters.weights.get(dimension["name"], dimension["weight"])
        return weight

    def _cuts(self, profile: Profile) -> CutPoints:
        chosen = self._settings.cut_points
        return chosen if chosen is not None and profile == self._settings.profile else self._parameters.cut_points(profile)

    def _floor(self, note: str) -> Tier:
        match = _FLOOR.fullmatch(note)
        if match is None:
            return Tier.SIMPLE
        recorded = Tier(match["tier"])
        if match["reason"].startswith(_TASK):
            return self._previous.get(self._event.get("conversation") or "", recorded)
        return recorded


def _request(event: JsonObject) -> ChatRequest:
    """A request that demands of a model what the recorded one did; its words are not known."""
    features = event.get("features") or {}
    parts: list[Part] = [TextPart("")]
    parts += [BlobPart("image", "image/png", "")] * bool(features.get("image_count"))
    parts += [BlobPart("document", "application/pdf", "")] * bool(features.get("file_count"))
    tokens = event.get("tokens") or {}
    return ChatRequest(
        dialect=event.get("dialect", ""),
        model=event.get("modelIdRequested") or "auto",
        messages=(Message("user", tuple(parts)),),
        tools=tuple(Tool(name) for name in features.get("tool_names") or ()),
        max_output_tokens=features.get("max_output_tokens"),
        native={"input_tokens": features.get("input_tokens", tokens.get("input", 0))},
    )


def _usage(event: JsonObject) -> Usage | None:
    tokens = event.get("tokens") or {}
    if "output" not in tokens:
        return None
    return Usage(tokens.get("input", 0), tokens["output"], tokens.get("cacheRead", 0), tokens.get("cacheCreation", 0))
