"""Background tasks end, also those whose library loses a cancellation."""

from __future__ import annotations

import asyncio

import pytest

from openclaw_oauthrouter.tasks import end_tasks, take_all


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


async def test_take_all_takes_every_step_and_raises_what_failed_first(caplog: pytest.LogCaptureFixture) -> None:
    taken: list[str] = []

    async def later(name: str) -> None:
        await asyncio.sleep(0)
        taken.append(name)

    async def fail() -> None:
        raise ValueError("the first")

    def fail_at_once() -> None:
        raise KeyError("the second")

    with pytest.raises(ValueError, match="the first"):
        await take_all(lambda: later("a"), fail, lambda: taken.append("b"), fail_at_once, lambda: later("c"))
    assert taken == ["a", "b", "c"]
    assert "the second" in caplog.text


async def test_take_all_that_is_cancelled_takes_the_steps_that_are_left() -> None:
    taken: list[str] = []
    task = asyncio.create_task(take_all(lambda: asyncio.sleep(60), lambda: taken.append("after")))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert taken == ["after"]
