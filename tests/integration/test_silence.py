"""A device falls silent while its connection stands: only the heartbeats that are missing tell."""

import asyncio
import signal

import pytest

from agents.runtime import Agent
from agents.simulated import scripted
from orchestrator import Orchestrator
from orchestrator.core.facts import DeviceLost, DeviceOnline
from orchestrator.journal import MemoryJournal
from protocol.transport.faults import FaultPlan, FaultyTransport
from protocol.transport.memory import MemoryBroker
from tests.support.mosquitto import program

DETECTED_S = 7.0


class WatchedJournal(MemoryJournal):
    """Tells when something first happened."""

    def __init__(self):
        super().__init__()
        self._news = asyncio.Event()

    def append(self, now, facts):
        seq = super().append(now, facts)
        asyncio.get_running_loop().call_soon(self._news.set)  # it is durable by then
        return seq

    async def first(self, kind, *, after=0.0):
        """Return when there was a fact of this kind after a moment, once there was."""
        while True:
            for entry in await self.entries():
                if isinstance(entry.fact, kind) and entry.elapsed >= after:
                    return entry.elapsed
            self._news.clear()
            await self._news.wait()


@pytest.mark.parametrize("phase_s", [0.0, 0.5, 1.0, 1.5, 1.99])
async def test_partitioned_device_is_lost_within_7_s_peer_8(phase_s):
    broker, journal = MemoryBroker(), WatchedJournal()
    link = FaultyTransport(broker.transport("laptop"), FaultPlan(), seed=0)
    now = asyncio.get_running_loop().time
    async with (
        Orchestrator(broker.transport("coordinator"), journal=journal),
        Agent("laptop", [scripted("work")], transport=link),
    ):
        await asyncio.sleep(10 + phase_s)
        cut = now()
        link.partitioned = True
        lost = await journal.first(DeviceLost)
        link.partitioned = False
        back = await journal.first(DeviceOnline, after=lost)
    assert 4.0 < lost - cut <= DETECTED_S
    assert back - lost < 3.0


@pytest.mark.broker
@pytest.mark.timeout(60)
async def test_stopped_daemon_is_lost_within_7_s_and_welcome_when_it_goes_on_peer_8(
    broker, tmp_path
):
    config = tmp_path / "device.toml"
    config.write_text(f'[device]\nid = "server"\n[broker]\nport = {broker.port}\n')
    journal = WatchedJournal()
    now = asyncio.get_running_loop().time
    async with (
        Orchestrator(broker.transport("coordinator"), journal=journal),
        program("agent", "--config", config, log=tmp_path / "log") as daemon,
    ):
        await journal.first(DeviceOnline)
        daemon.kill(signal.SIGSTOP)
        stopped = now()
        lost = await journal.first(DeviceLost)
        daemon.kill(signal.SIGCONT)
        await journal.first(DeviceOnline, after=lost)
    assert lost - stopped <= DETECTED_S + 3.0  # of a busy machine
