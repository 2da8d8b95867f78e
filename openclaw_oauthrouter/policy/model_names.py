"""Whether an entry of a model list means a model, however the user spelt it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from openclaw_oauthrouter.canonical.routing import ModelCard

_OUR_PREFIX = "oauthrouter/"
_DOTTED_CLAUDE = re.compile(r"(claude-(?:[a-z]+-)?\d+)\.(\d)")


def normalise(name: str) -> str:
    """Lower case, without our own prefix, ``claude-sonnet-4.5`` as ``claude-sonnet-4-5``."""
    return _DOTTED_CLAUDE.sub(r"\1-\2", name.strip().lower().removeprefix(_OUR_PREFIX))


class ModelList:
    """Models by ``provider/id``, or by ``id`` alone at any provider.

    :param entries: as the user wrote them
    """

    def __init__(self, entries: Iterable[str]) -> None:
        names = frozenset(normalise(entry) for entry in entries)
        self._bare_ids = frozenset(name for name in names if "/" not in name)
        self._names = names - self._bare_ids

    def __bool__(self) -> bool:
        return bool(self._names or self._bare_ids)

    def __contains__(self, card: ModelCard) -> bool:
        return normalise(card.name) in self._names or normalise(card.id) in self._bare_ids
