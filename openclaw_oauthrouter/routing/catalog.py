"""The model catalog: what ships with the package, what plugins add, what the user says."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from importlib import resources
from typing import Any

from openclaw_oauthrouter.canonical.pricing import Price
from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.config.providers import ModelSettings, ProviderSettings


def shipped_models() -> list[ModelInfo]:
    """The cards of ``cards.json``."""
    text = resources.files(__package__).joinpath("cards.json").read_text(encoding="utf-8")
    return [_model_info(row) for row in json.loads(text)["cards"]]


def build_catalog(providers: Mapping[str, ProviderSettings], added: Iterable[ModelInfo] = ()) -> dict[tuple[str, str], ModelInfo]:
    """All cards by ``(provider, id)``: shipped, then added by plugins, then the user's own ``providers.<name>.models``."""
    models = {(info.provider, info.id): info for info in (*shipped_models(), *added)}
    for name, settings in providers.items():
        for model in settings.models:
            models[name, model.id] = _overridden(models.get((name, model.id)) or ModelInfo(name, model.id), model)
    return models


def _model_info(row: dict[str, Any]) -> ModelInfo:
    fields = dict(row)
    fields.pop("price", None)  # prices are published (routing/prices.py), not kept here
    retires = fields.pop("retires", None)
    return ModelInfo(
        **fields,
        retires=date.fromisoformat(retires) if retires else None,
    )


def _overridden(info: ModelInfo, said: ModelSettings) -> ModelInfo:
    changes: dict[str, Any] = {
        name: getattr(said, name)
        for name in ("context_window", "max_output_tokens", "images", "documents", "tools")
        if name in said.model_fields_set
    }
    if said.input_price is not None and said.output_price is not None:
        changes["price"] = Price(said.input_price, said.output_price)
    return replace(info, **changes)
