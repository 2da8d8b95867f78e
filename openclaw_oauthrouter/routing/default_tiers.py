"""Computes the default tiers from the models that can be used: by family, ability and price, never from a list of names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache

from openclaw_oauthrouter.canonical.model_info import ModelInfo
from openclaw_oauthrouter.canonical.pricing import Price
from openclaw_oauthrouter.canonical.routing import Tier
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.catalog.families import read_table, shipped_families
from openclaw_oauthrouter.catalog.presets import presets
from openclaw_oauthrouter.routing.ladder import Ladder, PriceOf, Rules, Rung, build_ladder, is_open, predecessor


@value(frozen=True, slots=True)
class Choice:
    """One model of a tier.

    :ivar why: for people
    """

    info: ModelInfo
    why: str
    ability: float | None = None
    cost: float | None = None


DefaultTiers = Mapping[Tier, tuple[Choice, ...]]


@value(frozen=True, slots=True)
class Preferences:
    """``catalog/tiers.toml``.

    :ivar preferred: families, or ``provider/*``, that a tier takes first
    :ivar fallback_providers: where requests of a limited provider go
    """

    preferred: Mapping[Tier, tuple[str, ...]]
    fallback_providers: tuple[str, ...]
    rules: Rules
    longest_chain: int


@lru_cache(maxsize=1)
def shipped_preferences() -> Preferences:
    """Read once."""
    table = read_table("tiers.toml")
    rules = dict(table["rules"])
    longest = rules.pop("longest_chain")
    return Preferences(
        {Tier(name): tuple(wanted) for name, wanted in table["preferred"].items()},
        tuple(table["rate_limit_fallback"]["providers"]),
        Rules(**rules),
        longest,
    )


def compute_tiers(
    models: Mapping[str, Sequence[ModelInfo]], price_of: PriceOf, today: date | None, preferences: Preferences | None = None
) -> DefaultTiers:
    """The default tiers.

    From SIMPLE to REASONING ability does not fall, and no tier costs more than one above it. A tier that nothing can be said of is empty.

    :param models: of each provider that can be used
    :param today: ``None`` ignores dates of retirement
    """
    preferences = preferences or shipped_preferences()
    ladders = [build_ladder(name, models[name], price_of, today, preferences.rules) for name in in_order(models)]
    ladders = [ladder for ladder in ladders if ladder.rungs]
    if not ladders:
        return dict.fromkeys(Tier, _strangers(models, today, preferences))
    primaries = _rising(_primaries(ladders, preferences))
    world = _World(ladders, models, price_of, today, preferences)
    return {tier: tuple(_chain(tier, *primaries[tier], world)) for tier in Tier}


def well_below(tiers: DefaultTiers, preferences: Preferences | None = None) -> dict[Tier, frozenset[str]]:
    """Names of the models that stand in a demanding tier as the best their provider has, and do not serve it as well as its primary."""
    rules = (preferences or shipped_preferences()).rules
    found: dict[Tier, frozenset[str]] = {}
    for tier in (Tier.COMPLEX, Tier.REASONING):
        chain = tiers.get(tier) or (None,)
        least = chain[0].ability - rules.well_below if chain[0] is not None and chain[0].ability is not None else 0.0
        found[tier] = frozenset(
            [one.info.name for one in chain if one is not None and one.ability is not None and one.ability < least]
        )
    return found


def in_order(providers: Iterable[str]) -> list[str]:
    """Known providers in the order of ``presets.toml``, then the user's own."""
    known = {name: place for place, name in enumerate(presets())}
    return sorted(providers, key=lambda name: known.get(name, len(known)))


def _strangers(models: Mapping[str, Sequence[ModelInfo]], today: date | None, preferences: Preferences) -> tuple[Choice, ...]:
    """Where no model is known at all, such as with a local server alone, those there are serve every tier, in the order they are listed in."""
    found = [info for name in in_order(models) for info in models[name] if is_open(info, today, preferences.rules)]
    found.sort(key=lambda info: not info.tools)
    return tuple(Choice(info, "nothing is known of how able the models here are") for info in found[: preferences.longest_chain])


def _primaries(ladders: Sequence[Ladder], preferences: Preferences) -> dict[Tier, tuple[Rung, str]]:
    found: dict[Tier, tuple[Rung, str]] = {}
    for tier in Tier:
        least = found[Tier(list(Tier)[tier.rank - 1])][0].ability if tier.rank else 0.0
        preferred = _preferred(tier, least, ladders, preferences)
        found[tier] = preferred or _own_pick(tier, least, ladders)
    return found


def _preferred(tier: Tier, least: float, ladders: Sequence[Ladder], preferences: Preferences) -> tuple[Rung, str] | None:
    for wanted in preferences.preferred.get(tier, ()):
        provider, slash, _ = wanted.partition("/")
        for ladder in ladders:
            if slash and ladder.provider == provider:
                # Of a whole provider, the smallest model of the tier's class or above that is no step down.
                fitting = (rung for rung in ladder.rungs if rung.rank >= tier.rank and rung.ability >= least)
                reason = f"the first choice for {tier} is a model of {provider}"
            elif not slash:
                fitting = (rung for rung in ladder.newest if rung.info.family == wanted and rung.ability >= least)
                reason = f"newest of {wanted}, the first choice for {tier}"
            else:
                continue
            rung = next(fitting, None)
            if rung is not None:
                return rung, reason
    return None


def _own_pick(tier: Tier, least: float, ladders: Sequence[Ladder]) -> tuple[Rung, str]:
    for ladder in ladders:
        rung = ladder.pick(tier)
        if rung is not None and rung.ability >= least:
            return rung, f"{ladder.provider}'s choice for {tier}"
    best = max((rung for ladder in ladders for rung in ladder.rungs), key=lambda rung: (rung.ability, -rung.cost))
    return best, "the ablest there is"


def _rising(primaries: Mapping[Tier, tuple[Rung, str]]) -> dict[Tier, tuple[Rung, str]]:
    """No tier costs more than one above it, which is at least as able: then that one's model serves both."""
    rising = dict(primaries)
    tiers = list(Tier)
    for lower, upper in zip(reversed(tiers[:-1]), reversed(tiers[1:]), strict=True):
        if rising[upper][0].cost < rising[lower][0].cost:
            rising[lower] = (rising[upper][0], f"{upper}'s model is as able and cheaper")
    return rising


@value(frozen=True, slots=True)
class _World:
    """What a chain is made of."""

    ladders: Sequence[Ladder]
    models: Mapping[str, Sequence[ModelInfo]]
    price_of: PriceOf
    today: date | None
    preferences: Preferences


def _chain(tier: Tier, rung: Rung, why: str, world: _World) -> list[Choice]:
    chain = [_choice(rung, why)]
    rules = world.preferences.rules
    older = predecessor(rung, world.models[rung.info.provider], world.price_of, world.today, rules)
    if older is not None:
        chain.append(Choice(older, f"the one before {rung.info.id}", older.ability))
    for ladder in sorted(world.ladders, key=_by_plan, reverse=True):  # what is paid for anyway goes before keys
        own = ladder.pick(tier)
        if own is not None and ladder.provider != rung.info.provider:
            chain.append(_choice(own, f"{ladder.provider}'s choice for {tier}"))
    return chain[: world.preferences.longest_chain]


def _by_plan(ladder: Ladder) -> bool:
    preset = presets().get(ladder.provider)
    return preset is not None and preset.plan


def _choice(rung: Rung, why: str) -> Choice:
    return Choice(rung.info, why, rung.ability, rung.cost)


def order_price(info: ModelInfo) -> Price | None:
    """What puts models in an order: what somebody states, else the list price of the catalog, which needs no table to be loaded."""
    return info.price or info.list_price


@lru_cache(maxsize=32)  # each keeps a whole list of models alive
def stand_in(model: str, provider: str, models: tuple[ModelInfo, ...], today: date | None) -> ModelInfo | None:
    """A provider's model of the same class as another provider's: what serves while that one is limited.

    :param model: the limited one's id
    :param models: the provider's
    """
    place = shipped_families().place(model)
    pick = build_ladder(provider, models, order_price, today, shipped_preferences().rules).pick
    rung = pick(list(Tier)[place.rank] if place else Tier.MEDIUM)
    return rung.info if rung else None
