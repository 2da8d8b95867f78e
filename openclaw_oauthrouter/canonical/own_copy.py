"""Bodies for plugins that other people wrote: they may change what they are given, and ours are shared between requests."""

from __future__ import annotations

from typing import Any

_OURS = __name__.partition(".")[0] + "."


def leaves_contents(plugin: object) -> bool:
    """Whether a dialect or provider is one of this package: these never change what the lists of a body hold."""
    return type(plugin).__module__.startswith(_OURS)


def own_copy(value: Any) -> Any:
    """JSON whose objects and lists belong to nobody else."""
    if isinstance(value, dict):
        return {name: own_copy(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [own_copy(item) for item in value]
    return value
