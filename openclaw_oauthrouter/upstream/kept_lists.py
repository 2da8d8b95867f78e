"""The lists of models that providers gave, as kept in the state folder: the last good one of each, and what went wrong since."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any

import httpx
import orjson

from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.catalog.listings import ListedModel, ListingError
from openclaw_oauthrouter.config.private_file import read_plain, write_private

FILE = "models.json"
_MOST_BYTES = 32 * 1024 * 1024

_log = logging.getLogger(__name__)


@value(frozen=True, slots=True)
class KeptList:
    """What one provider was last heard to serve.

    :ivar origin: scheme, host and port that gave it; another address has other models
    :ivar models: of the last good list; empty when there has been none
    :ivar fetched: when that was, Unix seconds
    :ivar problem: why a later attempt failed, in words; ``None`` when it did not
    :ivar asked: when the provider was last asked, Unix seconds
    """

    origin: str
    models: Sequence[ListedModel] = ()
    fetched: float = 0.0
    problem: str | None = None
    asked: float = 0.0


@value(frozen=True, slots=True)
class KeptLists:
    """All of them, by provider."""

    by_provider: Mapping[str, KeptList] = field(default_factory=dict)

    def listings(self, origins: Mapping[str, str]) -> dict[str, Sequence[ListedModel]]:
        """The lists that still count.

        :param origins: where each provider is now
        """
        return {name: kept.models for name, kept in self.by_provider.items() if kept.models and origins.get(name) == kept.origin}

    def with_list(self, provider: str, kept: KeptList) -> KeptLists:
        """The same with one provider's replaced."""
        return KeptLists({**self.by_provider, provider: kept})


def origin_of(address: str) -> str:
    """Scheme, host and port of an address, in one spelling."""
    url = httpx.URL(address)
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def load_lists(home: Path) -> KeptLists:
    """What the state folder holds; nothing when its file is missing or damaged."""
    path = home / FILE
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ListingError("it is too large")
        rows = orjson.loads(read_plain(path))["providers"]
        return KeptLists({name: _read(row) for name, row in rows.items()})
    except FileNotFoundError:
        return KeptLists()
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ListingError) as error:
        _log.warning("the kept lists of models, %s, cannot be read (%s); they are fetched anew", path, error)
        return KeptLists()


def save_lists(home: Path, lists: KeptLists) -> None:
    """Write them; a folder that cannot be written to is said in the log and otherwise done without."""
    tree = {"version": 1, "providers": {name: _row(kept) for name, kept in lists.by_provider.items()}}
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(home / FILE, orjson.dumps(tree), durable=False)
    except OSError as error:
        _log.warning("the lists of models cannot be kept: %s", error)


def _row(kept: KeptList) -> dict[str, Any]:
    return {
        "origin": kept.origin,
        "fetched": kept.fetched,
        "asked": kept.asked,
        "problem": kept.problem,
        "models": [model.as_json() for model in kept.models],
    }


def _read(row: Mapping[str, Any]) -> KeptList:
    problem = row.get("problem")
    return KeptList(
        str(row["origin"]),
        tuple(ListedModel.from_json(said) for said in row["models"]),
        float(row["fetched"]),
        str(problem) if problem is not None else None,
        float(row["asked"]),
    )
