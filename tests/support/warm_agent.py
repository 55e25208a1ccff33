"""An agent that keeps a model warm, a skill that uses it, and a coordinator to give orders."""

import asyncio
from contextlib import asynccontextmanager

from agents.runtime import Agent
from agents.skills import Context, skill
from agents.warm.adapters import ResourceKind
from protocol.messages import Phase
from protocol.types import DeviceCard, DeviceId
from tests.support.agents import offer, pin
from tests.support.coordinator import ScriptedCoordinator

CARD = DeviceCard(DeviceId("laptop"), slots=4, capacity={"bench": 1.0})


@skill
async def use(context: Context, seconds: float = 1.0, key: str | None = None) -> str:
    """Use a model for some time."""
    handle = context.resource("model", key)
    await asyncio.sleep(seconds)
    context.resource("model", key)
    return f"{handle.key}{handle.number}"


def now():
    return asyncio.get_running_loop().time()


def need(attempt="a", *pins, token=1, **changes):
    pins = pins or (pin(token=token),)
    return offer(attempt, skill="use", pins=pins, token=token, ttl_s=1e6, **changes)


@asynccontextmanager
async def pair(broker, adapter, *, ledger=None, skills=(use,), **kind):
    """Bring up a coordinator and an agent with one kind of resource."""
    resources = {"model": ResourceKind(adapter, 8.0, **kind)}
    async with ScriptedCoordinator(broker.transport("coordinator")) as coordinator:
        await coordinator.news()
        agent = Agent(
            CARD, skills, transport=broker.transport("laptop"), resources=resources, ledger=ledger
        )
        async with agent:
            await coordinator.beat(connected=True)
            yield coordinator


async def finished(coordinator):
    while (report := await coordinator.reply()).phase is not Phase.FINISHED:
        pass
    return report
