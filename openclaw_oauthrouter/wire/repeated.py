"""What clients send again with every request: an agent's tools are the same from turn to turn, and half of its body when that is small."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import orjson

from openclaw_oauthrouter.canonical.spelled import Spelled

MOST_BYTES = 1 << 21
"""Of all that is remembered, as JSON; in memory it takes some five times as much."""

MOST_LISTS = 1000
"""A short list takes far more room in memory than as JSON."""


class Repeated:
    """Lists of JSON values that came lately; nobody may change them.

    :ivar bytes: what is remembered, as JSON
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._known: OrderedDict[bytes, list[Any]] = OrderedDict()
        self._most_bytes = most_bytes
        self.bytes = 0

    def same(self, value: list[Any]) -> list[Any]:
        """The list that came first of those that are equal to this one."""
        key = orjson.dumps(value)
        known = self._known.get(key)
        if known is not None:
            self._known.move_to_end(key)
            return known
        if len(key) * 4 <= self._most_bytes:
            value = self._known[key] = Spelled(value, key)
            self.bytes += len(key)
            while self.bytes > self._most_bytes or len(self._known) > MOST_LISTS:
                self.bytes -= len(self._known.popitem(last=False)[0])
        return value
