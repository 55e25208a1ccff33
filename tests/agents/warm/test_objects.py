import asyncio
import threading

import pytest

from agents.warm.adapters.objects import Objects

pytestmark = pytest.mark.real_time  # its threads are outside the virtual clock


async def test_function_that_is_not_async_holds_nothing_up():
    going_on = threading.Event()
    objects = Objects(lambda key: going_on.wait() and [key], close=lambda _: going_on.wait())
    async with asyncio.TaskGroup() as group:
        load = group.create_task(objects.load("a"))
        await asyncio.sleep(0.01)
        assert not load.done()
        going_on.set()
    await objects.evict(load.result())

    assert load.result() == ["a"]
    assert objects.size(load.result()) is None


async def test_object_without_a_close_is_forgotten():
    objects = Objects(list, size=len)
    made = await objects.load("abc")
    await objects.evict(made)

    assert objects.size(made) == 3
