"""The model catalog: what ships with the package, what plugins add, what the user says."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from importlib import resources
from typing import Any

from openclaw_oauthrouter.canonical.routing import ModelCard, Price
from openclaw_oauthrouter.config.providers import ModelSettings, ProviderSettings


def shipped_cards() -> list[ModelCard]:
    """The cards of ``cards.json``."""
    text = resources.files(__package__).joinpath("cards.json").read_text(encoding="utf-8")
    return [_card(row) for row in json.loads(text)["cards"]]


def build_catalog(providers: Mapping[str, ProviderSettings], added: Iterable[ModelCard] = ()) -> dict[tuple[str, str], ModelCard]:
    """All cards by ``(provider, id)``: shipped, then added by plugins, then the user's own ``providers.<name>.models``."""
    cards = {(card.provider, card.id): card for card in (*shipped_cards(), *added)}
    for name, settings in providers.items():
        for model in settings.models:
            cards[name, model.id] = _overridden(cards.get((name, model.id)) or ModelCard(name, model.id), model)
    return cards


def _card(row: dict[str, Any]) -> ModelCard:
    fields = dict(row)
    price = fields.pop("price", None)
    retires = fields.pop("retires", None)
    return ModelCard(
        **fields,
        price=Price(*price) if price else None,
        retires=date.fromisoformat(retires) if retires else None,
    )


def _overridden(card: ModelCard, said: ModelSettings) -> ModelCard:
    changes: dict[str, Any] = {
        name: getattr(said, name)
        for name in ("context_window", "max_output_tokens", "images", "documents", "tools")
        if name in said.model_fields_set
    }
    if said.input_price is not None and said.output_price is not None:
        changes["price"] = Price(said.input_price, said.output_price)
    return replace(card, **changes)
