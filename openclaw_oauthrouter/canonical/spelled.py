"""Lists of a client's body that remember how they were spelled: what is passed on as it came need not be written again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import orjson

from openclaw_oauthrouter.canonical.json import FrozenObject


class Spelled(list[Any]):
    """A list with its JSON, until somebody changes it. What it holds is shared with other requests: replace it, do not change it.

    :param source: its JSON; or holds the text of the entries, without the list's brackets
    :param begin: where that begins; ``end``: behind its last character; ``None`` where ``source`` is the list's own JSON
    """

    __slots__ = ("_begin", "_end", "_source")

    def __init__(self, entries: Iterable[Any], source: bytes | None, begin: int = 0, end: int | None = None) -> None:
        super().__init__(entries)
        self._source = source
        self._begin = begin
        self._end = end

    def copy(self) -> Spelled:
        """Another list of the same."""
        return Spelled(self, self._source, self._begin, self._end)

    def as_json(self) -> object:
        """What ``orjson`` writes it by."""
        source = self._source
        if source is None:
            return self
        if self._end is None:
            return orjson.Fragment(source)
        return orjson.Fragment(b"".join((b"[", memoryview(source)[self._begin : self._end], b"]")))

    def forget(self) -> None:
        """It is no longer what was spelled."""
        self._source = None


def _changing(name: str) -> Callable[..., Any]:
    change = getattr(list, name)

    def changed(spelled: Spelled, *given: Any, **named: Any) -> Any:
        spelled.forget()
        return change(spelled, *given, **named)

    return changed


for _name in (
    "__delitem__",
    "__iadd__",
    "__imul__",
    "__setitem__",
    "append",
    "clear",
    "extend",
    "insert",
    "pop",
    "remove",
    "reverse",
    "sort",
):
    setattr(Spelled, _name, _changing(_name))


def written(body: FrozenObject) -> bytes:
    """A body as JSON; lists that came so spelled, as they came.

    :raises TypeError: it holds what is no JSON
    """
    return orjson.dumps({name: value.as_json() if type(value) is Spelled else value for name, value in body.items()})
