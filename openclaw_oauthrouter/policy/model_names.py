"""Whether an entry of a model list means a model, however the user spelt it."""

from __future__ import annotations

from collections.abc import Iterable

from openclaw_oauthrouter.canonical.model_names import comparable, without_snapshot
from openclaw_oauthrouter.canonical.routing import ModelInfo


class ModelList:
    """Models by ``provider/id``, or by ``id`` alone at any provider.

    :param entries: as the user wrote them
    """

    def __init__(self, entries: Iterable[str]) -> None:
        names = frozenset(comparable(entry) for entry in entries)
        self._bare_ids = frozenset(name for name in names if "/" not in name)
        self._names = names - self._bare_ids

    def __bool__(self) -> bool:
        return bool(self._names or self._bare_ids)

    def __contains__(self, info: ModelInfo) -> bool:
        return comparable(info.name) in self._names or comparable(info.id) in self._bare_ids

    def bars(self, info: ModelInfo) -> bool:
        """Whether a list of what is forbidden means the model: its dated editions too, for whoever may not use it could name one."""
        name, id_ = comparable(info.name), comparable(info.id)
        return not self._names.isdisjoint((name, without_snapshot(name))) or not self._bare_ids.isdisjoint(
            (id_, without_snapshot(id_))
        )
