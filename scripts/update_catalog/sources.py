"""Reads the published tables: LiteLLM's out of its wheel, genai-prices as it is installed."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

TABLE = "litellm/model_prices_and_context_window_backup.json"
MILLION = 1_000_000


@dataclass(frozen=True)
class Table:
    """LiteLLM's table.

    :ivar version: of the package it came in
    :ivar rows: by LiteLLM's own name of a model
    """

    version: str
    rows: Mapping[str, Mapping[str, Any]]


def litellm_table(wheel: Path | None) -> Table:
    """The table.

    :param wheel: one that is here already; fetched with pip into a temporary folder when absent
    """
    with tempfile.TemporaryDirectory() as folder:
        found = wheel or _fetched(Path(folder))
        with zipfile.ZipFile(found) as archive:
            rows = json.loads(archive.read(TABLE))
    return Table(found.name.split("-")[1], {name: row for name, row in rows.items() if name != "sample_spec"})


def _fetched(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", str(folder)]
    subprocess.run([*command, "litellm"], check=True)
    return next(folder.glob("litellm-*.whl"))


def genai_version() -> str:
    """Of the installed genai-prices."""
    return version("genai-prices")


def published_price(provider: str, model: str, at: datetime) -> list[float] | None:
    """Dollars per million tokens of input and output; ``None`` when genai-prices does not know the model.

    :param at: some vendors charge less at night
    """
    from genai_prices import Usage, calc_price

    def cost(**tokens: int) -> float:
        price = calc_price(Usage(**tokens), model_ref=model, provider_id=provider, genai_request_timestamp=at)
        return round(float(price.total_price) * 1000, 6)

    try:
        return [cost(input_tokens=1000, output_tokens=0), cost(input_tokens=0, output_tokens=1000)]
    except LookupError:
        return None


def published_models(provider: str) -> dict[str, int | None]:
    """Ids that genai-prices lists for a provider, each with its window."""
    from genai_prices import data

    for found in data.providers:
        if found.id == provider:
            return {model.id: model.context_window for model in found.models if not model.deprecated}
    return {}


def published_window(provider: str, model: str) -> int | None:
    """The window genai-prices knows; ``None`` when it does not."""
    from genai_prices import data

    for found in data.providers:
        if found.id == provider:
            return next((item.context_window for item in found.models if item.id == model), None)
    return None
