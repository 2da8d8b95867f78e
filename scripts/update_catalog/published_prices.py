"""``catalog/published_prices.json``: what genai-prices publishes of the catalog's models, so that a gateway need not load the library."""

from __future__ import annotations

from pathlib import Path

import msgspec

from openclaw_oauthrouter.catalog.models import shipped_models
from openclaw_oauthrouter.policy.price_file import package_edition, table_of
from openclaw_oauthrouter.routing.price_sources import price_sources
from openclaw_oauthrouter.routing.prices import PriceSource

TARGET = Path(__file__).parents[2] / "openclaw_oauthrouter" / "catalog" / "published_prices.json"


def names() -> list[str]:
    """The catalog's models by the names of their vendors in the published tables."""
    sources = price_sources({})
    found = {(sources.get(info.provider) or PriceSource(info.provider)).vendor + "/" + info.id for info in shipped_models()}
    return sorted(found)


def text() -> str:
    """The file, one model a line."""
    lines = ",\n".join(
        f"{msgspec.json.encode(name).decode()}: {bytes(model).decode()}" for name, model in table_of(names()).items()
    )
    return f'{{"of": "{package_edition()}", "models": {{\n{lines}\n}}}}\n'
