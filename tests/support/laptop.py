"""A laptop with five small skills, and a coordinator beside it."""

import asyncio
from contextlib import asynccontextmanager

from agents.runtime import Agent
from agents.skills import (
    BadInputError,
    Context,
    PermanentError,
    TemporaryError,
    skill,
)
from protocol.types import (
    DeviceCard,
    DeviceId,
    Effect,
)
from tests.support.agents import offer
from tests.support.coordinator import ScriptedCoordinator


@skill
async def double(number: int) -> int:
    """Double a number."""
    return 2 * number


@skill
async def sleep(context: Context, seconds: float) -> str:
    """Sleep, and say half-way that it is half-way."""
    await asyncio.sleep(seconds / 2)
    context.progress(0.5, "half-way")
    await asyncio.sleep(seconds / 2)
    return "slept"


@skill
async def choose(context: Context, question: str) -> str:
    """Ask a person."""
    return await context.ask(question)


@skill
async def fail(kind: str) -> None:
    """Fail in a stated way."""
    match kind:
        case "temporary":
            raise TemporaryError("try later", retry_after_s=3)
        case "permanent":
            raise PermanentError("never")
        case "input":
            raise BadInputError("no such folder")
        case "bug":
            raise KeyError("\udcff")
    raise asyncio.CancelledError


@skill(effect=Effect.ONCE)
async def write_twice(context: Context, seconds: float) -> None:
    """Guard two side effects, with a stubborn wait in between."""
    context.guard()
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        context.guard()


SKILLS = [double, sleep, choose, fail, write_twice]
CARD = DeviceCard(DeviceId("laptop"), "A laptop", {"os": "linux"}, slots=4)


@asynccontextmanager
async def pair(broker, ledger=None, skills=SKILLS, **options):
    """Bring up a coordinator and an agent, and wait until they know of each other."""
    async with ScriptedCoordinator(broker.transport("coordinator")) as coordinator:
        await coordinator.news()
        agent = Agent(CARD, skills, transport=broker.transport("laptop"), ledger=ledger, **options)
        async with agent:
            await coordinator.beat(connected=True)
            yield coordinator, agent


def call(name, attempt="a", **args):
    effect = Effect.ONCE if name == "write_twice" else Effect.PURE
    return offer(attempt, skill=name, args=args, effect=effect)
