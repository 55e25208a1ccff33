import asyncio
import threading

import pytest

from protocol.artifacts.tasks import beside, in_thread

pytestmark = pytest.mark.real_time


async def test_work_that_is_cancelled_has_ended_when_its_caller_goes_on():
    begun, go_on, ended = asyncio.Event(), threading.Event(), []
    loop = asyncio.get_running_loop()

    def work() -> None:
        loop.call_soon_threadsafe(begun.set)
        go_on.wait(10)
        ended.append(True)
        raise LookupError("nobody wants to know")

    async with asyncio.TaskGroup() as group:
        running = group.create_task(in_thread(work))
        await begun.wait()
        running.cancel()
        await asyncio.sleep(0)
        assert not running.done()
        go_on.set()
    assert running.cancelled()
    assert ended


async def test_what_runs_beside_a_block_ends_with_it_and_hides_no_error_of_it():
    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    async def fail() -> None:
        async with beside(work(), name="work"):
            await asyncio.sleep(0)
            raise LookupError

    ended = []
    with pytest.raises(LookupError):
        await fail()
    async with beside(work(), name="work"):
        await asyncio.sleep(0)
    assert ended == [True, True]
