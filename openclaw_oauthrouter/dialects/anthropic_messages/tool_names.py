"""Names and ids as the provider takes them: letters, digits, ``_`` and ``-`` only, of limited length, all different, reversible."""

from __future__ import annotations

import re
from itertools import count

_FORBIDDEN = re.compile(r"[^a-zA-Z0-9_-]")
MAX_TOOL_NAME = 128


class ToolNames:
    """Gives each name its wire form, the same each time it is asked.

    :param limit: longest wire form
    """

    def __init__(self, limit: int = MAX_TOOL_NAME) -> None:
        self._limit = limit
        self._wire: dict[str, str] = {}
        self._taken: set[str] = set()

    def add(self, name: str) -> str:
        """The wire form of a name."""
        wire = self._wire.get(name)
        if wire is None:
            wire = self._wire[name] = self._free(_FORBIDDEN.sub("_", name)[: self._limit] or "_")
            self._taken.add(wire)
        return wire

    def changed(self) -> dict[str, str]:
        """Wire form -> name, where they differ."""
        return {wire: name for name, wire in self._wire.items() if wire != name}

    def _free(self, wanted: str) -> str:
        if wanted not in self._taken:
            return wanted
        suffixed = (wanted[: self._limit - len(suffix)] + suffix for suffix in (f"_{number}" for number in count(2)))
        return next(candidate for candidate in suffixed if candidate not in self._taken)
