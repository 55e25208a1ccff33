"""The demo as it is: a broker, a coordinator and five daemons, each a process of its own."""

import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

from benchmarks.demo.scenario import AWAY_S, RESTART_S, Tell
from benchmarks.demo.timeline import COORDINATOR
from benchmarks.roll_call import RollCall, roll_call
from benchmarks.supervisor import Supervised, running
from orchestrator.cli.following import batches
from orchestrator.client import Client
from orchestrator.service.documents import Event
from protocol.topics import Address
from protocol.transport.mqtt import MqttSettings, MqttTransport
from protocol.types import RunId

MUSTER: Final = (sys.executable, "-m", "orchestrator")
SETTINGS: Final = """\
[broker]
port = {port}

[journal]
path = "{journal.name}"
"""


@asynccontextmanager
async def processes(
    journal: Path, configs: Mapping[str, Path], *, port: int, tell: Tell
) -> AsyncIterator["Processes"]:
    """Start every process around a broker, each with a supervisor; at the end none is left.

    Args:
        journal: the coordinator's; the settings are written beside it.
        configs: device → its configuration file.
        port: where the broker is, on the loopback interface.
        tell: is told what the supervisors do.
    """

    def supervised(name: str, command: str, settings: Path, *, pause_s: float) -> Supervised:
        return Supervised(
            (*MUSTER, command, "--config", str(settings)),
            log=settings.with_suffix(".log"),
            pause_s=pause_s,
            restarting=lambda: tell(name, "started again by its supervisor"),
        )

    settings = journal.with_name("muster.toml")
    settings.write_text(SETTINGS.format(port=port, journal=journal), encoding="utf-8")
    programs = {
        COORDINATOR: supervised(COORDINATOR, "coordinator", settings, pause_s=RESTART_S),
        **{
            name: supervised(name, "agent", path, pause_s=AWAY_S) for name, path in configs.items()
        },
    }
    me = Address("muster", "default", "demo")
    coordinator = Address("muster", "default", COORDINATOR)
    async with (
        running(*programs.values()),
        roll_call(_transport("muster/default/roll-call", port)) as roll,
        Client(_transport(str(me), port), me, coordinator) as client,
    ):
        yield Processes(programs, roll, client)


def _transport(client_id: str, port: int) -> MqttTransport:
    return MqttTransport(MqttSettings(client_id, port=port))


class Processes:
    """A `Stage`: everything is said over the wire, as any other program would."""

    def __init__(self, programs: Mapping[str, Supervised], roll: RollCall, client: Client) -> None:
        self._programs = programs
        self._roll = roll
        self._client = client

    async def submit(self, request: str) -> RunId:
        """See `Stage`."""
        await self._roll.present(self._programs.keys())
        answer = await self._client.call("submit", {"request": request, "key": str(uuid4())})
        return RunId(str(answer["run"]))

    async def events(self, run: RunId, after: int) -> AsyncIterator[Event]:
        """See `Stage`."""
        async for events, _ in batches(self._client, run, after):
            for event in events:
                yield event

    async def kill(self, who: str) -> None:
        """See `Stage`."""
        self._programs[who].kill()
        if who == COORDINATOR:
            await self._roll.back(who)
