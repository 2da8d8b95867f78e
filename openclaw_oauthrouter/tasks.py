"""Ends background tasks for certain.

Before Python 3.12 ``asyncio.wait_for`` loses a cancellation that arrives together with its result, and libraries use it around their
network calls: a task that loops over such calls can live on after one ``cancel()``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

_AGAIN_SECONDS = 0.5
_PATIENCE_SECONDS = 6.0
"""As long as a server may take to answer, and a little more."""


async def end_tasks(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Cancel tasks until they have ended, at most 6 seconds; what they raise was theirs to report."""
    pending = set(tasks)
    deadline = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
    while pending and asyncio.get_running_loop().time() < deadline:
        for task in pending:
            task.cancel()
        done, pending = await asyncio.wait(pending, timeout=_AGAIN_SECONDS)
        for task in done:
            if not task.cancelled():
                task.exception()
