"""What a journal brings back after a restart, and what its failures do to a coordinator."""

import asyncio

import pytest

from agents.skills import skill
from orchestrator.core.lifecycle import TaskState
from orchestrator.journal import FencedError, JournalError, MemoryJournal, MemoryStore
from protocol.transport.memory import MemoryBroker
from protocol.types import Effect
from tests.support.muster import muster, plan, spec, until


async def test_a_journal_brings_back_runs_and_repeats_nothing_finished_peer_12():
    calls = []

    @skill(effect=Effect.PURE)
    async def note(name: str) -> str:
        """Leave a trace."""
        calls.append(name)
        await asyncio.sleep(2)
        return name

    tasks = [spec(name, "note", args={"name": name}) for name in "abcd"]
    journal = MemoryJournal()
    async with muster({}) as (_, broker):
        pass
    async with muster({"d": [note]}, journal=journal, broker=broker) as (orchestrator, _):
        run = await orchestrator.submit("x", plan=plan(*tasks, after=["ab", "bc", "cd"]))
        await until(run, "b", TaskState.SUCCEEDED)
    async with muster({"d": [note]}, journal=journal, broker=broker) as (orchestrator, _):
        result = await orchestrator.run(run.id).result()
    assert result.outputs == {"d": "d"}
    assert calls.count("a") == calls.count("b") == calls.count("d") == 1


async def test_a_hopeless_task_still_fails_soon_after_a_restart_i10():
    journal = MemoryJournal()
    async with muster({}, journal=journal) as (orchestrator, broker):
        run = await orchestrator.submit("x", plan=plan(spec("t", "fly")))
        await asyncio.sleep(2)
    async with muster({}, journal=journal, broker=broker) as (orchestrator, _):
        began = asyncio.get_running_loop().time()
        result = await orchestrator.run(run.id).result()
        assert asyncio.get_running_loop().time() - began < 10
    assert "no known device" in result.reason


async def test_a_journal_that_fails_at_the_end_does_not_hide_what_went_wrong(tmp_path):
    class Failing(MemoryJournal):
        async def __aexit__(self, kind, error, trace):
            if error is None:
                raise JournalError(tmp_path, "the disk is full")
            error.add_note("the disk is full")

    with pytest.raises(KeyError) as caught:
        async with muster({}, journal=Failing()):
            raise KeyError
    assert caught.value.__notes__ == ["the disk is full"]
    with pytest.raises(JournalError, match="the disk is full"):
        async with muster({}, journal=Failing()):
            pass


async def test_a_coordinator_whose_journal_is_taken_over_stops_and_says_so():
    store, broker = MemoryStore(), MemoryBroker()

    async def former():
        journal = MemoryJournal(store)
        async with (
            muster({}, journal=journal, broker=broker) as (orchestrator, _),
            MemoryJournal(store),
        ):
            with pytest.raises(FencedError):
                await orchestrator.submit("x", plan=plan("t"))
            await orchestrator.wait()

    with pytest.raises(ExceptionGroup) as caught:
        await former()
    assert caught.group_contains(FencedError, match="another coordinator has taken over")
    kinds = [type(entry.fact).__name__ for each in store.entries.values() for entry in each]
    assert "RunSubmitted" not in kinds
