"""Which models can serve a request, in the order the configuration prefers, then in that of the sum of the decision."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.conversation import Conversation
from openclaw_oauthrouter.canonical.model_names import normalise
from openclaw_oauthrouter.canonical.pricing import Price
from openclaw_oauthrouter.canonical.routing import (
    Candidate,
    ModelInfo,
    SkippedCandidate,
    Tier,
    TurnForecast,
)
from openclaw_oauthrouter.errors import CredentialNotFound, OAuthRouterError
from openclaw_oauthrouter.interfaces import Provider
from openclaw_oauthrouter.routing.cost import candidate_cost, cheapest_first, stake_of
from openclaw_oauthrouter.routing.eligibility import Eligibility, Requirements
from openclaw_oauthrouter.routing.prices import Prices
from openclaw_oauthrouter.routing.tiers import Chains, borrowing_order

MOST_COMPARED = 8
"""Candidates that a sum is drawn up for; the rest are reserves in the configuration's order."""

NO_PRICE = Price(0.0, 0.0)

IN_USE = "in use: the conversation is at it"


@dataclass(frozen=True, slots=True)
class Found:
    """The models that come into question.

    :ivar candidates: those that can serve, as the configuration prefers them
    :ivar skipped: those passed over before the first that can
    """

    candidates: tuple[Candidate, ...]
    skipped: tuple[SkippedCandidate, ...]


@dataclass(frozen=True, slots=True)
class Choosing:
    """Finds candidates and puts them in order.

    :ivar shadow: what a call of a model costs at a moment, as a share of its list price
    :ivar explain_missing: what to say when no provider at all can serve
    """

    providers: Mapping[str, Provider]
    chains: Chains
    eligibility: Eligibility
    prices: Prices
    shadow: Callable[[ModelInfo, float], float]
    explain_missing: Callable[[], str]
    clock: Clock

    def find(self, tier: Tier, requirements: Requirements, in_use: str | None = None) -> Found:
        """Models that can serve a tier.

        :param in_use: the model that the conversation is at; it comes into question whatever tier lists it
        :raises CredentialNotFound: no provider has a credential
        :raises InvalidRequestError: no model can ever serve such a request
        """
        candidates: list[Candidate] = []
        out_of_order: list[Candidate] = []
        skipped: list[SkippedCandidate] = []
        seen: set[str] = set()
        eligibility = self.eligibility.asking_once()
        for info, reason in self._preferred(tier, candidates, in_use):
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
        found = Found(tuple(candidates or out_of_order), tuple(skipped))
        if not found.candidates:
            raise self._refusal(skipped, requirements)
        return found

    def order(
        self, candidates: Sequence[Candidate], forecast: TurnForecast, known: Conversation | None
    ) -> tuple[tuple[Candidate, ...], int]:
        """Candidates by their sums, and the stake the sums were drawn up with.

        :param candidates: as the configuration prefers them; at least one
        :param known: the conversation, for what lies in which provider's cache
        """
        now = self.clock()
        compared, reserves = _split(candidates, known)
        ranks = [self._rank(candidate.info, forecast.needed, known) for candidate in compared]
        reference = self._reference(compared, ranks, forecast)
        stake = stake_of(forecast, reference)
        places = self._places(compared, known)
        costs = [
            candidate_cost(
                forecast,
                self._price(candidate.info, forecast) or reference,
                cached_tokens=_cached(known, candidate.info.name, now),
                shadow=self.shadow(candidate.info, now),
                rank=rank,
                place=place,
                stake=stake,
            )
            for candidate, rank, place in zip(compared, ranks, places, strict=True)
        ]
        ordered = tuple(replace(compared[position], cost=costs[position]) for position in cheapest_first(costs))
        return (*ordered, *reserves), stake

    def model_info(self, name: str) -> ModelInfo | None:
        """A model of the configuration by its full name; ``None`` when nobody serves it."""
        prefix, _, model = normalise(name).partition("/")
        provider = self.providers.get(prefix)
        return provider.model_info(model) if provider and model else None

    def _preferred(
        self, tier: Tier, candidates: Sequence[Candidate], in_use: str | None
    ) -> Iterator[tuple[ModelInfo | str, str]]:
        """Models in the order of preference, with why each stands there; a name nobody serves comes as a string.

        :param candidates: those found so far: models that no tier names are only thought of when there is none
        """
        for source in borrowing_order(tier):
            for rank, name in enumerate(self.chains[source]):
                reason = f"{source} {'primary' if rank == 0 else f'fallback {rank}'}"
                info = self.model_info(name)
                yield (info, reason) if info else (name, "no provider of that name is configured")
        if in_use is not None and candidates and (present := self.model_info(in_use)):
            yield present, IN_USE
        if candidates:
            return
        for provider in self.providers.values():
            for info in provider.models():
                yield info, f"listed by {provider.name}"

    def _rank(self, info: ModelInfo, needed: Tier, known: Conversation | None) -> int:
        """Of the highest tier that lists a model; one that none lists is up to the task it has served, else to what is needed."""
        ranks = [tier.rank for tier, names in self.chains.items() if info.name in names]
        if ranks:
            return max(ranks)
        return known.tier.rank if known and known.model == info.name else needed.rank

    def _price(self, info: ModelInfo, forecast: TurnForecast) -> Price | None:
        """The price of a prompt of this length."""
        price = self.prices.price(info)
        return price.under(forecast.input_tokens) if price is not None and price.conditions else price

    def _reference(self, compared: Sequence[Candidate], ranks: Sequence[int], forecast: TurnForecast) -> Price:
        """What the first candidate that is up to the task costs."""
        capable = (candidate for candidate, rank in zip(compared, ranks, strict=True) if rank >= forecast.needed.rank)
        prices = (self._price(candidate.info, forecast) for candidate in (*capable, *compared))
        return next((price for price in prices if price is not None), NO_PRICE)

    def _places(self, compared: Sequence[Candidate], known: Conversation | None) -> list[int]:
        """Where each stands in the configuration's preference; for the model in use, its sum alone speaks."""
        return [0 if known and candidate.info.name == known.model else place for place, candidate in enumerate(compared)]

    def _refusal(self, skipped: Sequence[SkippedCandidate], requirements: Requirements) -> OAuthRouterError:
        if not any(map(self.eligibility.usable, self.providers)):
            return CredentialNotFound(self.explain_missing())
        return self.eligibility.refusal(
            [info for candidate in skipped if (info := self.model_info(candidate.model))], requirements
        )


def _split(candidates: Sequence[Candidate], known: Conversation | None) -> tuple[list[Candidate], list[Candidate]]:
    """The candidates that a sum is drawn up for, the model in use among them wherever it stands, and the rest."""
    compared, reserves = list(candidates[:MOST_COMPARED]), list(candidates[MOST_COMPARED:])
    if known is not None:
        compared += [candidate for candidate in reserves if candidate.info.name == known.model]
        reserves = [candidate for candidate in reserves if candidate.info.name != known.model]
    return compared, reserves


def _cached(known: Conversation | None, model: str, now: float) -> int:
    cache = known.caches.get(model) if known else None
    return cache.tokens_at(now) if cache else 0
