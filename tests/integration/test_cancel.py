"""A cancel over the wire stops the skill itself, and only then is its slot free."""

import asyncio

import pytest

from agents.runtime import Agent
from agents.skills import skill
from orchestrator import Orchestrator, RunStatus
from orchestrator.core.facts import AttemptStarted
from tests.support.muster import plan

pytestmark = pytest.mark.broker


async def test_cancel_reaches_a_running_skill_and_its_slot_is_free_when_it_says_so_peer_7(broker):
    told, cleaned = asyncio.Event(), asyncio.Event()

    @skill
    async def work() -> None:
        """Go on until told to stop, and take some time to clean up."""
        try:
            await asyncio.Event().wait()
        finally:
            told.set()
            await cleaned.wait()

    async with (
        Orchestrator(broker.transport("coordinator")) as orchestrator,
        Agent("laptop", [work], transport=broker.transport("laptop")),
    ):
        run = await orchestrator.submit("work", plan=plan("work"))
        async for event in run.events():
            if isinstance(event.fact, AttemptStarted):
                break
        await run.cancel("not needed any more")
        await told.wait()
        (device,) = orchestrator.devices()
        assert device.attempts == ((run.id, "work"),)
        assert run.snapshot().status is RunStatus.RUNNING
        cleaned.set()
        result = await run.result()
        (device,) = orchestrator.devices()
    assert (result.status, result.reason) == (RunStatus.CANCELLED, "not needed any more")
    assert device.attempts == ()
