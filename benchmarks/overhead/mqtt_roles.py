"""Our side of the comparison with the bare loop: a device or a coordinator, in its own process.

Both as shipped, on the MQTT transport: an agent with the SQLite ledger, the library with the
SQLite journal, both NORMAL. Run as `python -m benchmarks.overhead.mqtt_roles SETTINGS`, with the
fields of `Device` or `Coordinate` as JSON; `mqtt` does so.
"""

import asyncio
import json
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from agents.ledger import SqliteLedger
from agents.runtime import Agent
from benchmarks.overhead.counting import Counted
from benchmarks.overhead.plans import SKILL, noop, plan
from benchmarks.overhead.processes import say
from orchestrator import AddTask, EditBatch, Needs, Orchestrator, Run, TaskSpec
from orchestrator.core.facts import AttemptSucceeded
from orchestrator.journal import SqliteJournal
from orchestrator.outbox import ACK_AFTER_S
from protocol.topics import Address, Kind
from protocol.transport.mqtt import MqttSettings, MqttTransport
from protocol.types import DeviceCard, DeviceId, TaskId

ORG: Final = "bench"
WARM_UP: Final = 100  # tasks a device


@dataclass(frozen=True, slots=True)
class Device:
    """A device that does nothing, in `slots` places at once, until it is ended."""

    host: str
    port: int
    folder: str
    unit: str
    device: str
    slots: int


@dataclass(frozen=True, slots=True)
class Coordinate:
    """Run one plan on all devices of a unit, with a new journal."""

    host: str
    port: int
    unit: str
    devices: tuple[str, ...]
    shape: str
    tasks: int


@dataclass(frozen=True, slots=True)
class Coordinated:
    """What one run came to. A hop is from the end of a task to the end of the next one."""

    tasks_per_s: float
    hop_p50_ms: float
    hop_p99_ms: float
    messages_per_task: float
    cpu_us_per_task: float
    """Of the coordinator's process: comparable where the machine has other work."""
    request_bytes: int
    """A task's share of all of them, as `reply_bytes` too."""
    reply_bytes: int


async def be_device(settings: Device) -> None:
    """Serve until cancelled."""
    card = DeviceCard(DeviceId(settings.device), slots=settings.slots)
    address = Address(ORG, settings.unit, settings.device)
    ledger = SqliteLedger(Path(settings.folder) / f"{settings.unit}-{settings.device}.db")
    transport = _transport(settings, address)
    agent = Agent(card, [noop], transport=transport, ledger=ledger, org=ORG, unit=settings.unit)
    async with agent:
        say("ready")
        await asyncio.get_running_loop().create_future()


async def coordinate(settings: Coordinate) -> Coordinated:
    """Warm every device up, then measure one run from its submission to its result."""
    address = Address(ORG, settings.unit, "coordinator")
    transport = Counted(_transport(settings, address))
    batch = plan(settings.shape, settings.tasks)
    loop = asyncio.get_running_loop()
    with TemporaryDirectory(prefix="muster-bench-") as folder:
        journal = SqliteJournal(Path(folder) / "journal.db")
        async with Orchestrator(transport, journal=journal, address=address) as orchestrator:
            await _finish(await orchestrator.submit("warm up", plan=_warm_up(settings.devices)))
            await asyncio.sleep(2 * ACK_AFTER_S)
            transport.sizes.clear()
            began, used_s = loop.time(), time.process_time()
            run = await orchestrator.submit("nothing", plan=batch)
            await _finish(run)
            wall_s, cpu_s = loop.time() - began, time.process_time() - used_s
            await asyncio.sleep(2 * ACK_AFTER_S)  # the last acknowledgements count too
            messages, sizes = transport.messages, transport.sizes
            hops = await _hops_ms(run)
    cuts = statistics.quantiles(hops, n=100)
    return Coordinated(
        tasks_per_s=settings.tasks / wall_s,
        hop_p50_ms=cuts[49],
        hop_p99_ms=cuts[98],
        messages_per_task=messages / settings.tasks,
        request_bytes=sum(sizes[Kind.REQUEST]) // settings.tasks,
        reply_bytes=sum(sizes[Kind.REPLY]) // settings.tasks,
        cpu_us_per_task=cpu_s * 1e6 / settings.tasks,
    )


def _transport(settings: Device | Coordinate, address: Address) -> MqttTransport:
    return MqttTransport(
        MqttSettings(str(address), settings.host, settings.port), first_connect="raise"
    )


def _warm_up(devices: tuple[str, ...]) -> EditBatch:
    """Ask every device by name, so that none is missing afterwards."""
    return EditBatch(
        0,
        tuple(
            AddTask(
                TaskSpec(
                    TaskId(f"{device}.{number}"),
                    SKILL,
                    {"number": number},
                    needs=Needs(device=DeviceId(device)),
                )
            )
            for device in devices
            for number in range(WARM_UP)
        ),
    )


async def _finish(run: Run) -> None:
    result = await run.result()
    assert result.succeeded, result.reason


async def _hops_ms(run: Run) -> list[float]:
    ends = [
        entry.elapsed async for entry in run.events() if isinstance(entry.fact, AttemptSucceeded)
    ]
    return [(later - earlier) * 1e3 for earlier, later in pairwise(ends)]


def main(settings: str) -> None:
    """Play the role that `settings` (JSON) holds; say "ready", or print the result as JSON."""
    fields = json.loads(settings)
    try:
        if "device" in fields:
            asyncio.run(be_device(Device(**fields)))
        else:
            say(json.dumps(asdict(asyncio.run(coordinate(Coordinate(**fields))))))
    except ExceptionGroup as group:
        cause: Exception = group
        while isinstance(cause, ExceptionGroup):
            cause = cause.exceptions[0]
        sys.exit(str(cause))


if __name__ == "__main__":
    main(sys.argv[1])
