"""Which models can serve a request, in the order the configuration prefers, then in that of the sum of the decision."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from operator import itemgetter
from typing import NamedTuple

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
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.errors import CredentialNotFound, OAuthRouterError
from openclaw_oauthrouter.interfaces import Provider
from openclaw_oauthrouter.routing.cost import BORROWED_PLACES, candidate_cost, stake_of
from openclaw_oauthrouter.routing.eligibility import Eligibility, Requirements, doubt
from openclaw_oauthrouter.routing.prices import Prices
from openclaw_oauthrouter.routing.tiers import BORROWING_ORDERS, Chains

MOST_COMPARED = 6
"""Candidates that a sum is drawn up for; the rest are reserves in the configuration's order."""

MOST_CANDIDATES = 12
"""No request is tried at more models than these."""

NO_PRICE = Price(0.0, 0.0)

_LIST_SECONDS = 15.0
"""After so long a list of models that is on its way has come, or will not."""

_TOTAL_THEN_PLACE = itemgetter(0, 1)

IN_USE = "in use: the conversation is at it"

NOT_CONFIGURED = "no provider of that name is configured"


Row = tuple[str, Candidate | None]
"""A model that comes into question: its name, and the candidate it would make; ``None``: nobody serves it."""

Preferred = tuple[Row, ...]
"""In order; made once, for requests only pick from them."""


@value(frozen=True, slots=True)
class Found:
    """The models that come into question.

    :ivar candidates: those that can serve, as the configuration prefers them
    :ivar skipped: those passed over before the first that can
    """

    candidates: tuple[Candidate, ...]
    skipped: tuple[SkippedCandidate, ...]


class _Preference(NamedTuple):
    """What a tier comes to.

    :ivar chains: what it was found out from
    :ivar own: names of the models that the tier itself lists
    """

    chains: Sequence[Sequence[str]]
    rows: Preferred
    own: frozenset[str]


@value(frozen=True, slots=True)
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
    preferences: dict[Tier, _Preference] = field(default_factory=dict, compare=False)
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
        doubted = 0
        why_not = self.eligibility.asking_once().why_not
        for name, candidate in self._in_question(tier, candidates, in_use):
            against = NOT_CONFIGURED if candidate is None else why_not(candidate.info, requirements)
            if against is None and candidate is not None:
                candidates.append(candidate)
                doubted += requirements.media and doubt(candidate.info, requirements) is not None
                if len(candidates) == MOST_CANDIDATES and in_use is None:
                    break
            elif len(candidates) == doubted:
                # What comes after a model that can serve is only a reserve; why it cannot is of no interest.
                skipped.append(SkippedCandidate(name, against or ""))
                if candidate is not None and self.eligibility.unfit(candidate.info, requirements) is None:
                    out_of_order.append(candidate)
        if requirements.media:
            candidates, out_of_order = self._without_doubt(tier, requirements, candidates, out_of_order, skipped)
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
        now, needed = self.clock(), forecast.needed
        own = self._preference(needed).own
        compared, reserves = _split(candidates, known)
        names = [candidate.info.name for candidate in compared]
        prices = [self._price(candidate.info, forecast) for candidate in compared]
        ranks = [self._rank(name, needed, known) for name in names]
        reference = _reference(prices, ranks, needed)
        stake = stake_of(forecast, reference)
        summed: list[tuple[int, int, Candidate]] = []
        for place, (candidate, name, price, rank) in enumerate(zip(compared, names, prices, ranks, strict=True)):
            info = candidate.info
            cost = candidate_cost(
                forecast,
                price or reference,
                cached_tokens=_cached(known, name, now) if known else 0,
                shadow=self.shadow(info, now),
                rank=rank,
                place=self._place(place, name, rank, needed, own, known),
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

    def _without_doubt(
        self,
        tier: Tier,
        requirements: Requirements,
        candidates: list[Candidate],
        out_of_order: list[Candidate],
        skipped: list[SkippedCandidate],
    ) -> tuple[list[Candidate], list[Candidate]]:
        """Leave out the models that may not see an image where the tier itself names one that does, even if that one must wait.

        :param skipped: gets those left out
        """
        own = self._preference(tier).own
        sure = [[row for row in rows if doubt(row.info, requirements) is None] for rows in (candidates, out_of_order)]
        if not any(row.info.name in own for rows in sure for row in rows):
            return candidates, out_of_order
        for candidate in candidates:
            why = doubt(candidate.info, requirements)
            if why is not None:
                skipped.append(SkippedCandidate(candidate.info.name, why))
        return sure[0], sure[1]

    def silent_providers(self) -> list[str]:
        """Those that could be asked if a model of theirs were known: they list none, and no list of theirs has come."""
        return [name for name, provider in self.providers.items() if self.eligibility.usable(name) and not provider.models()]

    def _in_question(self, tier: Tier, candidates: Sequence[Candidate], in_use: str | None) -> Iterator[Row]:
        """Models in the order of preference, each once.

        :param candidates: those found so far: models that no tier names are only thought of when there is none
        """
        preferred = self._preference(tier).rows
        yield from preferred
        present = self.model_info(in_use) if in_use is not None and candidates else None
        if present is not None and all(present.name != name for name, _ in preferred):
            yield present.name, Candidate(present, tier, IN_USE)
        if candidates:
            return
        for provider in self.providers.values():
            for info in provider.models():
                if all(info.name != name for name, _ in preferred):
                    yield info.name, Candidate(info, tier, f"listed by {provider.name}")

    def _preference(self, tier: Tier) -> _Preference:
        """What the tiers name for one of them, then for its neighbours; found out anew only when they have changed."""
        order = BORROWING_ORDERS[tier]
        chains = tuple(map(self.chains.__getitem__, order))
        known = self.preferences.get(tier)
        if known is None or known.chains != chains:
            rows: dict[str, Row] = {}
            for source in order:
                for rank, name in enumerate(self.chains[source]):
                    info = self.model_info(name)
                    shown = info.name if info else name
                    why = f"{source} {'primary' if rank == 0 else f'fallback {rank}'}"
                    rows.setdefault(shown, (shown, Candidate(info, tier, why) if info is not None else None))
                    if info is not None:
                        self.ranks[shown] = self._highest(shown)
            known = self.preferences[tier] = _Preference(
                chains, tuple(rows.values()), frozenset(map(normalise, self.chains[tier]))
            )
        return known

    def _highest(self, name: str) -> int:
        """Of the tiers that name a model."""
        return max(tier.rank for tier in Tier if name in map(normalise, self.chains[tier]))

    def _rank(self, name: str, needed: Tier, known: Conversation | None) -> int:
        """Of the highest tier that lists a model; one that none lists is up to the task it has served, else to what is needed."""
        rank = self.ranks.get(name)
        if rank is not None:
            return rank
        return known.tier.rank if known and known.model == name else needed.rank

    def _place(self, place: int, name: str, rank: int, needed: Tier, own: frozenset[str], known: Conversation | None) -> int:
        """How far behind a model stands; for the one in use its sum alone speaks, and one of a stronger tier is only borrowed."""
        if known is not None and name == known.model:
            return 0
        return place + BORROWED_PLACES if place and rank > needed.rank and name not in own else place

    def _price(self, info: ModelInfo, forecast: TurnForecast) -> Price | None:
        """The price of a prompt of this length."""
        price = self.prices.price(info)
        return price.under(forecast.input_tokens) if price is not None and price.conditions else price

    def _refusal(self, skipped: Sequence[SkippedCandidate], requirements: Requirements) -> OAuthRouterError:
        if not any(map(self.eligibility.usable, self.providers)):
            return CredentialNotFound(self.explain_missing())
        if silent := self.silent_providers():
            wait = f"no model of {', '.join(silent)} is known: no list of models has come yet (`openclaw-oauthrouter models --refresh` asks)"
            if not any(provider.models() for provider in self.providers.values() if self.eligibility.usable(provider.name)):
                return CredentialNotFound(wait, code="no_models", retry_after=_LIST_SECONDS)
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


def _cached(known: Conversation, model: str, now: float) -> int:
    cache = known.caches.get(model)
    return cache.tokens_at(now) if cache else 0
