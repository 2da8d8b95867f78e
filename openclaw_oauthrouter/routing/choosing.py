"""Which models can serve a request, in the order the configuration prefers, then in that of the sum of the decision."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from datetime import date
from operator import itemgetter
from typing import NamedTuple

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.conversation import Conversation
from openclaw_oauthrouter.canonical.model_names import normalise
from openclaw_oauthrouter.canonical.pricing import Price
from openclaw_oauthrouter.canonical.routing import (
    CacheUse,
    Candidate,
    ModelInfo,
    Payer,
    SkippedCandidate,
    Tier,
    TurnForecast,
)
from openclaw_oauthrouter.canonical.value import changed, value
from openclaw_oauthrouter.errors import CredentialNotFound, OAuthRouterError
from openclaw_oauthrouter.interfaces import Provider
from openclaw_oauthrouter.routing.cost import BORROWED_PLACES, candidate_cost, stake_of
from openclaw_oauthrouter.routing.eligibility import Asking, Eligibility, Offer, Requirements, doubt
from openclaw_oauthrouter.routing.prices import Prices
from openclaw_oauthrouter.routing.stickiness import CACHING_UNASKED
from openclaw_oauthrouter.routing.tiers import BORROWING_ORDERS, Chains, TierTable

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


Row = tuple[str, Candidate | None, Offer | None]
"""A model that comes into question: its name, the candidate it would make and what it offers; ``None``: nobody serves it."""


@value(frozen=True, slots=True)
class Found:
    """The models that come into question.

    :ivar candidates: those that can serve, as the configuration prefers them
    :ivar skipped: those passed over before the first that can, and those that would be compared with it but for their state now
    """

    candidates: tuple[Candidate, ...]
    skipped: tuple[SkippedCandidate, ...]


_Situation = tuple[int, bool, tuple[bool, ...]]
"""What a request needs, as bits; whether its conversation is at no model yet; which of the providers have a credential."""

_MOST_SITUATIONS = 64


class _Preference(NamedTuple):
    """What a tier comes to; made once, for requests only pick from it.

    :ivar chains: what it was found out from
    :ivar day: likewise, for dates of retirement
    :ivar rows: in order
    :ivar own: names of the models that the tier itself lists
    :ivar ranks: of the highest tier that a model serves well, by name; one below those that list it where it serves none of them well
    :ivar providers: of the models
    :ivar window: tokens of the longest prompt that each of the models takes
    :ivar found: what requests came to while nothing was out of order, by all that they differ in
    """

    chains: Chains
    day: date | None
    rows: tuple[Row, ...]
    own: frozenset[str]
    ranks: Mapping[str, int]
    providers: tuple[str, ...]
    window: int
    found: dict[_Situation, Found]


class _Sorting:
    """Sorts out models for one request.

    :param most: when to stop; ``None`` looks at all
    :ivar candidates: those that can serve, in the order in which they came
    :ivar out_of_order: those that could but for their state now
    :ivar skipped: those passed over before the first that surely can, and those that would be compared with it but for their state now
    """

    def __init__(self, eligibility: Eligibility, requirements: Requirements, most: int | None) -> None:
        self.candidates: list[Candidate] = []
        self.out_of_order: list[Candidate] = []
        self.skipped: list[SkippedCandidate] = []
        self._eligibility, self._requirements, self._most = eligibility, requirements, most
        self._why_not = Asking(eligibility, requirements).why_not
        self._media = requirements.media
        self._doubted = 0

    def take(self, rows: Iterable[Row]) -> None:
        """Look at further models."""
        for name, candidate, offer in rows:
            against = NOT_CONFIGURED if candidate is None or offer is None else self._why_not(candidate.info, offer)
            if against is None and candidate is not None:
                self.candidates.append(candidate)
                if self._media and doubt(candidate.info, self._requirements) is not None:
                    self._doubted += 1
                if len(self.candidates) == self._most:
                    break
            elif len(self.candidates) == self._doubted:
                self.skipped.append(SkippedCandidate(name, against or ""))
                if candidate is not None and self._is_fit(candidate):
                    self.out_of_order.append(candidate)
            elif len(self.candidates) < MOST_COMPARED and candidate is not None and self._is_fit(candidate):
                # Its sum might have been the lowest. Why other reserves cannot serve is of no interest.
                self.skipped.append(SkippedCandidate(name, against or "", reserve=True))

    def _is_fit(self, candidate: Candidate) -> bool:
        """Whether a model could serve but for its state now."""
        return self._eligibility.unfit(candidate.info, self._requirements) is None


@value(frozen=True, slots=True)
class Choosing:
    """Finds candidates and puts them in order.

    :ivar payers: the accounts that can pay for a model's calls at a moment, at least one
    :ivar explain_missing: what to say when no provider at all can serve
    :ivar preferences: what each tier comes to
    """

    providers: Mapping[str, Provider]
    chains: Chains
    eligibility: Eligibility
    prices: Prices
    payers: Callable[[ModelInfo, float], Sequence[Payer]]
    explain_missing: Callable[[], str]
    clock: Clock
    preferences: dict[Tier, _Preference] = field(default_factory=dict, compare=False)

    def find(self, tier: Tier, requirements: Requirements, in_use: str | None = None) -> Found:
        """Models that can serve a tier.

        :param in_use: the model that the conversation is at; it comes into question whatever tier lists it
        :raises CredentialNotFound: no provider has a credential
        :raises InvalidRequestError: no model can ever serve such a request
        """
        preference = self._preference(tier)
        situation = self._situation(preference, requirements, in_use)
        known = preference.found.get(situation) if situation is not None else None
        if known is not None:
            return known
        sorting = _Sorting(self.eligibility, requirements, MOST_CANDIDATES if in_use is None else None)
        sorting.take(preference.rows)
        if situation is not None and sorting.candidates and len(preference.found) < _MOST_SITUATIONS:
            found = preference.found[situation] = Found(tuple(sorting.candidates), tuple(sorting.skipped))
            return found
        if sorting.candidates:
            present = self.model_info(in_use) if in_use is not None and in_use not in preference.ranks else None
            if present is not None and present.name not in preference.ranks:
                sorting.take([(present.name, Candidate(present, tier, IN_USE), self.eligibility.offer_of(present))])
        else:
            # Models that no tier names are only thought of when there is none.
            sorting.take(self._listed(tier, preference))
        candidates, out_of_order, skipped = sorting.candidates, sorting.out_of_order, sorting.skipped
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

    def _situation(self, preference: _Preference, requirements: Requirements, in_use: str | None) -> _Situation | None:
        """All that decides which models of a tier can serve; ``None`` where each has to be looked at.

        Most requests need the same few things of models of which none is out of order.
        """
        calm = self.eligibility.calm
        if calm is None or requirements.media or requirements.input_tokens > preference.window or not calm():
            return None
        if in_use is not None and in_use not in preference.ranks:
            return None
        return requirements.needs, in_use is None, tuple(map(self.eligibility.usable, preference.providers))

    def order(
        self, candidates: Sequence[Candidate], forecast: TurnForecast, known: Conversation | None
    ) -> tuple[tuple[Candidate, ...], int]:
        """Candidates by their sums, and the stake the sums were drawn up with.

        :param candidates: as the configuration prefers them; at least one
        :param known: the conversation, for what lies in which provider's cache
        """
        now, needed = self.clock(), forecast.needed
        preference = self._preference(needed)
        compared, reserves = self._split(candidates, known, preference.own, now)
        prices = self.prices.prices([candidate.info for candidate in compared], forecast.input_tokens)
        if forecast.cache != "5m":
            prices = [
                _as_cached(price, candidate.info, forecast.cache) for price, candidate in zip(prices, compared, strict=True)
            ]
        listed, least = preference.ranks, needed.rank
        ranks = [
            rank if (rank := listed.get(candidate.info.name)) is not None else _unlisted_rank(candidate, needed, known)
            for candidate in compared
        ]
        reference = _reference(prices, ranks, least)
        stake = stake_of(forecast, reference)
        in_use = known.model if known is not None else None
        summed: list[tuple[int, int, Candidate]] = []
        for place, candidate in enumerate(compared):
            info, rank = candidate.info, ranks[place]
            name = info.name
            behind = place
            if name == in_use:
                behind = 0  # for the model in use its sum alone speaks
            elif place and rank > least and name not in preference.own:
                behind += BORROWED_PLACES
            cache = known.caches.get(name) if known is not None else None
            price, payers = prices[place] or reference, self.payers(info, now)
            for credential, shadow in payers:
                cost = candidate_cost(
                    forecast,
                    price,
                    cached_tokens=cache.tokens_at(now, credential) if cache is not None else 0,
                    shadow=shadow,
                    rank=rank,
                    place=behind,
                    stake=stake,
                )
                accounts = (credential,) if credential is not None else ()
                drawn_up = Candidate(info, candidate.tier, candidate.reason, candidate.only_on, cost, accounts)
                summed.append((sum(cost[:5]), place, drawn_up))
        # Of equal sums the one named first stays first.
        summed.sort(key=_TOTAL_THEN_PLACE)
        ordered = [row[2] for row in summed]
        return (*(ordered if len(ordered) == len(compared) else _merged(ordered)), *reserves), stake

    def _split(
        self, candidates: Sequence[Candidate], known: Conversation | None, own: frozenset[str], now: float
    ) -> tuple[list[Candidate], list[Candidate]]:
        """The candidates that a sum is drawn up for, and the rest.

        Wherever they stand, the model in use is among them, and those of the tier that a plan pays: with a sum they may be first.
        """
        compared = list(candidates[:MOST_COMPARED])
        reserves: list[Candidate] = []
        if len(candidates) <= MOST_COMPARED:
            return compared, reserves
        in_use = known.model if known is not None else None
        for candidate in candidates[MOST_COMPARED:]:
            name = candidate.info.name
            drawn_up = name == in_use or (name in own and any([one.shadow < 1.0 for one in self.payers(candidate.info, now)]))  # noqa: C419
            (compared if drawn_up else reserves).append(candidate)
        return compared, reserves

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

    def _listed(self, tier: Tier, preference: _Preference) -> Iterator[Row]:
        """All models that no tier names."""
        for provider in self.providers.values():
            for info in provider.models():
                if info.name not in preference.ranks:
                    yield info.name, Candidate(info, tier, f"listed by {provider.name}"), self.eligibility.offer_of(info)

    def _preference(self, tier: Tier) -> _Preference:
        """What the tiers name for one of them, then for its neighbours; found out anew only when they have changed."""
        chains = self.chains.in_force() if isinstance(self.chains, TierTable) else self.chains
        day = self.eligibility.day()
        known = self.preferences.get(tier)
        if known is None or known.chains is not chains or known.day != day:
            known = self.preferences[tier] = self._find_out(tier, chains, day)
        return known

    def _find_out(self, tier: Tier, chains: Chains, day: date | None) -> _Preference:
        rows: dict[str, Row] = {}
        lowest: dict[str, int] = {}
        ranks: dict[str, int] = {}
        table = self.chains if isinstance(self.chains, TierTable) else None
        for source in BORROWING_ORDERS[tier]:
            for place, name in enumerate(chains[source]):
                info = self.model_info(name)
                if info is None:
                    rows.setdefault(name, (name, None, None))
                    continue
                why = f"{source} {'primary' if place == 0 else f'fallback {place}'}"
                rows.setdefault(info.name, (info.name, Candidate(info, tier, why), self.eligibility.offer_of(info)))
                lowest[info.name] = min(lowest.get(info.name, source.rank), source.rank)
                if table is None or table.serves_well(source, info.name):
                    ranks[info.name] = max(ranks.get(info.name, 0), source.rank)
        for name, rank in lowest.items():
            ranks.setdefault(name, max(0, rank - 1))
        offered = [(candidate.info.provider, offer.window) for _, candidate, offer in rows.values() if candidate and offer]
        return _Preference(
            chains,
            day,
            tuple(rows.values()),
            frozenset(map(normalise, chains[tier])),
            ranks,
            tuple(dict.fromkeys(provider for provider, _ in offered)),
            min([window for _, window in offered], default=0),
            {},
        )

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


def _reference(prices: Sequence[Price | None], ranks: Sequence[int], needed: int) -> Price:
    """What the first candidate that is up to the task costs; failing that, the first that has a price."""
    first = None
    for price, rank in zip(prices, ranks, strict=True):
        if price is not None:
            if rank >= needed:
                return price
            first = first or price
    return first or NO_PRICE


def _unlisted_rank(candidate: Candidate, needed: Tier, known: Conversation | None) -> int:
    """A model that no tier lists is up to the task it has served, else to what is needed."""
    return known.tier.rank if known and known.model == candidate.info.name else needed.rank


def _as_cached(price: Price | None, info: ModelInfo, use: CacheUse) -> Price | None:
    """What writing to the cache costs for as long as a request has its prompt kept, at providers that keep it only if asked."""
    if price is None or price.cache_write is None or info.provider in CACHING_UNASKED:
        return price
    if use == "none":
        return Price(price.input, price.output)
    return Price(price.input, price.output, price.cache_read, price.written_for_an_hour)


def _merged(ordered: Sequence[Candidate]) -> list[Candidate]:
    """Accounts that follow one another as one stop of the route: what is tried next is always what costs next to least."""
    merged: list[Candidate] = []
    for candidate in ordered:
        last = merged[-1] if merged else None
        if last is not None and last.info is candidate.info:
            merged[-1] = changed(last, accounts=last.accounts + candidate.accounts)
        else:
            merged.append(candidate)
    return merged
