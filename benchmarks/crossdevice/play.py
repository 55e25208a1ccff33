"""One task, played once: make its world, submit, answer, let faults strike, and judge."""

import asyncio
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from benchmarks.crossdevice.checking import Finding, judge
from benchmarks.crossdevice.fixture import Fixture
from benchmarks.crossdevice.fleet import FLEET, files_of
from benchmarks.crossdevice.hardware import Control
from benchmarks.crossdevice.pages import Site
from benchmarks.crossdevice.stage import Stage
from benchmarks.crossdevice.task import Task
from benchmarks.crossdevice.world import Tree, World
from orchestrator.client import CallFailedError
from orchestrator.clock import loop_clock
from orchestrator.core.errors import RequestError
from orchestrator.service.documents import Event
from protocol.types import RunId

GIVEN: Final = "given"  # the folder of what the fixtures made, out of the devices' reach


class Faults(Protocol):
    """What goes wrong in one play."""

    def controls(self) -> Mapping[str, Control]:
        """Return how the hardware is from the beginning, where that is not as ever."""

    async def seen(self, event: Event, stage: Stage) -> None:
        """Strike, if it is time."""


@dataclass(slots=True)
class Played:
    """What is known of one play.

    Attributes:
        folder: the task's own on every device.
        seconds: from the submission to the end of the run, as the harness saw it.
        status: how the run ended; `late` if it did not.
        events: what the coordinator told, in order.
        idle: subtasks that were done before anything was.
        world: what was judged.
    """

    task: str
    seed: int
    folder: str
    run: str = ""
    seconds: float = 0.0
    status: str = "late"
    events: list[Event] = field(default_factory=list)
    findings: tuple[Finding, ...] = ()
    idle: int = 0
    world: World | None = None

    @property
    def success(self) -> bool:
        """Whether every subtask is done."""
        return all(each.done for each in self.findings)


async def play(task: Task, stage: Stage, *, seed: int, number: int, faults: Faults) -> Played:
    """Play a task once.

    Args:
        task: which.
        stage: where.
        seed: of its files.
        number: of the play on this stage: no two of them share a folder.
        faults: what goes wrong.
    """
    played = Played(task.name, seed, f"{task.name}-{number}")
    site = stage.pages.sites[played.folder] = Site()
    now = loop_clock().wall
    world = played.world = await asyncio.to_thread(_furnish, task, stage, played, site, now)
    played.idle = sum(each.done for each in await asyncio.to_thread(judge, task.subtasks, world))
    controls = faults.controls()
    for device in FLEET:
        stage.control(device, controls.get(device, Control(battery=task.file.battery)))
    own = {"folder": played.folder, "site": stage.pages.url(played.folder)}
    began = loop_clock().elapsed
    try:
        async with asyncio.timeout(task.file.limit_s):
            await follow(task, stage, played, own, faults)
    except TimeoutError:
        pass
    played.seconds = loop_clock().elapsed - began
    await stage.mend()
    played.findings = await asyncio.to_thread(judge, task.subtasks, world)
    return played


def clear(stage: Stage, folder: str) -> None:
    """Remove what a play left behind."""
    stage.pages.sites.pop(folder, None)
    for device in FLEET:
        shutil.rmtree(files_of(stage.root, device) / folder, ignore_errors=True)
    shutil.rmtree(stage.root / GIVEN / folder, ignore_errors=True)


async def follow(
    task: Task, stage: Stage, played: Played, own: Mapping[str, str], faults: Faults
) -> None:
    """Submit the request, answer its questions and let faults strike, until the run ends."""
    played.run = await stage.submit(
        task.request(own), task.parameters(own), deadline_s=task.file.limit_s
    )
    async with asyncio.TaskGroup() as group:
        async for event in stage.events(played.run):
            played.events.append(event)
            if event["fact"] == "InputRequested":
                group.create_task(_answer(task, stage, played.run, event), name="answer")
            if event["fact"] == "RunEnded":
                played.status = str(event["data"]["status"])
            await faults.seen(event, stage)


async def _answer(task: Task, stage: Stage, run: RunId, event: Event) -> None:
    question = str(event["data"]["question"])
    for each in task.file.answers:
        if re.search(each.question, question):
            await asyncio.sleep(each.after_s)
            with suppress(CallFailedError, RequestError):  # it was taken before, or asks no more
                await stage.answer(run, str(event["data"]["task"]), each.say)
            return


def _furnish(task: Task, stage: Stage, played: Played, site: Site, now: float) -> World:
    """Make the task's world, for the devices and for the checkers."""
    homes = partial(_home, stage.root, played.folder)
    given = partial(_given, stage.root, played.folder)
    url = stage.pages.url(played.folder)
    for home, pages in ((homes, site), (given, Site())):
        for device in FLEET:
            home(device).mkdir(parents=True)
        fixture = Fixture(task.chance(played.seed), now, home, pages, url)
        task.make(fixture)
    known = fixture.known  # of the second making; the devices have nothing of it
    return World(Tree(given), Tree(homes), site.requests, known, task.file.parameters, now)


def _home(root: Path, folder: str, device: str) -> Path:
    return files_of(root, device) / folder


def _given(root: Path, folder: str, device: str) -> Path:
    return root / GIVEN / folder / device
