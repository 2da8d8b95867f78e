"""Ends background tasks for certain, and whatever else has to end.

Before Python 3.12 ``asyncio.wait_for`` loses a cancellation that arrives together with its result, and libraries use it around their
network calls: a task that loops over such calls can live on after one ``cancel()``.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

_log = logging.getLogger(__name__)

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


async def take_all(*steps: Callable[[], Awaitable[object] | object]) -> None:
    """Take every step in its turn, and wait for those that return an awaitable, even where one before them fails.

    :raises BaseException: the first of what failed; others are logged
    """
    failed: BaseException | None = None
    for step in steps:
        try:
            answer = step()
            if inspect.isawaitable(answer):
                await answer
        except BaseException as error:  # noqa: BLE001 - raised at the end
            if failed is not None:
                _log.error("something else failed as well", exc_info=error)
            failed = failed or error
    if failed is not None:
        raise failed
