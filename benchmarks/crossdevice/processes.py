"""The stage as it is: mosquitto, a coordinator and seven devices, each a process of its own."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, TypeVar, cast
from uuid import uuid4

from benchmarks.crossdevice import fleet
from benchmarks.crossdevice.meter import Meter, listening
from benchmarks.crossdevice.pages import serving
from benchmarks.crossdevice.presence import Presence
from benchmarks.crossdevice.stage import BROKER, COORDINATOR, CommonStage
from benchmarks.site import PAUSE_S, broker_in, folder_in, transport
from benchmarks.supervisor import Supervised
from orchestrator.client import CallFailedError, Client, ClientError
from orchestrator.clock import loop_clock
from orchestrator.service.documents import Event
from protocol.topics import Address
from protocol.transport.broker import BrokerProcess
from protocol.types import FailureKind, Json, RunId

SETTINGS: Final = """\
[broker]
port = {port}

[journal]
path = "journal.db"

[planner]
playbooks = ["{playbooks}"]

[timing]
lease_s = {lease_s}
"""
LEASE_S: Final = 10.0  # a lost device's work is tried elsewhere after that at the latest
PATIENCE_S: Final = 0.2
WAIT_S: Final = 1.0  # for news of a run, at the coordinator
SILENT_S: Final = 3.0  # then the call, or its answer, is lost
T = TypeVar("T")


@asynccontextmanager
async def processes(root: Path, playbooks: Path, model: str = "") -> AsyncIterator["Processes"]:
    """Start every process in a folder of its own below `root`; at the end none is left.

    Args:
        root: an empty folder.
        playbooks: the folder with the reference plans.
        model: the table `[planner.llm]` of the coordinator's settings; empty: there is none.

    Raises:
        BrokerError: mosquitto is not installed, or no port is free.
        ExceptionGroup: of `EndedError`: a program ended by itself.
    """
    port, me = BrokerProcess().port, Address("muster", "default", "crossdevice")
    async with AsyncExitStack() as stack:
        pages = stack.enter_context(serving())
        fleet.configure(root, list(fleet.FLEET), port=port, web_port=pages.port)
        programs = {
            BROKER: broker_in(root, port),
            COORDINATOR: _coordinator(root, playbooks, port, model),
            **{name: _device(root, name) for name in fleet.FLEET},
        }
        group = await stack.enter_async_context(asyncio.TaskGroup())
        lives = {name: group.create_task(each.run(), name=name) for name, each in programs.items()}
        stack.push_async_callback(_end, lives)
        roll = await stack.enter_async_context(
            listening(transport("muster/default/roll-call", port), Presence())
        )
        await roll.present([COORDINATOR, *fleet.FLEET])
        coordinator = Address("muster", "default", COORDINATOR)
        client = await stack.enter_async_context(Client(transport(str(me), port), me, coordinator))
        meter = await stack.enter_async_context(
            listening(transport("muster/default/meter", port), Meter())
        )
        yield Processes(root, playbooks, pages, meter, programs, lives, group, roll, client)


@dataclass(eq=False)
class Processes(CommonStage):
    """A `Stage`: everything is said over the wire, as any other program would."""

    programs: Mapping[str, Supervised]
    lives: dict[str, asyncio.Task[None]]
    group: asyncio.TaskGroup
    roll: Presence
    client: Client
    _gone: set[str] = field(default_factory=set, init=False)
    _cut: dict[str, asyncio.Task[None]] = field(default_factory=dict, init=False)
    kind = "processes"

    async def submit(
        self, request: str, parameters: Mapping[str, Json], *, deadline_s: float
    ) -> RunId:
        """See `Stage`."""
        args: Mapping[str, Json] = {
            "request": request,
            "parameters": dict(parameters),
            "key": str(uuid4()),
            "deadline_s": deadline_s,
        }
        answer = await _insist(partial(self.client.call, "submit", args))
        return RunId(str(answer["run"]))

    async def events(self, run: RunId) -> AsyncIterator[Event]:
        """See `Stage`."""
        after, ended = 0, False
        while not ended:
            args: Mapping[str, Json] = {"run": run, "after": after, "wait_s": WAIT_S}
            told = await _insist(partial(self.client.call, "events", args))
            ended = bool(told["ended"])
            for event in cast("list[Event]", told["events"]):
                after = event["seq"]
                yield event

    async def answer(self, run: RunId, task: str, value: Json) -> None:
        """See `Stage`."""
        args: Mapping[str, Json] = {"run": run, "task": task, "value": value, "by": "crossdevice"}
        await _insist(partial(self.client.call, "answer", args))

    async def kill(self, who: str, *, away_s: float | None) -> None:
        """See `Stage`."""
        program = self.programs[who]
        program.kill(pause_s=away_s)
        await program.gone()
        # Who was killed has to say again that it is there; with the broker, everybody has to.
        self.roll.online -= {COORDINATOR, *fleet.FLEET} if who == BROKER else {who}
        if away_s is None:
            self.lives[who].cancel()
            self._gone.add(who)

    async def cut(self, device: str, *, for_s: float) -> None:
        """See `Stage`."""
        self.programs[device].kill(signal.SIGUSR1)
        self._cut[device] = self.group.create_task(self._uncut(device, for_s), name="cut")

    async def _uncut(self, device: str, after_s: float) -> None:
        await asyncio.sleep(after_s)
        self.programs[device].kill(signal.SIGUSR1)
        del self._cut[device]

    def wall(self) -> float:
        """See `Stage`."""
        return loop_clock().wall

    async def mend(self) -> None:
        """See `Stage`."""
        for each in list(self._cut.values()):
            await each
        for who in sorted(self._gone):
            self.lives[who] = self.group.create_task(self.programs[who].run(), name=who)
        self._gone.clear()
        await self.roll.present([COORDINATOR, *fleet.FLEET])


async def _end(lives: Mapping[str, asyncio.Task[None]]) -> None:
    """End everybody, the broker last: the others say goodbye to it."""
    others = [life for name, life in lives.items() if name != BROKER]
    for each in others:
        each.cancel()
    await asyncio.wait(others)
    lives[BROKER].cancel()


def _coordinator(root: Path, playbooks: Path, port: int, model: str) -> Supervised:
    folder = folder_in(root, COORDINATOR)
    text = SETTINGS.format(port=port, playbooks=playbooks, lease_s=LEASE_S)
    (folder / "muster.toml").write_text(f"{text}\n{model}", encoding="utf-8")
    return _python("coordinator", folder / "muster.toml")


def _device(root: Path, name: str) -> Supervised:
    return _python("device", fleet.config_of(root, name))


def _python(module: str, config: Path) -> Supervised:
    command = (sys.executable, "-m", f"{__package__}.{module}", "--config", str(config))
    return Supervised(command, log=config.with_name("log"), pause_s=PAUSE_S)


async def _insist(call: Callable[[], Awaitable[T]]) -> T:
    """Call again until there is an answer; what a killed broker swallowed is not waited for.

    Raises:
        CallFailedError: the answer is that the call makes no sense.
    """
    while True:
        try:
            async with asyncio.timeout(SILENT_S):
                return await call()
        except CallFailedError as error:
            if error.kind is FailureKind.BAD_INPUT:
                raise
        except (ClientError, TimeoutError):
            pass
        await asyncio.sleep(PATIENCE_S)
