"""From a request to the models that will be tried, in order, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from openclaw_oauthrouter.canonical.model_names import normalise
from openclaw_oauthrouter.canonical.pricing import MeasuredCost
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.routing import (
    Candidate,
    Classification,
    Estimate,
    ModelInfo,
    RequestFeatures,
    RouteHints,
    RoutingDecision,
    SkippedCandidate,
    Tier,
)
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.config.routing import Profile, RoutingSettings
from openclaw_oauthrouter.config.upstream import RateLimitFallbackSettings
from openclaw_oauthrouter.errors import CredentialNotFound, InvalidRequestError, OAuthRouterError
from openclaw_oauthrouter.interfaces import ConversationMemory, Provider
from openclaw_oauthrouter.routing.conversations import Conversation
from openclaw_oauthrouter.routing.eligibility import Eligibility, Requirements, UsableProviders, requirements_of
from openclaw_oauthrouter.routing.fallback import fallback_candidates
from openclaw_oauthrouter.routing.model_ids import Auto, resolve
from openclaw_oauthrouter.routing.prices import Prices
from openclaw_oauthrouter.routing.tiers import Chains, borrowing_order


class ClassifyRequest(Protocol):
    """Classifies a request: features, hooks, conversation rules; put together by ``assembly``."""

    def __call__(
        self, request: ChatRequest, previous_tier: Tier | None, profile: Profile, input_tokens: int
    ) -> tuple[RequestFeatures, Classification]: ...


@dataclass(frozen=True, slots=True)
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
        return {name: getattr(self.features, name) for name in RECORDED_FEATURES}


@dataclass(frozen=True, slots=True)
class Router:
    """Decides where requests go; no I/O.

    :ivar estimate: tokens of a request at a model
    :ivar explain_missing: what to say when no provider at all can serve
    :ivar revise: the hook ``oauthrouter_select_route``
    """

    settings: RoutingSettings
    fallback: RateLimitFallbackSettings
    providers: Mapping[str, Provider]
    chains: Chains
    classify: ClassifyRequest
    eligibility: Eligibility
    prices: Prices
    conversations: ConversationMemory
    estimate: Callable[[ChatRequest, ModelInfo], Estimate]
    explain_missing: Callable[[], str]
    revise: Callable[..., RoutingDecision | None]

    def route(self, request: ChatRequest, hints: RouteHints, conversation: str | None) -> Routed:
        """Decide for one request.

        :raises ModelNotFoundError: nobody serves the model asked for
        :raises CredentialNotFound: ``auto``, and no provider has a credential
        :raises InvalidRequestError: ``auto``, and no model can ever serve such a request
        """
        wanted = resolve(request.model, self.providers, self.settings.aliases, UsableProviders(self.eligibility.usable))
        if isinstance(wanted, Auto):
            routed = self._automatic(request, hints, wanted, conversation)
        else:
            routed = Routed(self._chosen(request, wanted))
        revised = self.revise(request=request, decision=routed.decision)
        return replace(routed, decision=self._priced(request, revised)) if revised is not None else routed

    def chosen_model(self, model: object) -> ModelInfo:
        """The model a request names that no classifier can judge.

        :raises InvalidRequestError: it names none, or ``auto``
        :raises ModelNotFoundError: nobody serves it
        """
        if not isinstance(model, str) or not model.strip():
            raise InvalidRequestError("'model' is missing", param="model")
        wanted = resolve(model, self.providers, self.settings.aliases, UsableProviders(self.eligibility.usable))
        if isinstance(wanted, Auto):
            raise InvalidRequestError("'auto' chooses among chat models; name the model on this path", param="model")
        return wanted

    def answered(self, conversation: str | None, decision: RoutingDecision, info: ModelInfo, usage: Usage | None) -> None:
        """Remember which model answered a conversation that the router led."""
        if decision.tier is not None:
            cached = usage.cache_read_input_tokens + usage.cache_creation_input_tokens if usage else 0
            self.conversations.remember(conversation, decision.tier, info.name, cached)

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
        baseline = self._model_info(decision.baseline_model)
        return self.prices.at_list(baseline, usage, moment) if baseline else None

    def _chosen(self, request: ChatRequest, info: ModelInfo) -> RoutingDecision:
        candidates = (Candidate(info, reason="chosen by the client"), *fallback_candidates(info, self.fallback, self.providers))
        decision = RoutingDecision(info.name, None, 1.0, "explicit", "the client named the model", candidates=candidates)
        return self._priced(request, decision)

    def _automatic(self, request: ChatRequest, hints: RouteHints, auto: Auto, conversation: str | None) -> Routed:
        known = self.conversations.recall(conversation) if self.settings.sticky else None
        profile = hints.profile or auto.profile or self.settings.profile
        tokens = self.estimate(request, ANY_MODEL).input_tokens
        features, classified = self.classify(request, known.tier if known else None, profile, tokens)
        tier = self._limited(hints.tier or classified.tier, hints)
        requirements = requirements_of(request, tokens)
        candidates, skipped = self._candidates(tier, requirements)
        if not candidates:
            raise self._refusal(skipped, requirements)
        candidates = self._keep_model(request, known, tier, candidates, requirements)
        candidates += [
            candidate
            for candidate in fallback_candidates(candidates[0].info, self.fallback, self.providers)
            if all(candidate.info != h.info for h in candidates)
        ]
        decision = RoutingDecision(
            model=candidates[0].info.name,
            tier=tier,
            confidence=classified.confidence,
            method=classified.method,
            reasoning=classified.reasoning,
            score=classified.score,
            candidates=tuple(candidates),
            skipped=tuple(skipped),
            classification=classified,
        )
        return Routed(self._priced(request, decision), features)

    def _limited(self, tier: Tier, hints: RouteHints) -> Tier:
        caps = [hints.max_tier, Tier(self.settings.max_tier) if self.settings.max_tier else None]
        return min([tier, *(cap for cap in caps if cap is not None)], key=lambda t: t.rank)

    def _candidates(self, tier: Tier, requirements: Requirements) -> tuple[list[Candidate], list[SkippedCandidate]]:
        candidates: list[Candidate] = []
        out_of_order: list[Candidate] = []
        skipped: list[SkippedCandidate] = []
        seen: set[str] = set()
        eligibility = self.eligibility.asking_once()
        for info, reason in self._preferred(tier, candidates):
            name = info if isinstance(info, str) else info.name
            if name in seen:
                continue
            seen.add(name)
            why_not = reason if isinstance(info, str) else eligibility.why_not(info, requirements)
            if why_not is None and isinstance(info, ModelInfo):
                candidates.append(Candidate(info, tier, reason))
            elif not candidates:
                # What comes after a model that can serve is only a reserve; why it cannot is of no interest.
                skipped.append(SkippedCandidate(name, why_not or ""))
                if isinstance(info, ModelInfo) and eligibility.unfit(info, requirements) is None:
                    out_of_order.append(Candidate(info, tier, reason))
        # With nothing else left, the provider's own answer says more than our guess.
        return candidates or out_of_order, skipped

    def _refusal(self, skipped: Sequence[SkippedCandidate], requirements: Requirements) -> OAuthRouterError:
        if not any(map(self.eligibility.usable, self.providers)):
            return CredentialNotFound(self.explain_missing())
        return self.eligibility.refusal(
            [info for candidate in skipped if (info := self._model_info(candidate.model))], requirements
        )

    def _preferred(self, tier: Tier, candidates: Sequence[Candidate]) -> Iterator[tuple[ModelInfo | str, str]]:
        """Models in the order of preference, with why each stands there; a name nobody serves comes as a string.

        :param hops: those found so far: models that no tier names are only thought of when there is none
        """
        for source in borrowing_order(tier):
            for rank, name in enumerate(self.chains[source]):
                reason = f"{source} {'primary' if rank == 0 else f'fallback {rank}'}"
                info = self._model_info(name)
                yield (info, reason) if info else (name, "no provider of that name is configured")
        if candidates:
            return
        for provider in self.providers.values():
            for info in provider.models():
                yield info, f"listed by {provider.name}"

    def _model_info(self, name: str) -> ModelInfo | None:
        prefix, _, model = normalise(name).partition("/")
        provider = self.providers.get(prefix)
        return provider.model_info(model) if provider and model else None

    def _keep_model(
        self,
        request: ChatRequest,
        known: Conversation | None,
        tier: Tier,
        candidates: list[Candidate],
        requirements: Requirements,
    ) -> list[Candidate]:
        """Put a conversation's present model first while that is needed or cheaper."""
        info = self._model_info(known.model) if known else None
        if known is None or info is None or info == candidates[0].info or known.tier.rank < tier.rank:
            return candidates
        if self.eligibility.why_not(info, requirements) is not None:
            return candidates
        if known.tier != tier and not self._cheaper_to_stay(request, known, info, candidates[0].info):
            return candidates
        kept = Candidate(info, tier, "kept: the conversation's prompt is in its cache")
        return [kept, *(candidate for candidate in candidates if candidate.info != info)]

    def _cheaper_to_stay(self, request: ChatRequest, known: Conversation, info: ModelInfo, other: ModelInfo) -> bool:
        price, rival = self.prices.price(info), self.prices.price(other)
        if price is None or rival is None:
            return False
        here, there = self.estimate(request, info), self.estimate(request, other)
        cached = min(known.cached_tokens, here.input_tokens)
        read = price.input if price.cache_read is None else price.cache_read
        # Both would write about the same answer; a generous limit on output must not outweigh the prompt.
        output = min(here.output_tokens, there.output_tokens, 1000)
        stay = cached * read + (here.input_tokens - cached) * price.input + output * price.output
        leave = there.input_tokens * (rival.cache_write or rival.input) + output * rival.output
        return stay <= leave

    def _expected(self, request: ChatRequest, info: ModelInfo) -> Estimate:
        estimate = self.estimate(request, info)
        return Estimate(estimate.input_tokens, min(estimate.output_tokens, EXPECTED_OUTPUT_TOKENS))

    def _priced(self, request: ChatRequest, decision: RoutingDecision) -> RoutingDecision:
        info = decision.candidates[0].info
        baseline = self._model_info(self.settings.baseline or self.chains[Tier.REASONING][0])
        cost = self.prices.expected(info, self._expected(request, info))
        against = self.prices.expected(baseline, self._expected(request, baseline)) if baseline else None
        savings = max(0.0, (against - cost) / against) if against and cost is not None else None
        return replace(
            decision,
            cost_estimate=cost,
            baseline_cost=against,
            savings=savings,
            baseline_model=baseline.name if baseline else None,
        )


EXPECTED_OUTPUT_TOKENS = 4096
"""What an answer is priced at, unless the client asks for less: limits such as 128,000 say nothing of its length."""

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
    "max_output_tokens",
    "input_tokens",
    "previous_tier",
)
"""Features a trace may hold: none of them is what the user said."""

ANY_MODEL = ModelInfo("", "")
# The prompt's length does not depend on the model; its estimate is needed before one is chosen.
