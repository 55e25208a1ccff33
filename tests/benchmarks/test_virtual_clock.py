"""The clock of the tests: it jumps, except where something real is under way."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from benchmarks.virtual_clock import DeadlockError, VirtualClockLoop


def run(main):
    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        return runner.run(main)


async def test_tests_run_on_it_by_default():
    assert isinstance(asyncio.get_running_loop(), VirtualClockLoop)


@pytest.mark.real_time
async def test_marked_tests_run_in_real_time():
    assert not isinstance(asyncio.get_running_loop(), VirtualClockLoop)


async def test_an_hour_takes_no_time():
    began = time.perf_counter()
    await asyncio.sleep(3600)

    assert asyncio.get_running_loop().time() == 3600
    assert time.perf_counter() - began < 10


async def test_a_child_that_somebody_else_has_left_does_not_hold_the_clock_for_long():
    gone = threading.Event()
    threading.Thread(target=gone.wait, name="waitpid-0", daemon=True).start()
    threading.Timer(0.05, gone.set).start()
    began = time.perf_counter()
    await asyncio.sleep(3600)

    assert time.perf_counter() - began < 5


def test_deadlock_is_an_error_at_once():
    async def wait_for_ever():
        await asyncio.Event().wait()

    with pytest.raises(DeadlockError, match=r"after t=0\.000s"):
        run(wait_for_ever())


async def test_clock_stands_still_while_a_thread_works():
    async with asyncio.timeout(0.001):
        await asyncio.to_thread(time.sleep, 0.02)

    assert asyncio.get_running_loop().time() == 0


async def test_job_given_to_a_pool_directly_is_waited_for():
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    with ThreadPoolExecutor() as pool:
        job = pool.submit(time.sleep, 0.01)
        job.add_done_callback(lambda _: time.sleep(0.005))
        job.add_done_callback(lambda _: loop.call_soon_threadsafe(done.set))
        async with asyncio.timeout(0.001):
            await done.wait()

    assert loop.time() == 0


async def test_sockets_are_waited_for_in_real_time():
    async def answer(reader, writer):
        writer.write(await reader.readline())
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        async with asyncio.timeout(5):
            writer.write(b"hello\n")
            assert await reader.readline() == b"hello\n"
        writer.close()


async def test_child_processes_are_waited_for_in_real_time():
    async with asyncio.timeout(5):
        process = await asyncio.create_subprocess_exec("sleep", "0.02")
        assert await process.wait() == 0
