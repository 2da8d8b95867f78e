"""The model catalog: what ships with the package, what plugins add, what providers list, what the user says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from importlib import resources
from typing import Any

import orjson

from openclaw_oauthrouter.canonical.model_info import ModelInfo
from openclaw_oauthrouter.canonical.pricing import Price, PriceCondition
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.catalog.families import Place, bare_id, generation_of, shipped_families
from openclaw_oauthrouter.catalog.listings import ListedModel
from openclaw_oauthrouter.catalog.presets import presets
from openclaw_oauthrouter.config.providers import ModelSettings, PriceSettings, ProviderSettings

MAX_AGE_DAYS = 60
"""An older catalog is said to be out of date: vendors replace their models every other month."""

Catalog = dict[tuple[str, str], ModelInfo]
"""Models by provider and id."""


@value(frozen=True, slots=True)
class Edition:
    """When and from what the shipped rows were made."""

    generated: date
    sources: Mapping[str, str]

    def is_stale(self, today: date) -> bool:
        """Whether the rows are too old to be relied on."""
        return (today - self.generated).days > MAX_AGE_DAYS


@lru_cache(maxsize=1)
def shipped_models() -> Sequence[ModelInfo]:
    """The rows of ``models.json``."""
    return tuple(_model_info(row) for row in _file()["models"])


@lru_cache(maxsize=1)
def shipped_edition() -> Edition:
    """What ``models.json`` says of itself."""
    head = _file()
    return Edition(date.fromisoformat(head["generated"]), head["sources"])


def build_catalog(
    providers: Mapping[str, ProviderSettings],
    added: Iterable[ModelInfo] = (),
    listings: Mapping[str, Sequence[ListedModel]] | None = None,
) -> Catalog:
    """All models: shipped, then added by plugins, then as each provider lists them, then the user's own ``providers.<name>.models``.

    :param added: rows of plugins; the same provider and id replaces a shipped row
    :param listings: what each provider said it serves; a provider that is not in it is believed to serve its rows
    """
    shipped = [*shipped_models(), *_copies(shipped_models())]
    models: Catalog = {(info.provider, info.id): info for info in (*shipped, *(placed(info) for info in added))}
    for name, listed in (listings or {}).items():
        _lay_listing_over(models, name, listed)
    for name, settings in providers.items():
        for model in settings.models:
            known = models.get((name, model.id)) or described(name, model.id, models.values())
            models[name, model.id] = _overridden(known, model)
    return models


def described(provider: str, model: str, known: Iterable[ModelInfo] = ()) -> ModelInfo:
    """A model without a row: like its nearest relative, at this provider if there is one; nothing is known of a stranger.

    :param known: rows to look for relatives in
    """
    place = shipped_families().place(model)
    if place is None:
        return ModelInfo(provider, model)
    rows = list(known)
    relatives = [info for info in rows if info.family == place.family] or [info for info in rows if info.provider == provider]
    if not relatives:
        return _at(place, ModelInfo(provider, model))
    nearest = min(
        relatives, key=lambda info: (info.provider != provider, info.generation != place.generation, _distance(info, place))
    )
    return _at(place, _like(nearest, provider, model))


def placed(info: ModelInfo) -> ModelInfo:
    """A row with its family, generation and ability, where it does not say them itself."""
    place = shipped_families().place(info.id) if info.family is None else None
    return info if place is None else _at(place, info)


def _at(place: Place, info: ModelInfo) -> ModelInfo:
    return replace(info, family=place.family, generation=place.generation, ability=place.ability)


def _like(other: ModelInfo, provider: str, model: str) -> ModelInfo:
    same_house = other.provider == provider
    return replace(
        other,
        provider=provider,
        id=model,
        # Another provider has other prices and other APIs; what puts models in an order is much the same everywhere.
        price=other.price if same_house else None,
        protocols=other.protocols if same_house else (),
        tool_protocols=other.tool_protocols if same_house else (),
        retires=None,
        successor=None,
        released=None,
        display_name=None,
    )


def _distance(info: ModelInfo, place: Place) -> tuple[float, ...]:
    """How far apart two generations are; ``6.1`` is nearer to ``6`` than to ``5.6``."""
    theirs, ours = (*info.generation, 0, 0), (*place.generation, 0, 0)
    return (abs(theirs[0] - ours[0]), abs(theirs[1] - ours[1]))


def _copies(rows: Iterable[ModelInfo]) -> list[ModelInfo]:
    """Rows of providers that serve another one's models under the same ids, such as its coding plan."""
    by_provider: dict[str, list[ModelInfo]] = {}
    for info in rows:
        by_provider.setdefault(info.provider, []).append(info)
    return [
        replace(info, provider=preset.name, protocols=(), tool_protocols=())
        for preset in presets().values()
        if preset.models_of is not None
        for info in by_provider.get(preset.models_of, ())
    ]


def _lay_listing_over(models: Catalog, provider: str, listed: Sequence[ListedModel]) -> None:
    """Keep what the provider lists, add what is new, drop what it does not serve any more."""
    by_name = {bare_id(model.id): model for model in listed}
    exact = {model.id: model for model in listed}
    relatives = list(models.values())
    for key in [key for key in models if key[0] == provider]:
        said = exact.get(key[1]) or by_name.get(bare_id(key[1]))
        if said is not None:
            models[key] = _as_listed(models[key], said)
        elif models[key].retires is None:
            del models[key]
    plain = {bare_id(info.id) for info in models.values() if info.provider == provider}
    for model in listed:
        if (provider, model.id) not in models and bare_id(model.id) not in plain:
            models[provider, model.id] = _as_listed(described(provider, model.id, relatives), model)


_LISTED = (
    "context_window",
    "max_input_tokens",
    "max_output_tokens",
    "images",
    "documents",
    "audio",
    "tools",
    "retires",
    "display_name",
)
# What a provider itself says of a model counts more than any table.


def _as_listed(info: ModelInfo, said: ListedModel) -> ModelInfo:
    changes: dict[str, Any] = {name: getattr(said, name) for name in _LISTED if getattr(said, name) is not None}
    if info.list_price is None and said.price is not None:
        # What is charged is looked up by routing.prices; a reseller's list is good enough to put its models in an order.
        changes["list_price"] = said.price
    return replace(info, **changes) if changes else info


def _overridden(info: ModelInfo, said: ModelSettings) -> ModelInfo:
    changes: dict[str, Any] = {
        name: getattr(said, name)
        for name in ("context_window", "max_output_tokens", "images", "documents", "tools")
        if name in said.model_fields_set
    }
    if "context_window" in changes:
        changes["max_input_tokens"] = None
    if said.input_price is not None:
        changes["price"] = _stated_price(said)
    return replace(info, **changes)


def _stated_price(said: ModelSettings) -> Price:
    conditions = tuple(
        PriceCondition(_figures(one), one.above_input_tokens, one.service_tier, one.speed, one.hours)
        for one in said.price_conditions
    )
    return replace(_figures(said), conditions=conditions)


def _figures(said: PriceSettings) -> Price:
    return Price(
        said.input_price or 0.0,
        said.output_price or 0.0,
        said.cache_read_price,
        said.cache_write_price,
        said.cache_write_1h_price,
        said.web_search_price,
        said.file_search_price,
        said.code_execution_price,
    )


def _model_info(row: Mapping[str, Any]) -> ModelInfo:
    price = row.get("price")
    return ModelInfo(
        row["provider"],
        row["id"],
        context_window=row.get("context_window"),
        max_input_tokens=row.get("max_input_tokens"),
        max_output_tokens=row.get("max_output_tokens"),
        **{
            name: None if name in row.get("unconfirmed", ()) else row.get(name, True) for name in ("images", "documents", "audio")
        },
        tools=row.get("tools", True),
        price=Price(*price) if price else None,
        list_price=Price(*row["list_price"]) if "list_price" in row else None,
        retires=_day(row.get("retires")),
        released=_day(row.get("released")),
        protocols=tuple(row.get("protocols", ())),
        tool_protocols=tuple(row.get("tool_protocols", ())),
        family=row.get("family"),
        generation=generation_of(row.get("generation", "")),
        ability=row.get("ability"),
        successor=row.get("successor"),
        reasons=row.get("reasoning", True),
        efforts=tuple(row.get("efforts", ())),
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


@lru_cache(maxsize=1)
def _file() -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(resources.files(__package__).joinpath("models.json").read_bytes())
    return found
