"""Tasks over mosquitto beside a bare request/reply loop on the same broker, in turns.

**Rate**: four devices of 16 slots, so 64 attempts in flight; the bare loop keeps as many requests
in flight over as many devices. **Hop**: a chain on one device, so one in flight, beside the bare
loop's round trip with one in flight. Every device, coordinator and requester is a process of its
own. The bare loop's payloads are as large as a task's share of ours, measured just before: what we
gather into one message costs it nothing.

Both sides are measured anew in each round, and each ratio is the median of the rounds' ratios: a
slow spell of the machine meets both. `mqtt.rate_ratio` and `mqtt.messages_per_task` are those of
the worse of the two graphs.
"""

import asyncio
import json
import statistics
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.frame import Figures, Item, Options, Progress, Row
from benchmarks.overhead import mqtt_roles
from benchmarks.overhead.bare import bare_loop
from benchmarks.overhead.bare_loop import BareResult
from benchmarks.overhead.mqtt_roles import Coordinate, Coordinated, Device
from benchmarks.overhead.processes import first_line, own_broker
from protocol.transport.broker import BrokerProcess

DEVICES: Final = 4
SLOTS: Final = 16
LIMIT_S: Final = 120.0  # for one run; a hundred times what it takes
SHAPES: Final = ("independent", "layered")


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured in each of how many rounds."""

    rounds: int
    tasks: int
    chain: int
    bare_s: float


FULL: Final = Effort(rounds=5, tasks=4_000, chain=1_000, bare_s=4.0)
QUICK: Final = Effort(rounds=2, tasks=800, chain=200, bare_s=0.7)


async def measure(options: Options) -> AsyncIterator[Item]:
    """Measure rate, hop and messages per task.

    Raises:
        BenchmarkError: there is no mosquitto here.
    """
    effort = QUICK if options.quick else FULL
    samples: dict[str, list[float]] = defaultdict(list)
    async with _stage() as stage:
        for number in range(effort.rounds):
            yield Progress(number / effort.rounds, "over mosquitto")
            for name, value in (await stage.round(effort)).items():
                samples[name].append(value)
            yield Row({"part": "mqtt", **{name: each[-1] for name, each in samples.items()}})
    yield Figures({f"mqtt.{name}": statistics.median(each) for name, each in samples.items()})


@asynccontextmanager
async def _stage() -> AsyncIterator["Stage"]:
    """Start a broker, the devices for the rate, and the one for the hop."""
    async with AsyncExitStack() as running:
        folder = running.enter_context(TemporaryDirectory(prefix="muster-bench-"))
        broker = await running.enter_async_context(own_broker())
        stage = Stage(broker, folder)
        for device in stage.devices:
            await running.enter_async_context(first_line(mqtt_roles.__name__, asdict(device)))
        yield stage


class Stage:
    """Where both sides are measured."""

    def __init__(self, broker: BrokerProcess, folder: str) -> None:
        self._where = (broker.host, broker.port)
        self.devices = (
            *(Device(*self._where, folder, "rate", f"d{n}", SLOTS) for n in range(DEVICES)),
            Device(*self._where, folder, "hop", "d0", 1),
        )

    async def round(self, effort: Effort) -> dict[str, float]:
        """Measure everything once: ours, then the bare loop."""
        ours = {shape: await self._ours("rate", shape, effort.tasks) for shape in SHAPES}
        bare = await self._bare(ours["independent"], DEVICES, DEVICES * SLOTS, effort.bare_s)
        hop = await self._ours("hop", "chain", effort.chain)
        bare_hop = await self._bare(hop, 1, 1, effort.bare_s)
        slowest = min(each.tasks_per_s for each in ours.values())
        return {
            **{f"{shape}.tasks_per_s": each.tasks_per_s for shape, each in ours.items()},
            "bare_per_s": bare.per_s,
            "rate_ratio": slowest / bare.per_s,
            "hop_p50_ms": hop.hop_p50_ms,
            "hop_p99_ms": hop.hop_p99_ms,
            "bare_hop_p50_ms": bare_hop.p50_ms,
            "bare_hop_p99_ms": bare_hop.p99_ms,
            "hop_ratio": hop.hop_p50_ms / bare_hop.p50_ms,
            "messages_per_task": max(each.messages_per_task for each in ours.values()),
        }

    async def _ours(self, unit: str, shape: str, tasks: int) -> Coordinated:
        devices = tuple(each.device for each in self.devices if each.unit == unit)
        role = Coordinate(*self._where, unit, devices, shape, tasks)
        async with (
            asyncio.timeout(LIMIT_S),
            first_line(mqtt_roles.__name__, asdict(role)) as result,
        ):
            return Coordinated(**json.loads(result))

    async def _bare(
        self, ours: Coordinated, devices: int, in_flight: int, seconds: float
    ) -> BareResult:
        return await bare_loop(
            *self._where,
            devices=devices,
            in_flight=in_flight,
            seconds=seconds,
            request_bytes=ours.request_bytes,
            reply_bytes=ours.reply_bytes,
        )
