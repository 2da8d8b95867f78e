"""What is found out of an object that comes again and again, as an agent's tools do with every turn, is found out once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

_K = TypeVar("_K")
_P = ParamSpec("_P")
_T = TypeVar("_T")


def by_identity(most: int) -> Callable[[Callable[Concatenate[_K, _P], _T]], Callable[Concatenate[_K, _P], _T]]:
    """Remember what a function makes of the very object that is its first argument, and of the hashable ones by position.

    :param most: objects remembered; they are kept alive meanwhile
    """

    def decorate(function: Callable[Concatenate[_K, _P], _T]) -> Callable[Concatenate[_K, _P], _T]:
        known: OrderedDict[tuple[Any, ...], tuple[_K, _T]] = OrderedDict()

        @wraps(function)
        def remembering(first: _K, *others: _P.args, **named: _P.kwargs) -> _T:
            key = (id(first), *others, *named.values())
            found = known.get(key)
            if found is not None:
                return found[1]
            made = function(first, *others, **named)
            known[key] = (first, made)
            if len(known) > most:
                known.popitem(last=False)
            return made

        return cast("Callable[Concatenate[_K, _P], _T]", remembering)

    return decorate
