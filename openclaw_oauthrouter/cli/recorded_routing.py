"""Routes recorded requests again under any configuration, without their words: by the scores, minimum tiers and features of the trace.

What cannot be known is taken from the record: what was out of order then is out of order again, and a tier that the client asked for, or
that a classifier other than ``rules`` chose, stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from heapq import heappop, heappush
from itertools import count
from typing import Any, Literal

import msgspec

from openclaw_oauthrouter.canonical.content import BlobPart, CacheMark, Part, TextPart
from openclaw_oauthrouter.canonical.conversation import Conversation
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.request import ChatRequest, Message, ResponseFormat, Tool
from openclaw_oauthrouter.canonical.routing import (
    Classification,
    DimensionScore,
    Estimate,
    Flight,
    ModelInfo,
    Payer,
    Price,
    RequestFeatures,
    RequestKind,
    RouteHints,
    RoutingDecision,
    Tier,
    TurnForecast,
)
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.classifier.parameters import AgentCutPoints, CutPoints, Parameters, letters_of, tier_at
from openclaw_oauthrouter.config.routing import Profile, RoutingSettings
from openclaw_oauthrouter.policy.token_estimate import answer_tokens
from openclaw_oauthrouter.routing.cost import candidate_cost
from openclaw_oauthrouter.routing.eligibility import Eligibility
from openclaw_oauthrouter.routing.router import BESIDE, Router
from openclaw_oauthrouter.routing.stickiness import Conversations

RULES = "rules"

_HEARD_BEFORE_THE_END = 0.01
"""Seconds: whoever has the last byte of an answer may go on before its record is closed."""

_TOLD = ("ts", "requestId", "routingTier", "modelIdResolved", "windows")

_MINIMUM_TIER = lazily(rf"at least (?P<tier>{'|'.join(Tier)}): (?P<reason>.*)")
_TASK = ("goes on with a ", "tool results of a ")
"""How the classifier words a least tier that the conversation sets."""

_BY_STATE = ("no credential for ", "cannot ", "may not ", "the prompt ", "excluded ", "retired ", "no provider ")
"""Reasons that follow from configuration and request, and are judged again; any other was the provider's state at that moment."""


@value(frozen=True, slots=True)
class Replayed:
    """One recorded request under another configuration.

    :ivar cost_then: US dollars for the tokens that were really used, at list price, its cache as recorded; ``None`` without usage or price
    :ivar cost_now: the same at the model now, with the cache as it would be there
    :ivar plan_then: name of the provider whose plan paid; ``None`` where a key did
    :ivar cached_then: tokens of the prompt that came from the provider's cache, as recorded
    :ivar cached_now: the same at the model now
    :ivar answered_then: the model that answered: a fallback may have taken the place of the one decided for
    :ivar answered_now: likewise, where the decision is the recorded one
    :ivar recomputed: whether the recorded sums follow from the recorded inputs, bit for bit, and the recorded order from the sums;
        ``None`` where none was recorded
    """

    event: JsonObject
    decision: RoutingDecision
    cost_then: float | None
    cost_now: float | None
    plan_then: str | None = None
    plan_now: str | None = None
    recomputed: bool | None = None
    cached_then: int = 0
    cached_now: int = 0
    answered_then: str | None = None
    answered_now: str | None = None

    def lean(self) -> Replayed:
        """The same without what only a single request is looked at for."""
        event = {name: self.event[name] for name in _TOLD if name in self.event}
        decision = RoutingDecision(self.decision.model, self.decision.tier, 0.0, "", "")
        return replace(self, event=event, decision=decision)

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
        self._classifier = RecordedClassifier(router.settings)
        self._now = 0.0
        self._conversations = Conversations(lambda: self._now, router.settings.sticky_seconds)
        self._router = replace(router, classify=self._classifier, conversations=self._conversations, estimate=self._estimate)
        self._eligibility = router.eligibility
        self._shadows: dict[str, float] = {}
        self._pending: list[tuple[float, int, Callable[[], None]]] = []
        self._number = count()

    @property
    def kept(self) -> int:
        """Tiers taken from the record as they were."""
        return self._classifier.kept

    @property
    def classifier(self) -> str:
        """The configuration's; only ``rules`` can be tried without the prompts."""
        return self._router.settings.classifier

    def route(self, event: JsonObject) -> Replayed:
        """Decide for a recorded request.

        :raises OAuthRouterError: the configuration cannot route it
        """
        self._hear_answers(event["ts"] / 1000)
        self._classifier.take(event)
        choosing = replace(
            self._router.choosing,
            eligibility=self._eligibility_then(event),
            payers=self._payers_then(event),
            clock=lambda: self._now,
        )
        router = replace(self._router, choosing=choosing)
        conversation = event.get("conversation")
        since = (event.get("routing") or {}).get("remembersSince", 0)
        if conversation and since <= event["ts"]:
            # A gateway that was started anew knows nothing of what the one before it was told.
            self._conversations.forget(conversation, since)
        known = self._conversations.recall(conversation)
        decision = router.route(_request(event), self._hints(event), conversation).decision
        answering = self._answering(event, decision)
        usage = self._usage_now(event, decision, answering, None if decision.kind in BESIDE else known)
        used = _usage(event)
        if conversation and (used is not None or (event.get("status") or 500) < 400):
            ended = self._now + max(0.0, (event.get("latencyMs") or 0.0) / 1000 - _HEARD_BEFORE_THE_END)
            credential = event.get("credential") if answering.provider == event.get("providerId") else None
            answered: Callable[[], None] = partial(router.answered, conversation, decision, answering, usage, credential)
            heappush(self._pending, (ended, next(self._number), answered))
        then = event.get("modelIdRouted") or event.get("modelIdResolved")
        plan = self._plan_then(event, then)
        return Replayed(
            event,
            decision,
            self._cost(then, used),
            self._cost(answering.name, usage),
            plan,
            plan if answering.name == then else self._plan_now(decision),
            recomputes(event),
            used.cache_read_input_tokens if used else 0,
            usage.cache_read_input_tokens if usage else 0,
            then,
            answering.name,
        )

    def _plan_then(self, event: JsonObject, model: str | None) -> str | None:
        """The plan that paid: as recorded, else, where older traces do not say, by what windows of the provider were worth."""
        provider, paid_by = (model or "").partition("/")[0], event.get("paidBy")
        by_plan = self._shadows.get(provider, 1.0) < 1.0 if paid_by is None else paid_by == "plan"
        return provider if by_plan else None

    def _plan_now(self, decision: RoutingDecision) -> str | None:
        first = decision.candidates[0]
        shadow = first.cost.shadow if first.cost is not None else self._shadows.get(first.info.provider, 1.0)
        return first.info.provider if shadow < 1.0 else None

    def _hear_answers(self, now: float) -> None:
        """Requests of one conversation may overlap: each is decided by what had been answered when it came."""
        while self._pending and self._pending[0][0] <= now:
            self._now, _, answered = heappop(self._pending)
            answered()
        self._now = now

    def _answering(self, event: JsonObject, decision: RoutingDecision) -> ModelInfo:
        """Who answered: the recorded model, where the decision is the recorded one; it may have been a fallback."""
        calls = [attempt for attempt in event.get("attempts", ()) if attempt["outcome"] == "ok"]
        if decision.model == event.get("modelIdResolved") and calls:
            provider = self._router.providers.get(calls[-1]["provider"])
            answered = provider.model_info(calls[-1]["model"]) if provider is not None else None
            if answered is not None:
                return answered
        return decision.candidates[0].info

    def _usage_now(
        self, event: JsonObject, decision: RoutingDecision, info: ModelInfo, known: Conversation | None
    ) -> Usage | None:
        """What the answer would have used: as recorded at the recorded model, else with the cache as it would be at the other one."""
        usage = _usage(event)
        if usage is None or decision.model == event.get("modelIdResolved"):
            return usage
        cache = known.caches.get(info.name) if known else None
        read = min(cache.tokens_at(self._now) if cache else 0, usage.input_tokens)
        price = self._router.prices.price(info)
        # A provider that keeps prompts at all keeps this one.
        written = usage.input_tokens - read if price is not None and price.cache_read is not None else 0
        return Usage(usage.input_tokens, usage.output_tokens, read, written)

    def _eligibility_then(self, event: JsonObject) -> Eligibility:
        routing = event.get("routing") or {}
        skipped = {entry["model"]: entry["reason"] for entry in routing.get("skipped", ())}
        out_of_order = {model: reason for model, reason in skipped.items() if not reason.startswith(_BY_STATE)}
        without = {reason.rpartition(" ")[2] for reason in skipped.values() if reason.startswith(_BY_STATE[0])}
        called = {attempt["provider"] for attempt in event.get("attempts", ())}
        called |= {candidate["model"].partition("/")[0] for candidate in routing.get("hops", ())}
        called.add((event.get("modelIdResolved") or "").partition("/")[0])
        usable_now = self._eligibility.usable

        def usable(provider: str) -> bool:
            return provider in called or (provider not in without and usable_now(provider))

        def today() -> date:
            return datetime.fromtimestamp(self._now, UTC).date()

        return replace(
            self._eligibility,
            usable=usable,
            blocked=lambda provider, model: out_of_order.get(f"{provider}/{model}"),
            calm=lambda: not out_of_order,
            today=today if self._eligibility.today is not None else None,
        )

    def _payers_then(self, event: JsonObject) -> Callable[[ModelInfo, float], Sequence[Payer]]:
        """Who would have paid then, and what windows were worth: of the model itself, else of its provider, else as it is now."""
        hops = (event.get("routing") or {}).get("hops", ())
        told: dict[str, list[Payer]] = {}
        for hop in hops:
            if hop.get("cost"):
                told.setdefault(hop["model"], []).append(Payer(hop.get("credential"), hop["cost"]["shadow"]))
        by_provider = {model.partition("/")[0]: payers[0].shadow for model, payers in reversed(told.items())}
        self._shadows |= by_provider
        present = self._router.choosing.payers

        def payers(info: ModelInfo, now: float) -> Sequence[Payer]:
            if info.name in told:
                return told[info.name]
            known = by_provider.get(info.provider, self._shadows.get(info.provider))
            return present(info, now) if known is None else (Payer(None, known),)

        return payers

    def _hints(self, event: JsonObject) -> RouteHints:
        """A recorded tier that the classification does not explain was asked for by the client."""
        recorded = event.get("routingTier")
        routing = event.get("routing") or {}
        if "forecast" in routing or recorded is None:
            asked = routing.get("askedTier")
            return RouteHints(tier=Tier(asked) if asked else None, profile=routing.get("askedProfile"))
        classified = routing.get("judgedTier", recorded)
        return RouteHints() if recorded == classified else RouteHints(tier=Tier(recorded))

    def _estimate(self, request: ChatRequest, info: ModelInfo) -> Estimate:
        return Estimate(int(request.native["input_tokens"]), answer_tokens(request.max_output_tokens, info))

    def _cost(self, model: str | None, usage: Usage | None) -> float | None:
        provider, _, rest = (model or "").partition("/")
        known = self._router.providers.get(provider)
        info = known.model_info(rest) if known is not None and rest else None
        return self._router.prices.actual(info, usage, self._now) if info is not None and usage is not None else None


def recomputes(event: JsonObject) -> bool | None:
    """Whether the recorded sums follow from their recorded inputs, and the recorded order from the sums."""
    routing = event.get("routing") or {}
    told = routing.get("forecast")
    costs = [hop["cost"] for hop in routing.get("hops", ()) if hop.get("cost")]
    if not told or not costs:
        return None
    forecast = TurnForecast(
        needed=Tier(told["needed"]),
        input_tokens=told["inputTokens"],
        output_tokens=told["outputTokens"],
        growth_tokens=told["growthTokens"],
        turns=told["turns"],
        shortfall=told["shortfall"],
        preference=told["preference"],
        lift=told["lift"],
    )
    for cost in costs:
        again = candidate_cost(
            forecast,
            Price(*cost["price"]),
            cached_tokens=cost["cachedTokens"],
            shadow=cost["shadow"],
            rank=cost["rank"],
            place=cost["place"],
            stake=told["stake"],
        )
        parts = (again.turn, again.coming, again.window, again.shortfall, again.preference, again.total)
        if parts != tuple(cost[name] for name in ("turn", "coming", "window", "shortfall", "preference", "total")):
            return False
    return [cost["total"] for cost in costs] == sorted(cost["total"] for cost in costs)


class RecordedClassifier:
    """Classifies by recorded scores instead of words."""

    def __init__(self, settings: RoutingSettings) -> None:
        self._settings = settings
        self._parameters = Parameters.load(learned=settings.learned_score)
        self._agent = AgentCutPoints.load(learned=settings.learned_score)
        if settings.agent_cut_points is not None:
            self._agent = self._agent.with_profile(settings.profile, settings.agent_cut_points)
        self._event: JsonObject = {}
        self.kept = 0

    def take(self, event: JsonObject) -> None:
        """The request that is asked about next."""
        self._event = event

    def __call__(
        self, request: ChatRequest, known: Conversation | None, profile: Profile, input_tokens: int
    ) -> tuple[RequestFeatures, Classification]:
        """Classify the request taken."""
        event = self._event
        routing = event.get("routing") or {}
        features = _features(event, input_tokens)
        recorded = Tier(routing.get("judgedTier") or event.get("routingTier") or Tier.MEDIUM)
        classification = Classification(
            tier=self._tier(routing, features, known, profile, recorded),
            score=routing.get("score", 0.0),
            confidence=event.get("routingConfidence", 0.0),
            method=routing.get("method", RULES),
            reasoning=event.get("routingReasoning", ""),
            turn=routing.get("turn", "task"),
            trouble=routing.get("trouble"),
            agent=bool(routing.get("agent")),
        )
        return features, classification

    def _tier(
        self, routing: JsonObject, features: RequestFeatures, known: Conversation | None, profile: Profile, recorded: Tier
    ) -> Tier:
        if features.kind in (RequestKind.SIDE, RequestKind.COMPACTION):
            return recorded
        if routing.get("method") != RULES or self._settings.classifier != RULES or not routing.get("dimensions"):
            self.kept += 1
            return recorded
        dimensions = routing["dimensions"]
        score = sum(one["score"] * self._weight(one) for one in dimensions)
        minimum_tiers = [self._minimum_tier(note, known) for note in routing.get("floors", ())]
        cuts = self._cuts(profile, dimensions, agent=routing.get("agent", features.agent))
        return max([tier_at(score, cuts), *minimum_tiers], key=lambda tier: tier.rank)

    def _weight(self, dimension: Mapping[str, Any]) -> float:
        if dimension["name"] == "learnedScore" and not self._settings.learned_score:
            return 0.0
        weight: float = self._parameters.weights.get(dimension["name"], dimension["weight"])
        return weight

    def _cuts(self, profile: Profile, dimensions: Sequence[Mapping[str, Any]], *, agent: bool) -> CutPoints:
        chosen = self._settings.cut_points if profile == self._settings.profile else None
        cuts = chosen if chosen is not None else self._parameters.cut_points(profile)
        letters = letters_of(DimensionScore(one["name"], one["score"], one["weight"]) for one in dimensions)
        if not agent or letters is None or (chosen is not None and self._settings.agent_cut_points is None):
            return cuts
        return self._agent.at(profile, cuts, letters)

    def _minimum_tier(self, note: str, known: Conversation | None) -> Tier:
        match = _MINIMUM_TIER.fullmatch(note)
        if match is None:
            return Tier.SIMPLE
        recorded = Tier(match["tier"])
        return known.tier if known is not None and match["reason"].startswith(_TASK) else recorded


def _features(event: JsonObject, input_tokens: int) -> RequestFeatures:
    """The recorded features that routing looks at."""
    told = event.get("features") or {}
    flight = told.get("flight")
    return RequestFeatures(
        "",
        0,
        input_tokens=input_tokens,
        reasoning_effort=told.get("reasoning_effort"),
        kind=RequestKind(told.get("kind", RequestKind.MAIN)),
        agent=bool(told.get("agent")),
        anew=bool(told.get("anew")),
        flight=msgspec.convert(flight, Flight) if flight else None,
    )


_BLOBS: Mapping[str, Part] = {
    "images": BlobPart("image", "image/png", ""),
    "documents": BlobPart("document", "application/pdf", ""),
    "audio": BlobPart("audio", "audio/wav", ""),
}
_SHAPES: tuple[Literal["json_schema", "json_object"], ...] = ("json_schema", "json_object")


def _request(event: JsonObject) -> ChatRequest:
    """A request that demands of a model what the recorded one did; its words are not known."""
    features = event.get("features") or {}
    told = (event.get("routing") or {}).get("forecast") or {}
    cache = told.get("cache", "5m")
    parts: list[Part] = [TextPart("", None if cache == "none" else CacheMark(cache))]
    needs = (event.get("routing") or {}).get("needs")
    if needs is None:  # older traces have no list of what was needed
        needs = [name for name, count in (("images", "image_count"), ("documents", "file_count")) if features.get(count)]
    parts += [blob for name, blob in _BLOBS.items() if name in needs]
    shape: Literal["json_schema", "json_object"] | None = next((shape for shape in _SHAPES if shape in needs), None)
    tokens = event.get("tokens") or {}
    return ChatRequest(
        dialect=event.get("dialect", ""),
        model=event.get("modelIdRequested") or "auto",
        messages=(Message("user", tuple(parts)),),
        tools=tuple(Tool(name) for name in features.get("tool_names") or ()),
        max_output_tokens=features.get("max_output_tokens"),
        response_format=None if shape is None else ResponseFormat(shape),
        native={"input_tokens": features.get("input_tokens", tokens.get("input", 0))},
    )


def _usage(event: JsonObject) -> Usage | None:
    tokens = event.get("tokens") or {}
    if "output" not in tokens:
        return None
    return Usage(
        tokens.get("input", 0),
        tokens["output"],
        tokens.get("cacheRead", 0),
        tokens.get("cacheCreation", 0),
        tokens.get("cacheCreation1h", 0),
        service_tier=tokens.get("serviceTier"),
        speed=tokens.get("speed"),
        web_search_requests=tokens.get("webSearches", 0),
    )
