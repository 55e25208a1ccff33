"""Results that are sent ahead: two agents, real HTTP between them, and one coordinator."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from agents.runtime import Agent
from agents.sharing import sharing
from agents.skills import skill
from orchestrator import Orchestrator, RunStatus
from orchestrator.core.model import Needs
from orchestrator.core.scheduling.policies import Policy
from protocol.artifacts.store import Store
from protocol.transport.memory import MemoryBroker
from protocol.types import DeviceId
from tests.support.muster import plan, spec

pytestmark = pytest.mark.real_time
LIMIT_S = 10.0


def on(device):
    return Needs(DeviceId(device))


async def until(found):
    async with asyncio.timeout(LIMIT_S):
        while not (value := found()):  # noqa: ASYNC110 - files appear in silence
            await asyncio.sleep(0.005)
    return value


def row(run, name):
    return next(each for each in run.snapshot().tasks if each.spec.id == name)


async def test_a_successor_starts_without_waiting_for_what_it_reads(tmp_path):
    """Its device works on something else while the result comes; then the result's source dies."""
    goes_on = asyncio.Event()

    @skill
    async def make() -> list[str]:
        """Return more than a message carries."""
        return ["x" * 1000] * 100

    @skill
    async def hold() -> None:
        """Keep the device busy."""
        await goes_on.wait()

    @skill
    async def use(texts: list[str]) -> int:
        """Count texts."""
        return len(texts)

    broker = MemoryBroker()
    parts = (
        spec("make", "make", needs=on("one"), estimate_s=1.0),
        spec("hold", "hold", needs=on("two"), estimate_s=5.0),
        spec("use", "use", args={"texts": {"$from": "make"}}, needs=on("two"), estimate_s=1.0),
    )
    async with AsyncExitStack() as stack:
        transport = broker.transport("coordinator")
        orchestrator = await stack.enter_async_context(
            Orchestrator(transport, policy=Policy.ONE_PLAN)
        )
        source, target = Store(tmp_path / "one"), Store(tmp_path / "two")
        stack.callback(source.close)
        stack.callback(target.close)
        async with sharing(source, "127.0.0.1", 0) as here:
            there = await stack.enter_async_context(sharing(target, "127.0.0.1", 0))
            for name, skills, artifacts in (("one", [make], here), ("two", [hold, use], there)):
                link = broker.transport(name)
                agent = Agent(name, skills, transport=link, artifacts=artifacts)
                await stack.enter_async_context(agent)
            await until(lambda: sum(each.online for each in orchestrator.devices()) == 2)
            run = await orchestrator.submit("x", plan=plan(*parts))
            made = await until(lambda: row(run, "make").output)
            sha256 = made["$artifact"]["sha256"]
            await until(lambda: target.find(sha256))
            assert row(run, "hold").state == "active"
        goes_on.set()
        async with asyncio.timeout(LIMIT_S):
            result = await run.result()
    assert result.status is RunStatus.SUCCEEDED, result
    assert result.outputs["use"] == 100
