"""From a request to the models that will be tried, in order, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from openclaw_oauthrouter.canonical.model_names import normalise
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.routing import (
    Classification,
    Estimate,
    Hop,
    ModelCard,
    RequestFeatures,
    RouteHints,
    RoutingDecision,
    SkippedHop,
    Tier,
)
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.config.routing import Profile, RoutingSettings
from openclaw_oauthrouter.config.upstream import RateLimitFallbackSettings
from openclaw_oauthrouter.errors import CredentialNotFound, InvalidRequestError, OAuthRouterError
from openclaw_oauthrouter.interfaces import ConversationMemory, Provider
from openclaw_oauthrouter.routing.conversations import Conversation
from openclaw_oauthrouter.routing.fallback import fallback_hops
from openclaw_oauthrouter.routing.model_ids import Auto, resolve
from openclaw_oauthrouter.routing.prices import Prices
from openclaw_oauthrouter.routing.servable import Needs, Servable, UsableProviders, needs_of
from openclaw_oauthrouter.routing.tiers import Chains, borrowing_order


class Judge(Protocol):
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
    judge: Judge
    servable: Servable
    prices: Prices
    conversations: ConversationMemory
    estimate: Callable[[ChatRequest, ModelCard], Estimate]
    explain_missing: Callable[[], str]
    revise: Callable[..., RoutingDecision | None]

    def route(self, request: ChatRequest, hints: RouteHints, conversation: str | None) -> Routed:
        """Decide for one request.

        :raises ModelNotFoundError: nobody serves the model asked for
        :raises CredentialNotFound: ``auto``, and no provider has a credential
        :raises InvalidRequestError: ``auto``, and no model can ever serve such a request
        """
        wanted = resolve(request.model, self.providers, self.settings.aliases, UsableProviders(self.servable.usable))
        if isinstance(wanted, Auto):
            routed = self._automatic(request, hints, wanted, conversation)
        else:
            routed = Routed(self._chosen(request, wanted))
        revised = self.revise(request=request, decision=routed.decision)
        return replace(routed, decision=self._priced(request, revised)) if revised is not None else routed

    def chosen_model(self, model: object) -> ModelCard:
        """The model a request names that no classifier can judge.

        :raises InvalidRequestError: it names none, or ``auto``
        :raises ModelNotFoundError: nobody serves it
        """
        if not isinstance(model, str) or not model.strip():
            raise InvalidRequestError("'model' is missing", param="model")
        wanted = resolve(model, self.providers, self.settings.aliases, UsableProviders(self.servable.usable))
        if isinstance(wanted, Auto):
            raise InvalidRequestError("'auto' chooses among chat models; name the model on this path", param="model")
        return wanted

    def answered(self, conversation: str | None, decision: RoutingDecision, card: ModelCard, usage: Usage | None) -> None:
        """Remember which model answered a conversation that the router led."""
        if decision.tier is not None:
            cached = usage.cache_read_input_tokens + usage.cache_creation_input_tokens if usage else 0
            self.conversations.remember(conversation, decision.tier, card.name, cached)

    def _chosen(self, request: ChatRequest, card: ModelCard) -> RoutingDecision:
        hops = (Hop(card, reason="chosen by the client"), *fallback_hops(card, self.fallback, self.providers))
        decision = RoutingDecision(card.name, None, 1.0, "explicit", "the client named the model", hops=hops)
        return self._priced(request, decision)

    def _automatic(self, request: ChatRequest, hints: RouteHints, auto: Auto, conversation: str | None) -> Routed:
        known = self.conversations.recall(conversation) if self.settings.sticky else None
        profile = hints.profile or auto.profile or self.settings.profile
        tokens = self.estimate(request, _ANY_CARD).input_tokens
        features, judged = self.judge(request, known.tier if known else None, profile, tokens)
        tier = self._limited(hints.tier or judged.tier, hints)
        needs = needs_of(request, tokens)
        hops, skipped = self._hops(tier, needs)
        if not hops:
            raise self._refusal(skipped, needs)
        hops = self._keep_model(request, known, tier, hops, needs)
        hops += [
            hop for hop in fallback_hops(hops[0].card, self.fallback, self.providers) if all(hop.card != h.card for h in hops)
        ]
        decision = RoutingDecision(
            model=hops[0].card.name,
            tier=tier,
            confidence=judged.confidence,
            method=judged.method,
            reasoning=judged.reasoning,
            score=judged.score,
            hops=tuple(hops),
            skipped=tuple(skipped),
            classification=judged,
        )
        return Routed(self._priced(request, decision), features)

    def _limited(self, tier: Tier, hints: RouteHints) -> Tier:
        caps = [hints.max_tier, Tier(self.settings.max_tier) if self.settings.max_tier else None]
        return min([tier, *(cap for cap in caps if cap is not None)], key=lambda t: t.rank)

    def _hops(self, tier: Tier, needs: Needs) -> tuple[list[Hop], list[SkippedHop]]:
        hops: list[Hop] = []
        out_of_order: list[Hop] = []
        skipped: list[SkippedHop] = []
        seen: set[str] = set()
        servable = self.servable.asking_once()
        for card, reason in self._candidates(tier, hops):
            name = card if isinstance(card, str) else card.name
            if name in seen:
                continue
            seen.add(name)
            why_not = reason if isinstance(card, str) else servable.why_not(card, needs)
            if why_not is None and isinstance(card, ModelCard):
                hops.append(Hop(card, tier, reason))
            elif not hops:
                # What comes after a model that can serve is only a reserve; why it cannot is of no interest.
                skipped.append(SkippedHop(name, why_not or ""))
                if isinstance(card, ModelCard) and servable.unfit(card, needs) is None:
                    out_of_order.append(Hop(card, tier, reason))
        # With nothing else left, the provider's own answer says more than our guess.
        return hops or out_of_order, skipped

    def _refusal(self, skipped: Sequence[SkippedHop], needs: Needs) -> OAuthRouterError:
        if not any(map(self.servable.usable, self.providers)):
            return CredentialNotFound(self.explain_missing())
        return self.servable.refusal([card for hop in skipped if (card := self._card(hop.model))], needs)

    def _candidates(self, tier: Tier, hops: Sequence[Hop]) -> Iterator[tuple[ModelCard | str, str]]:
        """Models in the order of preference, with why each stands there; a name nobody serves comes as a string.

        :param hops: those found so far: models that no tier names are only thought of when there is none
        """
        for source in borrowing_order(tier):
            for rank, name in enumerate(self.chains[source]):
                reason = f"{source} {'primary' if rank == 0 else f'fallback {rank}'}"
                card = self._card(name)
                yield (card, reason) if card else (name, "no provider of that name is configured")
        if hops:
            return
        for provider in self.providers.values():
            for card in provider.cards():
                yield card, f"listed by {provider.name}"

    def _card(self, name: str) -> ModelCard | None:
        prefix, _, model = normalise(name).partition("/")
        provider = self.providers.get(prefix)
        return provider.card(model) if provider and model else None

    def _keep_model(
        self, request: ChatRequest, known: Conversation | None, tier: Tier, hops: list[Hop], needs: Needs
    ) -> list[Hop]:
        """Put a conversation's present model first while that is needed or cheaper."""
        card = self._card(known.model) if known else None
        if known is None or card is None or card == hops[0].card or known.tier.rank < tier.rank:
            return hops
        if self.servable.why_not(card, needs) is not None:
            return hops
        if known.tier != tier and not self._cheaper_to_stay(request, known, card, hops[0].card):
            return hops
        kept = Hop(card, tier, "kept: the conversation's prompt is in its cache")
        return [kept, *(hop for hop in hops if hop.card != card)]

    def _cheaper_to_stay(self, request: ChatRequest, known: Conversation, card: ModelCard, other: ModelCard) -> bool:
        price, rival = self.prices.price(card), self.prices.price(other)
        if price is None or rival is None:
            return False
        here, there = self.estimate(request, card), self.estimate(request, other)
        cached = min(known.cached_tokens, here.input_tokens)
        read = price.input if price.cache_read is None else price.cache_read
        # Both would write about the same answer; a generous limit on output must not outweigh the prompt.
        output = min(here.output_tokens, there.output_tokens, 1000)
        stay = cached * read + (here.input_tokens - cached) * price.input + output * price.output
        leave = there.input_tokens * (rival.cache_write or rival.input) + output * rival.output
        return stay <= leave

    def _expected(self, request: ChatRequest, card: ModelCard) -> Estimate:
        estimate = self.estimate(request, card)
        return Estimate(estimate.input_tokens, min(estimate.output_tokens, EXPECTED_OUTPUT_TOKENS))

    def _priced(self, request: ChatRequest, decision: RoutingDecision) -> RoutingDecision:
        card = decision.hops[0].card
        baseline = self._card(self.settings.baseline or self.chains[Tier.REASONING][0])
        cost = self.prices.estimate(card, self._expected(request, card))
        against = self.prices.estimate(baseline, self._expected(request, baseline)) if baseline else 0.0
        savings = max(0.0, (against - cost) / against) if against > 0 else 0.0
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

_ANY_CARD = ModelCard("", "")
# The prompt's length does not depend on the model; its estimate is needed before one is chosen.
