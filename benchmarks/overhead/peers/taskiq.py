"""taskiq: Redis as its queue and for its results, workers as processes of coroutines.

It knows no graphs, so this drives them in waves: send all that is ready, wait for it in order.
"""

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from taskiq_redis import RedisAsyncResultBackend, RedisStreamBroker

from benchmarks.overhead.peers import programs
from benchmarks.overhead.peers.port import IN_FLIGHT, WORKERS, Go, Graph, Prepare

POLL_S: Final = 0.001  # results are asked for; its default of 0.2 would be most of each hop
START_LIMIT_S: Final = 60.0

_url = os.environ.get(programs.URL, "redis://127.0.0.1:6379/0")
# The stream broker acknowledges: what a worker dies of is not lost, as with ours.
broker = RedisStreamBroker(_url).with_result_backend(RedisAsyncResultBackend(_url))


async def _noop(number: int) -> int:
    return number


noop = broker.task(task_name="noop")(_noop)


@contextmanager
def peer(_folder: Path) -> Iterator[Prepare]:
    """See `port`."""
    workers = ("--workers", str(WORKERS), "--max-async-tasks", str(IN_FLIGHT))
    with (
        programs.module("taskiq", "worker", f"{__name__}:broker", *workers),
        asyncio.Runner() as runner,
    ):
        runner.run(broker.startup())
        runner.run(_up())

        def prepare(graph: Graph) -> Go:
            waves = graph.waves()
            return lambda: runner.run(_drive(waves))

        try:
            yield prepare
        finally:
            runner.run(broker.shutdown())


async def _up() -> None:
    task = await noop.kiq(0)
    await task.wait_result(timeout=START_LIMIT_S)


async def _drive(waves: Sequence[Sequence[int]]) -> int:
    room = asyncio.Semaphore(WORKERS * IN_FLIGHT)  # sends under way, each with a connection
    sent: list[Any] = []

    async def send(number: int) -> None:
        async with room:
            sent.append(await noop.kiq(number))

    total = 0
    for wave in waves:
        sent.clear()
        async with asyncio.TaskGroup() as group:
            for number in wave:
                group.create_task(send(number))
        for each in sent:
            result = await each.wait_result(check_interval=POLL_S)
            total += result.return_value
    return total
