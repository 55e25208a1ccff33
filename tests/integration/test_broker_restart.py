"""The broker dies under load, and comes back empty."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack

import pytest

from agents.runtime import Agent
from agents.skills import skill
from orchestrator import Orchestrator
from orchestrator.core.facts import AttemptSucceeded
from protocol.types import DeviceCard, Effect
from tests.support.muster import plan, spec

pytestmark = [pytest.mark.broker, pytest.mark.timeout(60)]
DEVICES = ("a", "b", "c", "d")


async def test_every_agent_comes_back_and_nothing_is_lost_or_done_twice_peer_5(broker):
    effects: Counter[str] = Counter()

    @skill(effect=Effect.ONCE)
    async def mark(name: str) -> str:
        """Leave a mark."""
        effects[name] += 1
        await asyncio.sleep(0.02)
        return name

    names = [f"t{n}" for n in range(400)]
    succeeded, moments = 0, [50, 200]
    async with AsyncExitStack() as stack:
        orchestrator = await stack.enter_async_context(
            Orchestrator(broker.transport("coordinator"))
        )
        for name in DEVICES:
            card = DeviceCard(name, slots=4)
            agent = Agent(card, [mark], transport=broker.transport(name))
            await stack.enter_async_context(agent)
        tasks = [spec(name, "mark", args={"name": name}) for name in names]
        run = await orchestrator.submit("mark", plan=plan(*tasks))
        async for event in run.events():
            succeeded += isinstance(event.fact, AttemptSucceeded)
            if moments and succeeded == moments[0]:
                del moments[0]
                await broker.kill()
                await broker.restart()
        result = await run.result()
        assert result.outputs == {name: name for name in names}
        assert effects == Counter(names)
        async with asyncio.timeout(10):
            while not all(each.online for each in orchestrator.devices()):  # noqa: ASYNC110 - none says so
                await asyncio.sleep(0.01)
        assert {each.card.device for each in orchestrator.devices()} == {*DEVICES}
