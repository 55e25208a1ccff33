import asyncio

import pytest

from protocol.background import Background


async def test_an_error_of_the_body_comes_out_as_it_is_after_the_tasks_have_ended():
    ended = []

    async def work():
        await asyncio.sleep(1)
        ended.append(True)

    async def body():
        async with Background() as group:
            group.create_task(work())
            raise ValueError("body")

    with pytest.raises(ValueError, match="body"):
        await body()
    assert ended == [True]


async def test_an_error_of_a_task_is_raised_as_a_group():
    async def work():
        raise KeyError("task")

    async def body():
        async with Background() as group:
            group.create_task(work())

    with pytest.raises(ExceptionGroup) as found:
        await body()
    assert found.group_contains(KeyError)


async def test_cancelling_the_body_cancels_the_tasks():
    async def body():
        async with Background() as group:
            group.create_task(asyncio.sleep(1000))
            await asyncio.sleep(1000)

    async with asyncio.TaskGroup() as outer:
        running = outer.create_task(body())
        await asyncio.sleep(1)
        running.cancel()
    assert asyncio.get_running_loop().time() < 1000
