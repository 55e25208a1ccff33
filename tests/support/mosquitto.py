"""A real broker in the place of the one in memory, and programs that run around it."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.supervisor import Supervised
from protocol.transport.broker import BrokerProcess
from protocol.transport.mqtt import MqttSettings, MqttTransport

BACKOFF_S = (0.05, 0.2)


class Mosquitto(BrokerProcess):
    """A broker of the test's own, which hands out transports as `MemoryBroker` does."""

    def transport(self, client_id: str) -> MqttTransport:
        settings = MqttSettings(client_id, port=self.port, backoff_s=BACKOFF_S)
        return MqttTransport(settings)


@asynccontextmanager
async def program(*arguments: object, log: Path) -> AsyncIterator[Supervised]:
    """Run `muster …`; when it is killed it comes back at once."""
    command = (sys.executable, "-m", "orchestrator", *map(str, arguments))
    supervised = Supervised(command, log=log, pause_s=0.05)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(supervised.run())
        try:
            yield supervised
        finally:
            running.cancel()
