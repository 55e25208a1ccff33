"""Mutated messages into the shells themselves: a coordinator and an agent, in memory.

Every message reaches `received` as it would from a broker, so the codec, the inbox, the session,
the engine, the ledger and the journal all take part. A message that makes a shell raise, or ends
it, is an escape. Afterwards both still do honest work, and have not grown.
"""

import asyncio
import random
import resource
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Final, Protocol, TypeAlias

from agents.runtime import Agent
from agents.skills import Skill
from benchmarks.frame import Figures, Item, Options, Progress, Row
from benchmarks.hostile import honest
from benchmarks.hostile.mutations import mutated
from orchestrator import AddTask, EditBatch, Needs, Orchestrator, TaskSpec
from protocol.transport import Message
from protocol.transport.memory import MemoryBroker
from protocol.types import Effect, Json, SkillInfo, TaskId


class Receiver(Protocol):
    """The part of a `Peer` that takes messages."""

    def received(self, message: Message) -> None:
        """Take one."""


Target: TypeAlias = tuple[Receiver, tuple[Message, ...]]
"""Who takes messages, and those that mutations start from."""

AT_ONCE: Final = 500
SHOWN: Final = 20
"""Escapes shown as rows."""


@dataclass(slots=True)
class Escapes:
    """Messages that made a shell raise."""

    count: int = 0
    shown: list[Row] = field(default_factory=list)

    def add(self, message: Message, error: BaseException) -> None:
        """Note one."""
        self.count += 1
        if len(self.shown) < SHOWN:
            self.shown.append(
                Row(
                    {
                        "part": "fuzz",
                        "error": f"{type(error).__name__}: {error}"[:300],
                        "topic": message.topic,
                        "payload": message.payload[:600].decode(errors="replace"),
                    }
                )
            )


class Scene:
    """A coordinator and an agent that both take anything."""

    def __init__(self) -> None:
        self.broker = MemoryBroker(reconnect_s=0.01)

    async def enter(self, stack: AsyncExitStack) -> None:
        """Start both, connected."""
        at = honest.COORDINATOR
        link = self.broker.transport(str(at))
        self.orchestrator = await stack.enter_async_context(Orchestrator(link, address=at))
        skill = Skill(SkillInfo(honest.SKILL, effect=honest.CARD.skills[0].effect), _noop)
        self.agent = await stack.enter_async_context(
            Agent(
                honest.CARD, [skill], transport=self.broker.transport(str(honest.DEVICE)),
                org=honest.DEVICE.org, unit=honest.DEVICE.unit,
            )
        )  # fmt: skip
        await self.broker.flush()

    def targets(self) -> tuple[Target, ...]:
        """Return who takes what."""
        return (
            (self.agent, honest.to_device()),
            (self.orchestrator.coordinator, honest.to_coordinator()),
        )

    async def works(self) -> bool:
        """Tell whether a run that names the device still succeeds, once it spoke for itself."""
        self.broker.kill(str(honest.DEVICE))  # it comes back with its own card
        spec = TaskSpec(
            TaskId("t"),
            honest.SKILL,
            {},
            needs=Needs(device=honest.CARD.device),
            effect=Effect.PURE,
        )
        batch = EditBatch(0, (AddTask(spec),))
        try:
            async with asyncio.timeout(60):
                run = await self.orchestrator.submit("after all", plan=batch)
                return (await run.result()).succeeded
        except TimeoutError:
            return False


async def _noop(_context: object, _args: object) -> Json:
    return None


async def measure(options: Options) -> AsyncIterator[Item]:
    """Send 1,000,000 messages (`quick`: 40,000), half to each side, drawn by the seed."""
    total = 40_000 if options.quick else 1_000_000
    chance, escapes = random.Random(options.seed), Escapes()
    scene = Scene()
    half_kib = 0.0
    async with AsyncExitStack() as stack:
        await scene.enter(stack)
        targets = scene.targets()
        for sent in range(0, total, AT_ONCE):
            send(targets, chance, escapes)
            await asyncio.sleep(0)
            if sent == total // 2:
                half_kib = peak_kib()
            if not sent % 10_000:
                yield Progress(sent / total, f"{total:,} mutated messages")
        grown_mb = (peak_kib() - half_kib) / 1024
        works = await scene.works()
    for row in escapes.shown:
        yield row
    yield Figures(
        {
            "fuzz.messages": total,
            "fuzz.escapes": escapes.count,
            "fuzz.works_afterwards": float(works),
            "fuzz.grown_mb": grown_mb,
        }
    )


def send(targets: Sequence[Target], chance: random.Random, escapes: Escapes) -> None:
    """Send `AT_ONCE` messages without giving the loop a turn."""
    for _ in range(AT_ONCE):
        peer, messages = chance.choice(targets)
        message = chance.choice(messages)
        message = replace(message, payload=mutated(message.payload, chance))
        try:
            peer.received(message)
        except Exception as error:  # noqa: BLE001 - whatever it is: that is the measurement
            escapes.add(message, error)


def peak_kib() -> float:
    """Return the largest resident size of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024 if sys.platform == "darwin" else float(peak)
