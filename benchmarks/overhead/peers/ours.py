"""Ours on the same graphs: mosquitto, devices and a coordinator, each a process, as shipped."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict
from tempfile import TemporaryDirectory

from benchmarks.overhead import mqtt_roles
from benchmarks.overhead.mqtt_roles import Coordinate, Device
from benchmarks.overhead.peers.port import IN_FLIGHT, WORKERS
from benchmarks.overhead.peers.session import RUN_LIMIT_S, Run
from benchmarks.overhead.processes import first_line, own_broker


@asynccontextmanager
async def ours() -> AsyncIterator[Run]:
    """Start the broker and the devices. Each run has a coordinator that warms them up first.

    Raises:
        BenchmarkError: there is no mosquitto here.
    """
    async with AsyncExitStack() as running:
        folder = running.enter_context(TemporaryDirectory(prefix="muster-bench-"))
        broker = await running.enter_async_context(own_broker())
        names = tuple(f"d{number}" for number in range(WORKERS))
        for name in names:
            device = Device(broker.host, broker.port, folder, "peers", name, IN_FLIGHT)
            await running.enter_async_context(first_line(mqtt_roles.__name__, asdict(device)))

        async def run(shape: str, tasks: int) -> float:
            role = Coordinate(broker.host, broker.port, "peers", names, shape, tasks)
            async with (
                asyncio.timeout(RUN_LIMIT_S),
                first_line(mqtt_roles.__name__, asdict(role)) as result,
            ):
                return tasks / float(json.loads(result)["tasks_per_s"])

        yield run
