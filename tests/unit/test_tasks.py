"""Background tasks end, also those whose library loses a cancellation."""

from __future__ import annotations

import asyncio

from openclaw_oauthrouter.tasks import end_tasks


async def test_end_tasks_ends_a_loop_that_loses_its_first_cancellation() -> None:
    lost = 0

    async def loop() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if lost:
                    raise
                lost += 1

    task = asyncio.create_task(loop())
    await asyncio.sleep(0)
    await end_tasks([task])
    assert task.cancelled()
    assert lost == 1


async def test_end_tasks_takes_those_that_are_done_and_those_that_fail() -> None:
    async def fail() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            raise ValueError("while it ended")

    done, failing = asyncio.ensure_future(asyncio.sleep(0)), asyncio.create_task(fail())
    await done
    await end_tasks([done, failing])
    await end_tasks([])
    assert isinstance(failing.exception(), ValueError)
