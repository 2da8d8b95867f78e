"""The limits on the steps of a call, in small fractions of a second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from openclaw_oauthrouter.upstream.deadline import Deadline
from openclaw_oauthrouter.upstream.idle import StepTimer


@asynccontextmanager
async def patience(deadline: Deadline, seconds: float) -> AsyncGenerator[StepTimer, None]:
    """A block whose first step may last so long.

    :raises TimeoutError: a step lasted too long
    """
    timer = StepTimer(deadline)
    timer.listen(seconds)
    try:
        yield timer
    except asyncio.CancelledError:
        if timer.ran_out():
            raise TimeoutError from None
        raise
    finally:
        timer.stop()


async def waited(deadline: float, seconds: float, *steps: tuple[float, float | None]) -> float:
    """How long the block lasted; each step takes a while and then listens for so long, or not at all.

    :raises TimeoutError: as the block
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        async with patience(Deadline.after(deadline), seconds) as idle:
            for takes, listens in steps:
                await asyncio.sleep(takes)
                idle.heard()
                if listens is not None:
                    idle.listen(listens)
            await asyncio.sleep(30)
    except TimeoutError:
        return loop.time() - began
    raise AssertionError("it never ended")


async def test_silence_from_the_start() -> None:
    assert 0.05 <= await waited(10, 0.05) < 5


async def test_idle_whoever_speaks_is_given_the_whole_time_again() -> None:
    assert 0.25 <= await waited(10, 0.1, (0.08, 0.1), (0.08, 0.1)) < 5


async def test_idle_shorter_patience_holds_at_once() -> None:
    assert 0.05 <= await waited(10, 8.0, (0.01, 0.05)) < 5


async def test_idle_deadline_ends_a_stream_that_never_falls_silent() -> None:
    assert 0.1 <= await waited(0.1, 8.0, *[(0.02, 8.0)] * 50) < 5


async def test_idle_clock_stands_still_between_heard_and_listen() -> None:
    async with patience(Deadline.after(10), 0.03) as idle:
        idle.heard()
        await asyncio.sleep(0.15)
        idle.listen(5.0)
        await asyncio.sleep(0.05)


async def test_idle_block_that_ends_leaves_no_timer() -> None:
    async with patience(Deadline.after(10), 0.02):
        pass
    await asyncio.sleep(0.05)


async def test_idle_cancelled_block_is_cancelled_not_late() -> None:
    task = asyncio.create_task(waited(10, 10))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_idle_what_comes_in_the_step_in_which_the_time_is_up_is_taken_unharmed() -> None:
    loop = asyncio.get_running_loop()
    came: asyncio.Future[None] = loop.create_future()
    loop.call_later(0.01, came.set_result, None)
    seen: list[str] = []
    try:
        async with patience(Deadline.after(10), 0.05) as idle:
            # The loop stands still beyond both moments, as it does when the process was stopped.
            loop.call_soon(time.sleep, 0.1)
            await came
            idle.heard()
            await asyncio.sleep(0.02)
            seen.append("taken")
            idle.listen(0.02)
            await asyncio.sleep(30)
    except TimeoutError:
        seen.append("silent since")
    assert seen == ["taken", "silent since"]
