"""Handing on what comes in the very step in which it came: who takes it says what has to be waited for before the next, if anything."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

Wait = Callable[[], Awaitable[object]]
"""What has to be waited for. A function, because who gets it may be cancelled before it comes to that."""

_Taken = TypeVar("_Taken")

Take = Callable[[_Taken], "Wait | None"]
"""Takes one piece after the other; ``None``: the next may come at once."""


async def taken(wait: Wait | None) -> None:
    """Wait for what has to be waited for."""
    if wait is not None:
        await wait()
