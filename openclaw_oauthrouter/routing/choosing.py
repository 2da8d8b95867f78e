"""Which models can serve a request, in the order the configuration prefers, then in that of the sum of the decision."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter

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
from openclaw_oauthrouter.routing.cost import BORROWED_PLACES, candidate_cost, stake_of
from openclaw_oauthrouter.routing.eligibility import Eligibility, Requirements
from openclaw_oauthrouter.routing.prices import Prices
from openclaw_oauthrouter.routing.tiers import Chains, borrowing_order

MOST_COMPARED = 6
"""Candidates that a sum is drawn up for; the rest are reserves in the configuration's order."""

MOST_CANDIDATES = 12
"""No request is tried at more models than these."""

NO_PRICE = Price(0.0, 0.0)

_TOTAL_THEN_PLACE = itemgetter(0, 1)

IN_USE = "in use: the conversation is at it"


Preferred = tuple[tuple[str, ModelInfo | None, str], ...]
"""Models in order: name, what is known of it (``None``: nobody serves it), why it stands there."""


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
    :ivar preferences: what each tier comes to, by the chains it was found out from
    :ivar ranks: of the models they name, likewise
    """

    providers: Mapping[str, Provider]
    chains: Chains
    eligibility: Eligibility
    prices: Prices
    shadow: Callable[[ModelInfo, float], float]
    explain_missing: Callable[[], str]
    clock: Clock
    preferences: dict[Tier, tuple[Sequence[Sequence[str]], Preferred]] = field(default_factory=dict, compare=False)
    ranks: dict[str, int] = field(default_factory=dict, compare=False)

    def find(self, tier: Tier, requirements: Requirements, in_use: str | None = None) -> Found:
        """Models that can serve a tier.

        :param in_use: the model that the conversation is at; it comes into question whatever tier lists it
        :raises CredentialNotFound: no provider has a credential
        :raises InvalidRequestError: no model can ever serve such a request
        """
        candidates: list[Candidate] = []
        out_of_order: list[Candidate] = []
        skipped: list[SkippedCandidate] = []
        why_not = self.eligibility.asking_once().why_not
        for name, info, reason in self._in_question(tier, candidates, in_use):
            against = "no provider of that name is configured" if info is None else why_not(info, requirements)
            if against is None and info is not None:
                candidates.append(Candidate(info, tier, reason))
                if len(candidates) == MOST_CANDIDATES and in_use is None:
                    break
            elif not candidates:
                # What comes after a model that can serve is only a reserve; why it cannot is of no interest.
                skipped.append(SkippedCandidate(name, against or ""))
                if info is not None and self.eligibility.unfit(info, requirements) is None:
                    out_of_order.append(Candidate(info, tier, reason))
        # With nothing else left, the provider's own answer says more than our guess.
        found = Found(tuple(candidates or out_of_order), tuple(skipped))
        if found.candidates:
            return found
        if requirements.structured_output is not None:
            # Better a model that is only told of the shape than none at all.
            return self.find(tier, replace(requirements, structured_output=None), in_use)
        raise self._refusal(skipped, requirements)

    def order(
        self, candidates: Sequence[Candidate], forecast: TurnForecast, known: Conversation | None
    ) -> tuple[tuple[Candidate, ...], int]:
        """Candidates by their sums, and the stake the sums were drawn up with.

        :param candidates: as the configuration prefers them; at least one
        :param known: the conversation, for what lies in which provider's cache
        """
        now = self.clock()
        compared, reserves = _split(candidates, known)
        prices = [self._price(candidate.info, forecast) for candidate in compared]
        ranks = [self._rank(candidate.info, forecast.needed, known) for candidate in compared]
        reference = _reference(prices, ranks, forecast.needed)
        stake = stake_of(forecast, reference)
        summed: list[tuple[int, int, Candidate]] = []
        for place, (candidate, price, rank) in enumerate(zip(compared, prices, ranks, strict=True)):
            info = candidate.info
            cost = candidate_cost(
                forecast,
                price or reference,
                cached_tokens=_cached(known, info.name, now),
                shadow=self.shadow(info, now),
                rank=rank,
                place=self._place(place, info, rank, forecast.needed, known),
                stake=stake,
            )
            summed.append((cost.total, place, Candidate(info, candidate.tier, candidate.reason, candidate.only_on, cost)))
        # Of equal sums the one named first stays first.
        summed.sort(key=_TOTAL_THEN_PLACE)
        return (*(row[2] for row in summed), *reserves), stake

    def model_info(self, name: str) -> ModelInfo | None:
        """A model of the configuration by its full name; ``None`` when nobody serves it."""
        prefix, _, model = normalise(name).partition("/")
        provider = self.providers.get(prefix)
        return provider.model_info(model) if provider and model else None

    def _in_question(
        self, tier: Tier, candidates: Sequence[Candidate], in_use: str | None
    ) -> Iterator[tuple[str, ModelInfo | None, str]]:
        """Models in the order of preference, each once: name, what is known of it (``None``: nobody serves it), why it stands there.

        :param candidates: those found so far: models that no tier names are only thought of when there is none
        """
        preferred = self._preferred(tier)
        yield from preferred
        present = self.model_info(in_use) if in_use is not None and candidates else None
        if present is not None and all(present.name != name for name, _, _ in preferred):
            yield present.name, present, IN_USE
        if candidates:
            return
        for provider in self.providers.values():
            for info in provider.models():
                if all(info.name != name for name, _, _ in preferred):
                    yield info.name, info, f"listed by {provider.name}"

    def _preferred(self, tier: Tier) -> Preferred:
        """What the tiers name for one of them, then for its neighbours; found out anew only when they have changed."""
        chains = tuple(self.chains[source] for source in borrowing_order(tier))
        known = self.preferences.get(tier)
        if known is None or known[0] != chains:
            rows: dict[str, tuple[str, ModelInfo | None, str]] = {}
            for source in borrowing_order(tier):
                for rank, name in enumerate(self.chains[source]):
                    info = self.model_info(name)
                    shown = info.name if info else name
                    rows.setdefault(shown, (shown, info, f"{source} {'primary' if rank == 0 else f'fallback {rank}'}"))
                    if info is not None:
                        self.ranks[shown] = self._highest(shown)
            known = self.preferences[tier] = (chains, tuple(rows.values()))
        return known[1]

    def _highest(self, name: str) -> int:
        """Of the tiers that name a model."""
        return max(tier.rank for tier in Tier if name in map(normalise, self.chains[tier]))

    def _rank(self, info: ModelInfo, needed: Tier, known: Conversation | None) -> int:
        """Of the highest tier that lists a model; one that none lists is up to the task it has served, else to what is needed."""
        rank = self.ranks.get(info.name)
        if rank is not None:
            return rank
        return known.tier.rank if known and known.model == info.name else needed.rank

    def _place(self, place: int, info: ModelInfo, rank: int, needed: Tier, known: Conversation | None) -> int:
        """How far behind a model stands; for the one in use its sum alone speaks, and one of a stronger tier is only borrowed."""
        if known is not None and info.name == known.model:
            return 0
        borrowed = rank > needed.rank and info.name not in map(normalise, self.chains[needed])
        return place + BORROWED_PLACES if borrowed and place else place

    def _price(self, info: ModelInfo, forecast: TurnForecast) -> Price | None:
        """The price of a prompt of this length."""
        price = self.prices.price(info)
        return price.under(forecast.input_tokens) if price is not None and price.conditions else price

    def _refusal(self, skipped: Sequence[SkippedCandidate], requirements: Requirements) -> OAuthRouterError:
        if not any(map(self.eligibility.usable, self.providers)):
            return CredentialNotFound(self.explain_missing())
        return self.eligibility.refusal(
            [info for candidate in skipped if (info := self.model_info(candidate.model))], requirements
        )


def _reference(prices: Sequence[Price | None], ranks: Sequence[int], needed: Tier) -> Price:
    """What the first candidate that is up to the task costs; failing that, the first that has a price."""
    for price, rank in zip(prices, ranks, strict=True):
        if price is not None and rank >= needed.rank:
            return price
    return next((price for price in prices if price is not None), NO_PRICE)


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
