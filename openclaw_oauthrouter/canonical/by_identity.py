"""What is found out of an object that comes again and again, as an agent's tools do with every turn, is found out once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar, cast

import orjson

_K = TypeVar("_K")
_P = ParamSpec("_P")
_T = TypeVar("_T")

MOST_BYTES = 1 << 20
"""Of all objects that one function remembers, as JSON; in memory they take some five times as much."""


def by_identity(
    most: int, most_bytes: int = MOST_BYTES
) -> Callable[[Callable[Concatenate[_K, _P], _T]], Callable[Concatenate[_K, _P], _T]]:
    """Remember what a function makes of the very object that is its first argument, and of the hashable ones by position.

    An object of more than a quarter of ``most_bytes`` is not remembered, nor one that is not JSON.

    :param most: objects remembered; they are kept alive meanwhile
    :param most_bytes: of all of them, as JSON
    """

    def decorate(function: Callable[Concatenate[_K, _P], _T]) -> Callable[Concatenate[_K, _P], _T]:
        known: OrderedDict[object, tuple[_K, _T, int]] = OrderedDict()
        total = 0

        @wraps(function)
        def remembering(first: _K, *others: _P.args, **named: _P.kwargs) -> _T:
            nonlocal total
            key: object = (id(first), *others, *named.values()) if others or named else id(first)
            found = known.get(key)
            if found is not None:
                return found[1]
            made = function(first, *others, **named)
            size = _size(first)
            if size is not None and size * 4 <= most_bytes:
                known[key] = (first, made, size)
                total += size
                while len(known) > most or total > most_bytes:
                    total -= known.popitem(last=False)[1][2]
            return made

        return cast("Callable[Concatenate[_K, _P], _T]", remembering)

    return decorate


def _size(value: object) -> int | None:
    """Bytes as JSON; ``None`` where it is none."""
    try:
        return len(orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS))
    except (TypeError, ValueError, RecursionError):
        return None
