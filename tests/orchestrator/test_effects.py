"""Effects whose outcome was lost, and runs that were taken over, with real devices in memory."""

import asyncio
import copy

from agents.ledger import MemoryLedger
from agents.runtime import Agent
from agents.skills import Context, skill
from orchestrator import Limits, Orchestrator
from orchestrator.core.facts import RunStatus, RunSuperseded, TaskSettled
from orchestrator.journal import MemoryJournal
from protocol.topics import Address
from protocol.transport.memory import MemoryBroker
from protocol.types import Effect, Failed, FailureKind, Succeeded, Unknown
from tests.support.muster import muster, plan, spec, work


def device(broker, name, skills, **more):
    return Agent(name, skills, transport=broker.transport(f"muster/default/{name}"), **more)


def coordinator(broker, name, journal):
    transport = broker.transport(f"muster/default/{name}")
    return Orchestrator(transport, journal=journal, address=Address("muster", "default", name))


def printing(answers):
    """A skill that never comes to its end; asked what came of it, it gives `answers` in turn."""
    left = iter(answers)

    async def look(_context: Context, _args):
        return next(left)

    @skill(effect=Effect.ONCE, reconcile=look)
    async def work() -> str:
        await asyncio.sleep(1000)
        return "printed"

    return work


async def cut_off(answers, *, unknown_s=100.0):
    """Run a task whose device stops and comes back: return the result and what happened."""
    ledger, limits = MemoryLedger(), Limits(unknown_s=unknown_s)
    skills = [printing(answers)]
    async with muster({}) as (orchestrator, broker):
        async with device(broker, "a", skills, ledger=ledger):
            await asyncio.sleep(1)
            run = await orchestrator.submit("x", plan=plan(spec("t", limits=limits)))
            await asyncio.sleep(3)
            broker.kill("muster/default/a")
        async with device(broker, "a", skills, ledger=ledger):
            result = await run.result()
            now = asyncio.get_running_loop().time()
        facts = [event.fact async for event in run.events()]
    return result, facts, now


async def test_a_lost_effect_is_settled_by_its_skill_as_soon_as_that_can_tell():
    answers = [Unknown("the printer is off"), Unknown("still off"), Succeeded("it was printed")]
    result, facts, now = await cut_off(answers)
    assert result.outputs == {"t": "it was printed"}
    assert [fact.by for fact in facts if isinstance(fact, TaskSettled)] == ["a"]
    assert now < 30


async def test_a_lost_effect_that_did_not_happen_fails_with_the_words_of_its_skill():
    never = Failed(FailureKind.SKILL_ERROR, "the paper tray is full")
    result, _, _ = await cut_off([Unknown("the printer is off"), never])
    assert "the paper tray is full" in result.missing["t"]


async def test_a_lost_effect_that_nobody_can_tell_ends_at_its_limit():
    result, _, now = await cut_off([Unknown("the printer is gone")] * 20, unknown_s=40.0)
    assert result.status is RunStatus.FAILED
    assert result.missing["t"].startswith("its outcome is unknown: ")
    assert now < 60


async def test_a_coordinator_lets_go_of_a_run_that_another_took_over_and_that_one_finishes_it():
    broker, journal = MemoryBroker(), MemoryJournal()
    async with (
        coordinator(broker, "first", journal) as first,
        device(broker, "a", [work(duration_s=20.0, output="done", effect=Effect.ONCE)]),
    ):
        await asyncio.sleep(1)
        run = await first.submit("x", plan=plan("t1", "t2", after=[("t1", "t2")]))
        await asyncio.sleep(5)
        adopted = MemoryJournal(copy.deepcopy(journal.store))
        async with coordinator(broker, "second", adopted) as second:
            await asyncio.sleep(3)
            await run.cancel("enough")
            lost = await run.result()
            result = await second.run(run.id).result()
        facts = [event.fact async for event in run.events()]
    assert lost.status is RunStatus.FAILED
    assert lost.reason == "another coordinator has taken over this run (epoch 2)"
    assert RunSuperseded(run.id, 2, "a") in facts
    assert result.outputs == {"t2": "done"}
