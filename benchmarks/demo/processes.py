"""The demo as it is: a broker, a coordinator and five daemons, each a process of its own."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

from benchmarks.demo.roll_call import RollCall, roll_call
from benchmarks.demo.scenario import AWAY_S, RESTART_S
from benchmarks.demo.supervisor import Supervised
from benchmarks.demo.timeline import COORDINATOR
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
    journal: Path, configs: Mapping[str, Path], *, port: int
) -> AsyncIterator["Processes"]:
    """Start every process around a broker, each with a supervisor; at the end none is left.

    Args:
        journal: the coordinator's; the settings are written beside it.
        configs: device → its configuration file.
        port: where the broker is, on the loopback interface.
    """
    settings = journal.with_name("muster.toml")
    settings.write_text(SETTINGS.format(port=port, journal=journal), encoding="utf-8")
    supervised = {
        COORDINATOR: _supervised("coordinator", settings, pause_s=RESTART_S),
        **{name: _supervised("agent", path, pause_s=AWAY_S) for name, path in configs.items()},
    }
    me = Address("muster", "default", "demo")
    coordinator = Address("muster", "default", COORDINATOR)
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(each.run(), name=name) for name, each in supervised.items()]
        try:
            async with (
                roll_call(_transport("muster/default/roll-call", port)) as roll,
                Client(_transport(str(me), port), me, coordinator) as client,
            ):
                yield Processes(supervised, roll, client)
        finally:
            for task in running:
                task.cancel()


def _supervised(command: str, settings: Path, *, pause_s: float) -> Supervised:
    log = settings.with_suffix(".log")
    return Supervised((*MUSTER, command, "--config", str(settings)), log=log, pause_s=pause_s)


def _transport(client_id: str, port: int) -> MqttTransport:
    return MqttTransport(MqttSettings(client_id, port=port))


class Processes:
    """A `Stage`: everything is said over the wire, as any other program would."""

    def __init__(
        self, supervised: Mapping[str, Supervised], roll: RollCall, client: Client
    ) -> None:
        self._supervised = supervised
        self._roll = roll
        self._client = client

    async def submit(self, request: str) -> RunId:
        """See `Stage`."""
        await self._roll.present(self._supervised.keys())
        answer = await self._client.call("submit", {"request": request, "key": str(uuid4())})
        return RunId(str(answer["run"]))

    async def events(self, run: RunId, after: int) -> AsyncIterator[Event]:
        """See `Stage`."""
        async for events, _ in batches(self._client, run, after):
            for event in events:
                yield event

    async def kill(self, who: str) -> None:
        """See `Stage`."""
        self._supervised[who].kill()
        if who == COORDINATOR:
            await self._roll.back(who)
