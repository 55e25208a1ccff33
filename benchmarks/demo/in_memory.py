"""The demo in one process, for where there is no broker: kills are crashes of simulated devices."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self

from agents import builtin, config
from agents.simulated import SimulatedDevice
from benchmarks.demo.scenario import Tell
from benchmarks.demo.timeline import COORDINATOR
from orchestrator import Orchestrator
from orchestrator.journal import Entry, SqliteJournal
from orchestrator.planner.playbook.library import PlaybookPlanner
from protocol.transport.memory import MemoryBroker
from protocol.types import DeviceCard, DeviceId, RunId


class OneProcess:
    """A broker in memory, the devices around it, and one coordinator after the other.

    Args:
        devices: their configuration files.
        journal: the file that one coordinator leaves to the next.
        tell: is told who is started again.
    """

    def __init__(
        self, devices: Sequence[Path], journal: Path, tell: Tell, *, pauses_s: Mapping[str, float]
    ) -> None:
        self._broker = MemoryBroker()
        self._journal = journal
        self._tell = tell
        self._life = AsyncExitStack()
        self._devices = {}
        for path in devices:
            settings = config.read(path)
