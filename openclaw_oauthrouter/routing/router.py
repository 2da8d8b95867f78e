"""From a request to the models that will be tried, in order, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, field
from operator import attrgetter
from typing import Protocol

from openclaw_oauthrouter.canonical.conversation import Conversation
from openclaw_oauthrouter.canonical.pricing import ExpectedCost, MeasuredCost
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.routing import (
    Candidate,
    Classification,
    Estimate,
    ModelInfo,
    RequestFeatures,
    RequestKind,
    RouteHints,
    RoutingDecision,
    Tier,
)
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.canonical.value import changed, value
from openclaw_oauthrouter.config.routing import Profile, RoutingSettings
from openclaw_oauthrouter.config.upstream import RateLimitFallbackSettings
from openclaw_oauthrouter.errors import InvalidRequestError
from openclaw_oauthrouter.interfaces import ConversationMemory, Provider
from openclaw_oauthrouter.routing.choosing import IN_USE, Choosing
from openclaw_oauthrouter.routing.cost import CHAT_TURNS, forecast_of, remaining_calls
from openclaw_oauthrouter.routing.eligibility import (
    NEEDS,
    Eligibility,
    Requirements,
    UsableProviders,
    doubt,
    requirements_of,
    too_small,
)
from openclaw_oauthrouter.routing.fallback import fallback_candidates
from openclaw_oauthrouter.routing.model_ids import Auto, resolve
from openclaw_oauthrouter.routing.prices import Prices
from openclaw_oauthrouter.routing.stickiness import Standing, after_answer, cache_use, standing_of

_Expected = tuple[ExpectedCost | None, ExpectedCost | None, float | None, str | None]
"""What a call is expected to cost, and the baseline model; the share that this saves; the baseline model."""


class ClassifyRequest(Protocol):
    """Classifies a request: features, hooks, conversation rules; put together by ``parts``."""

    def __call__(
        self, request: ChatRequest, known: Conversation | None, profile: Profile, input_tokens: int
    ) -> tuple[RequestFeatures, Classification]: ...


@value(frozen=True, slots=True)
class Routed:
    """A decision, and what it was based on.

    :ivar features: what the classifier saw; ``None`` when the client chose the model itself
    """

    decision: RoutingDecision
    features: RequestFeatures | None = None

    def recorded(self) -> dict[str, object] | None:
        """The features without the user's words, for the trace and for replay."""
        if self.features is None:
            return None
        recorded: dict[str, object] = dict(zip(RECORDED_FEATURES, _RECORDED(self.features), strict=True))
        if self.features.flight is not None:
            recorded["flight"] = asdict(self.features.flight)
        return recorded


_MOST_NAMED = 1000


@value(frozen=True, slots=True)
class Router:
    """Decides where requests go; no I/O.

    :ivar estimate: tokens of a request at a model, at most
    :ivar expected_output: tokens of the usual answer to a conversation, by a model, in a tier
    :ivar revise: the hook ``oauthrouter_select_route``; ``None`` where nobody implements it
    """

    settings: RoutingSettings
    fallback: RateLimitFallbackSettings
    choosing: Choosing
    classify: ClassifyRequest
    conversations: ConversationMemory
    estimate: Callable[[ChatRequest, ModelInfo], Estimate]
    expected_output: Callable[[str | None, str, Tier | None], int]
    revise: Callable[..., RoutingDecision | None] | None = None
    named: dict[str, ModelInfo | Auto] = field(default_factory=dict, compare=False)
    """``auto``, and models that clients name with their provider; what a name stands for stays the same as long as the configuration."""
    baselines: dict[str, ModelInfo] = field(default_factory=dict, compare=False)
    """Likewise, those that others are compared with."""

    @property
    def providers(self) -> Mapping[str, Provider]:
        """The configured upstreams, by name."""
        return self.choosing.providers

    @property
    def eligibility(self) -> Eligibility:
        """Which models can serve."""
        return self.choosing.eligibility

    @property
    def prices(self) -> Prices:
        """What models cost."""
        return self.choosing.prices

    def explain_missing(self) -> str:
        """What to do when no provider at all can serve."""
        return self.choosing.explain_missing()

    def route(self, request: ChatRequest, hints: RouteHints, conversation: str | None) -> Routed:
        """Decide for one request; nothing is remembered before it is answered.

        :raises ModelNotFoundError: nobody serves the model asked for
        :raises CredentialNotFound: ``auto``, and no provider has a credential
        :raises InvalidRequestError: ``auto``, and no model can ever serve such a request
        """
        wanted = self._resolve(request.model)
        if isinstance(wanted, Auto):
            routed = self._automatic(request, hints, wanted, conversation)
        else:
            routed = Routed(self._chosen(request, wanted, conversation))
        if self.revise is None:
            return routed
        revised = self.revise(request=request, decision=routed.decision)
        return Routed(self.priced(request, revised, conversation), routed.features) if revised is not None else routed

    def chosen_model(self, model: object) -> ModelInfo:
        """The model a request names that no classifier can read.

        :raises InvalidRequestError: it names none, or ``auto``
        :raises ModelNotFoundError: nobody serves it
        """
        if not isinstance(model, str) or not model.strip():
            raise InvalidRequestError("'model' is missing", param="model")
        wanted = self._resolve(model)
        if isinstance(wanted, Auto):
            raise InvalidRequestError("'auto' chooses among chat models; name the model on this path", param="model")
        return wanted

    def answered(
        self,
        conversation: str | None,
        decision: RoutingDecision,
        info: ModelInfo,
        usage: Usage | None,
        credential: str | None = None,
    ) -> None:
        """Remember which model answered a conversation that the router led; side requests move nothing."""
        if decision.task is not None:
            known = self.conversations.recall(conversation)
            now = self.choosing.clock()
            self.conversations.remember(conversation, after_answer(known, decision.task, info, usage, now, credential))

    def baseline_cost(
        self, decision: RoutingDecision, answered: ModelInfo, cost: MeasuredCost | None, usage: Usage, moment: float
    ) -> MeasuredCost | None:
        """US dollars the baseline model would have charged for the very tokens an answer used.

        ``None`` where the client chose the model itself (what that costs less is not the gateway's doing), and where either price is
        not known.

        :param moment: when the call was made, Unix seconds
        """
        if decision.tier is None or cost is None or decision.baseline_model is None:
            return None
        if decision.baseline_model == answered.name:
            return cost
        baseline = self.choosing.model_info(decision.baseline_model)
        return self.prices.at_list(baseline, usage, moment) if baseline else None

    def unpriced(self) -> list[str]:
        """Models of the tiers whose price nobody knows: their cost cannot be computed, nor counted against a budget in money."""
        names = dict.fromkeys(name for chain in self.choosing.chains.values() for name in chain)
        known = ((name, self.choosing.model_info(name)) for name in names)
        return [name for name, info in known if info is not None and self.prices.tariff(info) is None]

    def _resolve(self, model: str) -> Auto | ModelInfo:
        known = self.named.get(model)
        if known is not None:
            return known
        found = resolve(model, self.choosing.providers, self.settings.aliases, UsableProviders(self.eligibility.usable))
        if (isinstance(found, Auto) or model == found.name) and len(self.named) < _MOST_NAMED:
            self.named[model] = found
        return found

    def _chosen(self, request: ChatRequest, info: ModelInfo, conversation: str | None) -> RoutingDecision:
        candidates: tuple[Candidate, ...] = (Candidate(info, reason="chosen by the client"),)
        if self.fallback.enabled:
            requirements = requirements_of(request, self.estimate(request, info).input_tokens)
            candidates += self._fallback(info, requirements, ())
        expected = self._expected(request, info, None, conversation)
        return RoutingDecision(info.name, None, 1.0, "explicit", "the client named the model", *expected, candidates=candidates)

    def _automatic(self, request: ChatRequest, hints: RouteHints, auto: Auto, conversation: str | None) -> Routed:
        known = self.conversations.recall(conversation) if self.settings.sticky else None
        profile = hints.profile or auto.profile or self.settings.profile
        estimate = self.estimate(request, ANY_MODEL)
        features, classified = self.classify(request, known, profile, estimate.input_tokens)
        if features.anew:
            known = None
        standing = standing_of(classified, features, known, in_flight=self.settings.in_flight)
        tier = self._limited(hints.tier or standing.needed, hints)
        forecast = forecast_of(
            tier,
            estimate.input_tokens,
            estimate.output_tokens,
            settings=self.settings,
            profile=profile,
            known=known,
            turns=_coming_turns(classified, features),
            lift=standing.lift if tier is standing.needed else 0.0,
            cache=cache_use(request),
        )
        # A side request does not begin with the conversation's prompt: no cache holds any of it.
        at_hand = None if features.kind in BESIDE else known
        requirements = requirements_of(request, estimate.input_tokens)
        found = self.choosing.find(tier, requirements, at_hand.model if at_hand else None)
        ordered, stake = self.choosing.order(found.candidates, forecast, at_hand)
        ordered = (_explained(ordered[0], at_hand, standing), *ordered[1:])
        chosen = ordered[0].info
        decision = RoutingDecision(
            chosen.name,
            tier,
            classified.confidence,
            classified.method,
            f"{classified.reasoning} | {standing.note}" if standing.note else classified.reasoning,
            *self._expected(request, chosen, tier, conversation),
            score=classified.score,
            candidates=(*ordered, *self._fallback(chosen, requirements, ordered)) if self.fallback.enabled else ordered,
            skipped=found.skipped,
            classification=classified,
            forecast=forecast,
            kind=features.kind,
            task=standing.state,
            stake=stake,
            asked=None if tier is standing.needed else tier,
            asked_profile=hints.profile,
            needs=NEEDS[requirements.needs],
            remembers_since=self.conversations.since,
        )
        return Routed(decision, features)

    def _fallback(self, info: ModelInfo, requirements: Requirements, known: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
        """The stops of ``rateLimitFallback`` that are up to the request.

        Where the model that is replaced surely sees what the request holds, so must those that replace it.
        """
        sure = requirements.media and any(doubt(one, requirements) is None for one in (info, *(other.info for other in known)))
        return tuple(
            candidate
            for candidate in fallback_candidates(info, self.fallback, self.choosing.providers, self.eligibility.day())
            if all(candidate.info != other.info for other in known)
            and too_small(candidate.info, requirements) is None
            and not (sure and doubt(candidate.info, requirements))
        )

    def _limited(self, tier: Tier, hints: RouteHints) -> Tier:
        for cap in (hints.max_tier, self.settings.max_tier):
            if cap is not None and Tier(cap).rank < tier.rank:
                tier = Tier(cap)
        return tier

    def priced(self, request: ChatRequest, decision: RoutingDecision, conversation: str | None) -> RoutingDecision:
        """A decision that was changed, such as a plugin's, with what it is expected to cost."""
        expected = self._expected(request, decision.candidates[0].info, decision.tier, conversation)
        cost, against, savings, baseline = expected
        return changed(decision, cost_estimate=cost, baseline_cost=against, savings=savings, baseline_model=baseline)

    def _expected(self, request: ChatRequest, info: ModelInfo, tier: Tier | None, conversation: str | None) -> _Expected:
        """What a call is expected to cost: an answer as long as the usual one, at the model and at the baseline model."""
        estimate, prices = self.estimate(request, info), self.choosing.prices
        tokens, output = estimate.input_tokens, estimate.output_tokens
        usual = self.expected_output(conversation, info.name, tier)
        if usual < output:
            output = usual
        cost = prices.expected_of(info, tokens, output)
        baseline = self._baseline()
        if baseline is None:
            return cost, None, None, None
        if baseline is info:
            return cost, cost, 0.0 if cost else None, baseline.name
        against = prices.expected_of(baseline, tokens, output)
        savings = max(0.0, (against - cost) / against) if against and cost is not None else None
        return cost, against, savings, baseline.name

    def _baseline(self) -> ModelInfo | None:
        name = self.settings.baseline or self.choosing.chains[Tier.REASONING][0]
        known = self.baselines.get(name)
        if known is None:
            known = self.choosing.model_info(name)
            if known is not None:
                self.baselines[name] = known
        return known


def _coming_turns(classified: Classification, features: RequestFeatures) -> float:
    """Calls expected after this one at the model chosen now; what a digression or a side request chooses, the next turn chooses anew."""
    if features.kind in BESIDE or features.kind is RequestKind.COMPACTION or classified.turn == "digression":
        return 0.0
    if features.agent or classified.agent:
        return remaining_calls(features.flight.calls if features.flight else 0)
    return CHAT_TURNS


def _explained(first: Candidate, known: Conversation | None, standing: Standing) -> Candidate:
    """The chosen candidate with what the conversation had to do with it."""
    if known is None or first.info.name != known.model:
        return changed(first, reason=f"{first.reason}; {_SHIFTED}") if standing.lift > 0 else first
    cached = first.cost.cached_tokens if first.cost else 0
    kept = f"kept: {cached} tokens of the conversation's prompt are in its cache" if cached else f"kept: {IN_USE}"
    return changed(first, reason=kept)


BESIDE = (RequestKind.SIDE, RequestKind.ASIDE)
"""Requests that do not begin with the conversation's prompt, and move nothing."""

_SHIFTED = "what happened in the task speaks for a stronger model"

RECORDED_FEATURES = (
    "text_length",
    "turn_count",
    "is_tool_result_turn",
    "has_assistant_turn",
    "tool_names",
    "image_count",
    "file_count",
    "structured_output",
    "reasoning_effort",
    "effort_is_default",
    "max_output_tokens",
    "input_tokens",
    "previous_tier",
    "kind",
    "agent",
    "anew",
)
"""Features a trace may hold: none of them is what the user said."""
_RECORDED = attrgetter(*RECORDED_FEATURES)

ANY_MODEL = ModelInfo("", "")
# The prompt's length does not depend on the model; its estimate is needed before one is chosen.
