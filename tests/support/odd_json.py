"""Bodies that went wrong in one place: every field in turn becomes JSON of another shape, or goes missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    5,
    -1,
    1.5,
    "",
    "x",
    [],
    {},
    [[]],
    [5],
    ["x"],
    [{}],
    [None],
    {"a": 1},
    {"type": []},
    [{"type": []}],
    [{"type": "text", "text": "x"}],
)
"""Each JSON type, empty and not, and containers of what nobody expects; none is ever changed."""


def mutations(value: Any) -> Iterator[tuple[str, Any]]:
    """Every body that differs from the given one in one place, at any depth, each with words on what was done to it.

    The given value stays as it is; what was not touched is shared with it.
    """
    for place in _places(value):
        name = ".".join(map(str, place))
        for odd in ODD:
            yield f"{name} = {odd!r}", _replaced(value, place, odd)
        yield f"{name} missing", _without(value, place)


def _places(value: Any) -> Iterator[tuple[str | int, ...]]:
    """Where something stands in it, the value itself left out."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (key,)
        yield from ((key, *rest) for rest in _places(inner))


def _replaced(value: Any, place: tuple[str | int, ...], new: Any) -> Any:
    if not place:
        return new
    changed = value.copy()
    changed[place[0]] = _replaced(value[place[0]], place[1:], new)
    return changed


def _without(value: Any, place: tuple[str | int, ...]) -> Any:
    changed = value.copy()
    if len(place) == 1:
        del changed[place[0]]
    else:
        changed[place[0]] = _without(value[place[0]], place[1:])
    return changed
