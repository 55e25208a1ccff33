"""The check that nothing blocks the loop can fail."""

import asyncio
import time

import pytest

from tests.support.blocking import nothing_blocks


@pytest.mark.real_time
async def test_step_that_blocks_the_loop_is_an_error():
    async def block():
        time.sleep(0.05)  # noqa: ASYNC251 - it is what the check is about

    with pytest.raises(AssertionError, match="the loop was blocked"), nothing_blocks():
        async with asyncio.TaskGroup() as group:
            group.create_task(block())


@pytest.mark.real_time
async def test_waiting_is_not_blocking(unblocked):  # noqa: ARG001 - the fixture is the test
    await asyncio.sleep(0.05)
