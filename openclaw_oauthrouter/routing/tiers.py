"""Which models serve which tier: what the user named, what plugins say, else what is computed from the models that can be used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import get_args

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.model_info import ModelInfo
from openclaw_oauthrouter.canonical.routing import Tier
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.config.routing import RoutingSettings, TierName, TierSettings, shipped_tiers
from openclaw_oauthrouter.errors import ConfigurationError
from openclaw_oauthrouter.interfaces import Provider
from openclaw_oauthrouter.routing.default_tiers import Choice, DefaultTiers, compute_tiers, well_below
from openclaw_oauthrouter.routing.ladder import PriceOf

Chains = Mapping[Tier, tuple[str, ...]]
"""Tier -> model names, primary first."""

LOOK_SECONDS = 1.0
"""How long it may take until a new credential, or one that is gone, changes the tiers."""


@value(frozen=True, slots=True)
class NamedTier:
    """A tier that somebody wrote down.

    :ivar by: the configuration, a plugin, …; for people
    """

    models: tuple[str, ...]
    by: str


class TierTable(Mapping[Tier, tuple[str, ...]]):
    """The tiers in force, as names; computed ones follow the credentials, the fetched lists and the day.

    :param named: tiers that somebody wrote down; the others are computed
    :param providers: all of them
    :param usable: whether a provider has a credential
    :param excluded: names that are never chosen
    :param today: ``None`` ignores dates of retirement
    :param clock: any steady number of seconds
    """

    def __init__(
        self,
        named: Mapping[Tier, NamedTier],
        providers: Mapping[str, Provider],
        usable: Callable[[str], bool],
        price_of: PriceOf,
        today: Callable[[], date] | None,
        clock: Clock,
        excluded: frozenset[str] = frozenset(),
    ) -> None:
        self._named = named
        self._providers = providers
        self._usable = usable
        self._price_of = price_of
        self._today = today
        self._clock = clock
        self._excluded = excluded
        self._looked_at = float("-inf")
        self._key: tuple[frozenset[str], date | None] | None = None
        self._computed: DefaultTiers = {}
        self._well_below: Mapping[Tier, frozenset[str]] = {}
        self._chains: dict[Tier, tuple[str, ...]] = {}

    def __getitem__(self, tier: Tier) -> tuple[str, ...]:
        if self._clock() - self._looked_at >= LOOK_SECONDS:
            self._look()
        return self._chains[tier]

    def __iter__(self) -> Iterator[Tier]:
        return iter(Tier)

    def __len__(self) -> int:
        return len(Tier)

    def in_force(self) -> Mapping[Tier, tuple[str, ...]]:
        """The tiers as they are now; another object once they have changed."""
        self._look()
        return self._chains

    def serves_well(self, tier: Tier, model: str) -> bool:
        """Whether a model that stands in a tier serves it as well as the tier's primary; whoever writes a tier down says so."""
        return model not in self._well_below.get(tier, ())

    def is_computed(self, tier: Tier) -> bool:
        """Whether nobody wrote the tier down."""
        return tier not in self._named

    def choices(self, tier: Tier) -> tuple[Choice, ...]:
        """The models of a tier that are known, each with why it stands there."""
        self._look()
        named = self._named.get(tier)
        if named is None:
            return self._computed.get(tier, ())
        reasons = dict(self._with_successors(named))
        found = [(info, reasons[name]) for name in self._chains[tier] if (info := self._model_info(name)) is not None]
        return tuple(Choice(info, why, info.ability) for info, why in found)

    def _look(self) -> None:
        now = self._clock()
        if now - self._looked_at < LOOK_SECONDS:
            return
        key = (frozenset(filter(self._usable, self._providers)), self._today() if self._today else None)
        if key != self._key:
            self._compute(*key)
            self._key = key
        # Last: pages are drawn in threads of their own, and none may take a table for done that is being filled.
        self._looked_at = now

    def _compute(self, usable: frozenset[str], today: date | None) -> None:
        models = {name: self._allowed(self._providers[name].models()) for name in self._providers if name in usable}
        computed = compute_tiers(models, self._price_of, today)
        chains: dict[Tier, tuple[str, ...]] = {}
        for tier in Tier:
            named = self._named.get(tier)
            if named is not None:
                chains[tier] = tuple(name for name, _ in self._with_successors(named, today))
            else:
                # With nothing to compute from, what would stand here with every credential says best what is missing.
                names = tuple(choice.info.name for choice in computed.get(tier, ()))
                chains[tier] = names or named_in(shipped_tiers("computed"), "default")[tier].models
        self._well_below = well_below({tier: choices for tier, choices in computed.items() if tier not in self._named})
        self._computed, self._chains = computed, chains

    def _allowed(self, models: Iterable[ModelInfo]) -> Sequence[ModelInfo]:
        return [info for info in models if info.name not in self._excluded and info.id not in self._excluded]

    def _with_successors(self, named: NamedTier, today: date | None = None) -> list[tuple[str, str]]:
        """The names, each retired one followed by what replaces it."""
        today = today or (self._today() if self._today else None)
        chain: dict[str, str] = {}
        for number, name in enumerate(named.models):
            chain.setdefault(name, f"{'primary' if number == 0 else f'fallback {number}'} by {named.by}")
            successor = self._successor(name, today) if today is not None else None
            if successor is not None:
                chain.setdefault(successor.name, f"successor of {name}")
        return list(chain.items())

    def _successor(self, name: str, today: date) -> ModelInfo | None:
        info = self._model_info(name)
        if info is None or info.retires is None or info.retires > today:
            return None
        siblings = self._providers[info.provider].models()
        return successor_of(info, siblings, today)

    def _model_info(self, name: str) -> ModelInfo | None:
        prefix, _, model = name.partition("/")
        provider = self._providers.get(prefix)
        return provider.model_info(model) if provider and model else None


def successor_of(info: ModelInfo, siblings: Sequence[ModelInfo], today: date) -> ModelInfo | None:
    """What a provider serves instead of a retired model: what it recommends, else the newest of the same family, else of the same class."""
    by_id = {other.id: other for other in siblings}
    seen: set[str] = set()
    found: ModelInfo | None = info
    while found is not None and found.id not in seen:
        seen.add(found.id)
        newest = max(
            (other for other in siblings if other.family == found.family and _lives(other, today) and other.tools),
            key=lambda other: other.generation,
            default=None,
        )
        if newest is not None and newest.id != info.id:
            return newest
        found = by_id.get(found.successor or "")
    return None


def _lives(info: ModelInfo, today: date) -> bool:
    return info.retires is None or info.retires > today


def named_tiers(settings: RoutingSettings, from_plugins: Iterable[Mapping[str, Sequence[str]]] = ()) -> dict[Tier, NamedTier]:
    """The tiers that somebody wrote down.

    :param from_plugins: answers of the hook ``oauthrouter_register_tiers``, last registered first
    :raises ConfigurationError: a plugin names a tier that does not exist, or gives one no model
    """
    named = {
        Tier(name): NamedTier((tier.primary, *tier.fallback), "the configuration")
        for name, tier in settings.tiers.items()
        if not tier.computed
    }
    if settings.classifier == "rules-v1" and "tiers" not in settings.model_fields_set:
        original = {**shipped_tiers("original"), **shipped_tiers("rules_v1")}
        named = named_in(original, "the first edition")
    for answer in reversed(list(from_plugins)):
        named.update(_of_plugin(answer))
    return named


def _of_plugin(answer: object) -> Iterator[tuple[Tier, NamedTier]]:
    """A plugin's tiers, which may be anything."""
    if not isinstance(answer, Mapping):
        raise ConfigurationError(f"a plugin's tiers are {answer!r}: they must be a dictionary of lists of models")
    for name, models in answer.items():
        # A text would be taken apart into letters, each of them a model.
        listed = tuple(models) if isinstance(models, Iterable) and not isinstance(models, str | bytes) else ()
        if name not in get_args(TierName) or not listed or not all(isinstance(model, str) and model for model in listed):
            raise ConfigurationError(
                f"a plugin's tier {name!r} -> {models!r} is wrong: tiers are {', '.join(get_args(TierName))}, "
                "each with a list of one model or more"
            )
        yield Tier(name), NamedTier(listed, "a plugin")


def named_in(table: Mapping[TierName, TierSettings], by: str) -> dict[Tier, NamedTier]:
    """A shipped table as named tiers."""
    return {Tier(name): NamedTier((tier.primary, *tier.fallback), by) for name, tier in table.items()}


def borrowing_order(tier: Tier) -> list[Tier]:
    """The tier itself, then stronger ones, then weaker ones, nearest first: where to look when a tier has nothing to offer."""
    tiers = list(Tier)
    return [*tiers[tier.rank :], *reversed(tiers[: tier.rank])]


BORROWING_ORDERS: Mapping[Tier, tuple[Tier, ...]] = {tier: tuple(borrowing_order(tier)) for tier in Tier}
"""``borrowing_order`` of each."""
