"""Where tasks are played: processes around mosquitto, or one process on a virtual clock."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from benchmarks.crossdevice import endpoint, fleet, planning
from benchmarks.crossdevice.hardware import Control
from benchmarks.crossdevice.meter import Meter
from benchmarks.crossdevice.pages import Pages
from benchmarks.crossdevice.planning import PlannerControl
from orchestrator.service.documents import Event
from protocol.types import Json, RunId

COORDINATOR: Final = "coordinator"
BROKER: Final = "broker"


class Stage(Protocol):
    """The fleet, a coordinator, a broker and the local HTTP service."""

    @property
    def kind(self) -> str:
        """What it is called among `session.STAGES`."""

    @property
    def root(self) -> Path:
        """The folder that holds everything."""

    @property
    def pages(self) -> Pages:
        """The local HTTP service."""

    async def submit(
        self, request: str, parameters: Mapping[str, Json], *, deadline_s: float
    ) -> RunId:
        """Submit a request, once the whole fleet is there."""

    def events(self, run: RunId) -> AsyncIterator[Event]:
        """Yield what becomes durable of a run, until it ends; kills do not disturb that."""

    async def answer(self, run: RunId, task: str, value: Json) -> None:
        """Answer the question of a task."""

    def control(self, device: str, control: Control) -> None:
        """Change the hardware of a device."""

    async def kill(self, who: str, *, away_s: float | None) -> None:
        """Kill a device, the coordinator or the broker; it comes back after `away_s`, or never."""

    async def cut(self, device: str, *, for_s: float) -> None:
        """Take a device off the network without a word; it is back after `for_s`."""

    def planning(self, control: PlannerControl) -> None:
        """Change how the planner answers from now on."""

    def traffic(self) -> tuple[int, int]:
        """Return how many messages were published so far, and their bytes."""

    def tokens(self, run: str) -> int:
        """Return the tokens that the planner of a run has spent."""

    def mistakes(self, run: str) -> int:
        """Return how many answers of the planner of a run had a mistake."""

    def wall(self) -> float:
        """Return the time by which events are stamped."""

    async def mend(self) -> None:
        """Bring back whoever is gone, and wait until the whole fleet is there."""


@dataclass(eq=False)
class CommonStage:
    """What every `Stage` does alike: it writes and reads files, and asks its meter."""

    root: Path
    playbooks: Path
    pages: Pages
    meter: Meter

    def control(self, device: str, control: Control) -> None:
        """See `Stage`."""
        control.write(fleet.control_of(self.root, device))

    def planning(self, control: PlannerControl) -> None:
        """See `Stage`."""
        control.write(self.playbooks)

    def traffic(self) -> tuple[int, int]:
        """See `Stage`."""
        return self.meter.messages, self.meter.bytes

    def tokens(self, run: str) -> int:
        """See `Stage`."""
        return endpoint.tokens(self.playbooks, run)

    def mistakes(self, run: str) -> int:
        """See `Stage`."""
        return planning.mistakes(self.playbooks, run)
