"""A question or its answer is lost while every connection stands: both are said again."""

import asyncio
from collections import Counter
from contextlib import asynccontextmanager

import pytest

from agents.runtime import Agent
from agents.skills import Context, skill
from orchestrator import Orchestrator
from orchestrator.core.facts import InputAnswered, InputRequested
from orchestrator.core.lifecycle import TaskState
from protocol.codec import decode_orders
from protocol.messages import Answer, Hello, Query
from protocol.transport.faults import FaultPlan, FaultyTransport
from protocol.transport.memory import MemoryBroker
from protocol.types import Effect, TaskId
from tests.support.muster import plan, spec

DEAF = FaultPlan(drop=1.0)
SAID_AGAIN_S = 4.5  # within two heartbeats


class Phone:
    """A bad link, which counts the orders that come through, and a word to begin."""

    def __init__(self, broker, seed):
        self.link = FaultyTransport(broker.transport("phone"), FaultPlan(), seed=seed)
        self.orders = Counter()
        self.may_ask = asyncio.Event()

    async def run(self, peer):
        self._peer = peer
        await self.link.run(self)

    def received(self, message):
        self.orders.update(type(each.order) for each in decode_orders(message))
        self._peer.received(message)

    def __getattr__(self, name):
        return getattr(self.link if name in {"publish", "flush"} else self._peer, name)

    @asynccontextmanager
    async def deaf(self):
        """Lose all that is said here, both ways; it is too short for anybody to notice."""
        self.link.suffer(DEAF)
        yield
        await asyncio.sleep(0.1)
        self.link.suffer(FaultPlan())


@asynccontextmanager
async def two_questions(seed=0):
    """Start a run whose task is about to ask; yield it and its device."""
    broker = MemoryBroker()
    device = Phone(broker, seed)

    @skill(effect=Effect.ONCE)
    async def order(context: Context) -> list[object]:
        """Ask two questions."""
        await device.may_ask.wait()
        return [await context.ask("which?"), await context.ask("sure?")]

    async with (
        Orchestrator(broker.transport("coordinator")) as orchestrator,
        Agent("phone", [order], transport=device),
    ):
        await asyncio.sleep(1)
        run = await orchestrator.submit("x", plan=plan(spec("t", "order")))
        await asyncio.sleep(1.1)  # its start was said
        device.orders.clear()
        yield run, device


async def asks(run, question):
    async for _ in run.events():
        task = run.snapshot().tasks[0]
        if task.state is TaskState.INPUT_REQUIRED:
            assert task.reason == question
            return


async def facts(run, kind):
    return [each async for each in run.events() if isinstance(each.fact, kind)]


@pytest.mark.parametrize("lost", ["nothing", "question", "answer"])
async def test_a_lost_question_or_answer_is_said_again_and_nothing_else(lost):
    now = asyncio.get_running_loop().time
    async with two_questions() as (run, device):
        began = now()
        if lost == "question":
            async with device.deaf():
                device.may_ask.set()
        device.may_ask.set()
        await asks(run, "which?")
        assert now() - began < SAID_AGAIN_S
        await asyncio.sleep(10)
        began = now()
        if lost == "answer":
            async with device.deaf():
                await run.answer(TaskId("t"), "this one")
        else:
            await run.answer(TaskId("t"), "this one")
        await asks(run, "sure?")
        assert now() - began < SAID_AGAIN_S
        await asyncio.sleep(10)
        await run.answer(TaskId("t"), "yes")
        result = await run.result()
        asked, answered = await facts(run, InputRequested), await facts(run, InputAnswered)
    assert result.outputs == {"t": ["this one", "yes"]}
    assert [each.fact.number for each in asked] == [1, 2]
    assert len(answered) == 2
    assert device.orders[Hello] == 0
    assert device.orders[Query] == (lost == "question")
    assert device.orders[Answer] == 2  # that which was lost never came


@pytest.mark.parametrize("seed", range(4))
async def test_each_answer_reaches_its_question_over_a_bad_network(seed):
    bad = FaultPlan(drop=0.2, duplicate=0.3, delay_s=(0.0, 0.5), reorder=0.3, reorder_s=3.0)
    async with two_questions(seed) as (run, device):
        device.link.suffer(bad)
        device.may_ask.set()
        await asks(run, "which?")
        await run.answer(TaskId("t"), "this one")
        await asks(run, "sure?")
        await run.answer(TaskId("t"), "yes")
        result = await run.result()
        asked = await facts(run, InputRequested)
    assert result.outputs == {"t": ["this one", "yes"]}
    assert [each.fact.number for each in asked] == [1, 2]
