"""The models of one provider that are worth having, from cheap to able: the ground on which default tiers stand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta

from openclaw_oauthrouter.canonical.model_info import ModelInfo
from openclaw_oauthrouter.canonical.pricing import Price
from openclaw_oauthrouter.canonical.routing import Tier
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.catalog.families import shipped_families

PriceOf = Callable[[ModelInfo], Price | None]


@value(frozen=True, slots=True)
class Rules:
    """When a model is no default (``catalog/tiers.toml``, ``rules``).

    :ivar days_to_live: it must not be switched off sooner
    :ivar clearly_abler: points of ability that justify any price
    :ivar times_the_price: how much dearer a model may be that is not clearly abler
    :ivar predecessor_times: how much dearer the model before a default may be
    :ivar well_below: points of ability below the primary of a demanding tier at which a model does not serve it as well
    """

    days_to_live: int = 90
    clearly_abler: float = 2.0
    times_the_price: float = 3.0
    predecessor_times: float = 1.5
    well_below: float = 10.0


@value(frozen=True, slots=True)
class Rung:
    """One model that may be a default.

    :ivar cost: US dollars per million tokens, three of the prompt for one of the answer; infinite when not known
    :ivar rank: the class of its family, 0 to 3
    """

    info: ModelInfo
    ability: float
    cost: float
    rank: int


@value(frozen=True, slots=True)
class Ladder:
    """One provider's models.

    :ivar rungs: each dearer and abler than the one before
    :ivar newest: the newest member of every family, worth having or not
    :ivar passed_over: the others of ``newest``, with why
    """

    provider: str
    rungs: tuple[Rung, ...]
    newest: tuple[Rung, ...]
    passed_over: tuple[tuple[Rung, str], ...]

    def pick(self, tier: Tier) -> Rung | None:
        """The model for a tier: the ablest of its class; of the next higher class there is one of, else of the next lower one."""
        ranks = [*range(tier.rank, len(Tier)), *reversed(range(tier.rank))]
        for rank in ranks:
            of_class = [rung for rung in self.rungs if rung.rank == rank]
            if of_class:
                # Above its own class a tier takes no more than it must.
                return of_class[0] if rank > tier.rank else of_class[-1]
        return None


def build_ladder(provider: str, models: Iterable[ModelInfo], price_of: PriceOf, today: date | None, rules: Rules) -> Ladder:
    """Sort a provider's models.

    :param today: ``None`` ignores dates
    """
    found = list(models)
    newest = _newest(found, price_of, today, rules)
    rungs: list[Rung] = []
    passed_over: list[tuple[Rung, str]] = []
    for rung in newest:
        reason = _why_not(rung, newest, rules)
        if reason is None:
            rungs.append(rung)
        else:
            passed_over.append((rung, reason))
    rungs.sort(key=lambda rung: (rung.cost, rung.ability))
    return Ladder(provider, tuple(rungs), tuple(newest), tuple(passed_over))


def predecessor(rung: Rung, models: Iterable[ModelInfo], price_of: PriceOf, today: date | None, rules: Rules) -> ModelInfo | None:
    """The next older model of the same family, for an account that has not got the newest."""
    older = [
        info
        for info in models
        if info.family == rung.info.family
        and info.generation < rung.info.generation
        and lives_long_enough(info, today, rules)
        and _takes_everything(info)
        and _cost(price_of(info)) <= rules.predecessor_times * rung.cost
    ]
    return max(older, key=lambda info: (info.generation, -len(info.id)), default=None)


def lives_long_enough(info: ModelInfo, today: date | None, rules: Rules) -> bool:
    """Whether a model is served for long enough to be a default."""
    return today is None or info.retires is None or info.retires > today + timedelta(days=rules.days_to_live)


def is_open(info: ModelInfo, today: date | None, rules: Rules) -> bool:
    """Whether anybody may use a model, and for long enough."""
    family = next((family for family in shipped_families() if family.name == info.family), None)
    return lives_long_enough(info, today, rules) and (family is None or not family.restricted)


def _newest(models: Sequence[ModelInfo], price_of: PriceOf, today: date | None, rules: Rules) -> list[Rung]:
    families = {family.name: family for family in shipped_families()}
    best: dict[str, Rung] = {}
    for info in models:
        family = families.get(info.family or "")
        if family is None or family.restricted or info.ability is None:
            continue
        if not _takes_everything(info) or not lives_long_enough(info, today, rules):
            continue
        rung = Rung(info, info.ability, _cost(price_of(info)), family.rank)
        other = best.get(family.name)
        if other is None or _order(rung) > _order(other):
            best[family.name] = rung
    return list(best.values())


def _takes_everything(info: ModelInfo) -> bool:
    # Agents are who asks for "auto".
    return info.tools


def _order(rung: Rung) -> tuple[object, ...]:
    """Newest first; of one generation the cheapest, then the plainest name."""
    return (rung.info.generation, -rung.cost, -len(rung.info.id), rung.info.id)


def _cost(price: Price | None) -> float:
    return (3 * price.input + price.output) / 4 if price is not None else float("inf")


def _why_not(rung: Rung, others: Sequence[Rung], rules: Rules) -> str | None:
    for other in others:
        if other is rung:
            continue
        cheaper = (other.cost, -other.ability, other.info.id) < (rung.cost, -rung.ability, rung.info.id)
        if cheaper and other.ability >= rung.ability:
            return f"{other.info.id} is as able and costs no more"
        nearly = other.ability > rung.ability - rules.clearly_abler
        if nearly and rung.cost > rules.times_the_price * other.cost:
            return f"{other.info.id} is nearly as able for {other.cost / rung.cost:.0%} of the price"
    return None
