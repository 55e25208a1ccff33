"""A hostile client on a real broker, beside honest devices that go on working.

The coordinator runs here, each device and the attacker in a process of its own. Runs of tasks that
name their devices are submitted before, during and after the attack. Measured are wrong or failed
results, how much every process grew, and how much of the rate is left while the attack takes its
share of the machine.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import psutil

from benchmarks.frame import Figures, Item, Options, Progress, Row
from benchmarks.hostile import attacker
from benchmarks.hostile.attacker import Attack
from benchmarks.overhead import mqtt_roles
from benchmarks.overhead.mqtt_roles import ORG, Device
from benchmarks.overhead.plans import SKILL
from benchmarks.overhead.processes import first_line, own_broker
from orchestrator import AddTask, EditBatch, Needs, Orchestrator, TaskSpec
from orchestrator.core.tuning import Tuning
from orchestrator.journal import SqliteJournal
from protocol.topics import Address
from protocol.transport.mqtt import MqttSettings, MqttTransport
from protocol.types import DeviceId, Json, TaskId

UNIT: Final = "hostile"
DEVICES: Final = ("d1", "d2", "d3")
TASKS: Final = 90
"""In a run."""
FULL_S: Final = 20.0
QUICK_S: Final = 3.0
RUN_LIMIT_S: Final = 60.0
SLOTS: Final = 8
TUNING: Final = Tuning(keep_runs=8)
"""Ended runs are forgotten at once: what grows is the attack's."""


@dataclass(slots=True)
class Phase:
    """What honest work came to while the clock ran."""

    tasks: int = 0
    wrong: int = 0
    wall_s: float = 0.0

    @property
    def per_s(self) -> float:
        """Tasks a second."""
        return self.tasks / self.wall_s


async def measure(options: Options) -> AsyncIterator[Item]:
    """Work in peace, under attack and in peace again.

    Raises:
        BenchmarkError: there is no mosquitto here.
    """
    spell_s = QUICK_S if options.quick else FULL_S
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="muster-bench-")))
        broker = await stack.enter_async_context(own_broker())
        for name in DEVICES:
            device = Device(broker.host, broker.port, str(folder), UNIT, name, SLOTS)
            await stack.enter_async_context(first_line(mqtt_roles.__name__, asdict(device)))
        address = Address(ORG, UNIT, "coordinator")
        link = MqttTransport(MqttSettings(str(address), broker.host, broker.port))
        journal = SqliteJournal(folder / "journal.db")
        library = Orchestrator(link, journal=journal, address=address, tuning=TUNING)
        orchestrator = await stack.enter_async_context(library)
        await work(orchestrator, 1.0)  # everything is warm
        yield Progress(0.1, "in peace")
        phases = {"calm": await work(orchestrator, spell_s)}
        honest = psutil.Process().children()
        before = _peak_mb([psutil.Process(), *honest])
        yield Progress(0.4, "under attack")
        attack = Attack(
            broker.host, broker.port, ORG, UNIT, address.agent, "mallory", options.seed
        )
        async with first_line(attacker.__name__, asdict(attack)):
            phases["attack"] = await work(orchestrator, spell_s)
        yield Progress(0.7, "in peace again")
        phases["after"] = await work(orchestrator, spell_s)
        after = _peak_mb([psutil.Process(), *honest])
        malformed = sum(orchestrator.coordinator.malformed().values())
    for name, phase in phases.items():
        yield Row({"part": "flood", "phase": name, **asdict(phase)})
    yield Row({"part": "flood", "peak_mb_before": list(before), "peak_mb_after": list(after)})
    yield Figures(
        {
            "flood.wrong": sum(phase.wrong for phase in phases.values()),
            "flood.malformed": malformed,
            "flood.rate_ratio": phases["attack"].per_s / phases["calm"].per_s,
            "flood.rate_after_ratio": phases["after"].per_s / phases["calm"].per_s,
            "flood.grown_mb": max(b - a for a, b in zip(before, after, strict=True)),
        }
    )


async def work(orchestrator: Orchestrator, spell_s: float) -> Phase:
    """Have runs done one after the other for so long."""
    loop, phase = asyncio.get_running_loop(), Phase()
    began = loop.time()
    while phase.wall_s < spell_s:
        run = await orchestrator.submit("honest work", plan=_plan())
        try:
            async with asyncio.timeout(RUN_LIMIT_S):
                phase.wrong += not right((await run.result()).outputs)
        except TimeoutError:
            phase.wrong += 1
        phase.tasks += TASKS
        phase.wall_s = loop.time() - began
    return phase


def right(outputs: Mapping[TaskId, Json]) -> bool:
    """Tell whether every task is there, with what the honest skill returns: its number."""
    return outputs == {TaskId(f"t{number}"): number for number in range(TASKS)}


def _plan() -> EditBatch:
    return EditBatch(
        0,
        tuple(
            AddTask(
                TaskSpec(
                    TaskId(f"t{number}"),
                    SKILL,
                    {"number": number},
                    needs=Needs(device=DeviceId(DEVICES[number % len(DEVICES)])),
                )
            )
            for number in range(TASKS)
        ),
    )


def _peak_mb(processes: Iterable[psutil.Process]) -> tuple[float, ...]:
    """Return the largest resident size of each so far; the present one where only that is told."""
    return tuple(map(_one_peak_mb, processes))


def _one_peak_mb(process: psutil.Process) -> float:
    status = Path(f"/proc/{process.pid}/status")
    if status.exists():
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return float(peak.split()[1]) / 1024
    return process.memory_info().rss / 2**20
