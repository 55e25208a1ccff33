import asyncio
import random

import pytest

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core.edits import AddDependency, AddTask, EditBatch, RemoveTask
from orchestrator.core.engine import Engine
from orchestrator.core.facts import RunPaused
from orchestrator.core.model import Dependency, ForEach, Now, On, TaskSpec
from orchestrator.core.rows import every, freeze
from orchestrator.core.tuning import Tuning
from orchestrator.journal import Entry, JournalError, MemoryJournal, Recovered
from orchestrator.snapshots import ROWS_AT_ONCE, RecoveryError, Snapshots, recover
from protocol.types import (
    DeviceCard,
    DeviceId,
    Effect,
    Failed,
    FailureKind,
    Incarnation,
    Load,
    RunId,
    SkillInfo,
    Succeeded,
    TaskId,
)

REMINDERS = {"due", "silent_at", "lease_until", "seen_at"}  # volatile facts move them


def digest(engine):
    state = engine.state
    rows = {key: freeze(state, key) for key in every(state)}
    return {
        key: {name: getattr(row, name) for name in {*type(row).__slots__} - REMINDERS}
        for key, row in rows.items()
    }


def plan():
    tasks = [AddTask(TaskSpec(TaskId(f"t{n}"), "work", {"n": n})) for n in range(40)]
    tasks.append(AddTask(TaskSpec(TaskId("each"), "work", for_each=ForEach(min_success=1))))
    tasks.append(AddTask(TaskSpec(TaskId("gone"), "work")))
    edges = [
        AddDependency(Dependency(TaskId(f"t{n}"), TaskId(f"t{n + 7}"), On.COMPLETION))
        for n in range(33)
    ]
    return EditBatch(0, (*tasks, *edges))


async def scenario(seed, journal, snapshots_of):
    """Drive an engine through luck and misfortune, journaling as the coordinator does."""
    chance = random.Random(seed)
    engine = Engine()
    snapshots = snapshots_of(engine)
    offers = []
    at = 0.0

    async def take(event):
        nonlocal at
        at += chance.random()
        now = Now(1000.0 + at, at)
        decision = engine.decide(event, now=now)
        journal.append(now, decision.facts)
        snapshots.note(decision.facts)
        offers.extend(order for order in decision.commands if isinstance(order, c.Offer))
        if chance.random() < 0.2:
            await asyncio.sleep(0)

    await take(e.Start(None, None))
    for name in ("a", "b", "c"):
        skill = SkillInfo("work", effect=Effect.PURE)
        await take(e.Announced(DeviceCard(DeviceId(name), skills=(skill,), slots=2), online=True))
        await take(e.Beat(DeviceId(name), Incarnation(name), Load(), (), connected=True))
    await take(e.Submit(RunId("r"), "k", "x", plan=plan(), seed=seed))
    await take(e.EditRequested(RunId("r"), "me", EditBatch(1, (RemoveTask(TaskId("gone")),))))
    while offers and chance.random() < 0.97:
        offer = offers.pop(chance.randrange(len(offers)))
        await take(e.AttemptReported(offer.device, offer.attempt, started=True))
        bad = Failed(FailureKind.TRANSIENT, "bad luck")
        outcome = bad if chance.random() < 0.2 else Succeeded({"n": 1})
        await take(e.AttemptFinished(offer.device, offer.attempt, outcome, 0.5))
        if chance.random() < 0.1:
            await take(e.TimePassed())
    return engine


@pytest.mark.parametrize("seed", range(12))
async def test_rows_and_the_entries_after_them_give_the_state_that_was_lost_i11(seed, monkeypatch):
    monkeypatch.setattr("orchestrator.snapshots.ROWS_AT_ONCE", 25)
    monkeypatch.setattr("orchestrator.snapshots.GATHERED", 1)
    async with MemoryJournal() as journal:
        lost = await scenario(seed, journal, lambda engine: Snapshots(engine, journal))
    recovered = await journal.recover()
    assert recovered.rows
    assert not recovered.entries or recovered.entries[0].seq > 1
    found = Engine()
    recover(found, recovered)
    assert digest(found) == digest(lost)
    found.check()


class CountingJournal(MemoryJournal):
    """Remembers how many rows each call saved, and whether more were to come."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def save_rows(self, rows, *, more=False):
        self.calls.append((len(rows), more))
        super().save_rows(rows, more=more)


def submitted(journal, count):
    """A run of so many tasks, taken in one step."""
    engine = Engine()
    snapshots = Snapshots(engine, journal)
    tasks = tuple(AddTask(TaskSpec(TaskId(f"t{n}"), "work")) for n in range(count))
    now = Now(1000.0, 1.0)
    decision = engine.decide(e.Submit(RunId("r"), "k", "x", plan=EditBatch(0, tasks)), now=now)
    journal.append(now, decision.facts)
    snapshots.note(decision.facts)
    return engine, snapshots


async def test_rows_of_a_large_step_are_saved_so_many_at_a_time():
    async with CountingJournal() as journal:
        lost, _ = submitted(journal, 3000)
        while journal.calls[-1][1]:
            assert (await journal.recover()).rows == {}
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        recovered = await journal.recover()
    assert max(count for count, _ in journal.calls) <= 2 * ROWS_AT_ONCE
    assert len(journal.calls) > 2
    assert not recovered.entries
    found = Engine()
    recover(found, recovered)
    assert digest(found) == digest(lost)


async def test_a_snapshot_that_never_became_whole_changes_nothing_i11():
    async with CountingJournal() as journal:
        lost, snapshots = submitted(journal, 3000)
        await asyncio.sleep(0)
        snapshots.close()
        await asyncio.sleep(0)
        calls = len(journal.calls)
        await asyncio.sleep(0)
        assert len(journal.calls) == calls
    recovered = await journal.recover()
    assert recovered.rows == {}
    found = Engine()
    recover(found, recovered)
    assert digest(found) == digest(lost)


async def test_a_journal_that_fails_while_rows_are_saved_ends_the_saving():
    class Failing(CountingJournal):
        def save_rows(self, rows, *, more=False):
            if self.calls:
                self.calls.append("refused")
                raise JournalError("j.db", "the disk is full")
            super().save_rows(rows, more=more)

    async with Failing() as journal:
        submitted(journal, 3000)
        for _ in range(5):
            await asyncio.sleep(0)
    assert journal.calls[1:] == ["refused"]


async def test_a_forgotten_run_is_pruned_from_the_journal_also_after_a_crash():
    class Unpruned(MemoryJournal):
        def prune(self, run):
            pass

    journal = Unpruned()
    engine = Engine(tuning=Tuning(keep_runs=1))
    async with journal:
        snapshots = Snapshots(engine, journal)
        for name in ("a", "b"):
            for event in (e.Submit(RunId(name), name, "x"), e.CancelRun(RunId(name), "enough")):
                decision = engine.decide(event, now=Now(1.0, 1.0))
                journal.append(Now(1.0, 1.0), decision.facts)
                snapshots.note(decision.facts)
        snapshots.save()
        await asyncio.sleep(0)
        assert await journal.entries(run=RunId("a"))
        assert not engine.state.litter
    again = MemoryJournal(journal.store)
    async with again:
        recovered = await again.recover()
        found = Engine()
        recover(found, recovered)
        snapshots = Snapshots(found, again)
        snapshots.recovered(recovered)
        snapshots.save()
        await asyncio.sleep(0)
        assert list(found.state.runs) == ["b"]
        assert not await again.entries(run=RunId("a"))
        assert await again.entries(run=RunId("b"))


async def test_a_row_that_makes_no_sense_is_one_clear_error():
    broken = Recovered({("run", "r"): b"{}"}, (), None)
    with pytest.raises(RecoveryError, match="make no sense"):
        recover(Engine(), broken)


async def test_a_fact_of_a_run_that_is_not_there_is_one_clear_error():
    broken = Recovered({}, (Entry(1, 0.0, 0.0, RunPaused(RunId("nobody"))),), None)
    with pytest.raises(RecoveryError, match="make no sense"):
        recover(Engine(), broken)
