import random

import pytest

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core.edits import AddDependency, AddTask, EditBatch, RemoveTask
from orchestrator.core.engine import Engine
from orchestrator.core.facts import RunPaused
from orchestrator.core.model import Dependency, ForEach, Now, On, TaskSpec
from orchestrator.core.rows import every, freeze
from orchestrator.journal import Entry, MemoryJournal, Recovered
from orchestrator.snapshots import RecoveryError, Snapshots, recover
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

    def take(event):
        nonlocal at
        at += chance.random()
        now = Now(1000.0 + at, at)
        decision = engine.decide(event, now=now)
        journal.append(now, decision.facts)
        snapshots.note(decision.facts)
        offers.extend(order for order in decision.commands if isinstance(order, c.Offer))

    take(e.Start(None, None))
    for name in ("a", "b", "c"):
        skill = SkillInfo("work", effect=Effect.PURE)
        take(e.Announced(DeviceCard(DeviceId(name), skills=(skill,), slots=2), online=True))
        take(e.Beat(DeviceId(name), Incarnation(name), Load(), (), connected=True))
    take(e.Submit(RunId("r"), "k", "x", plan=plan(), seed=seed))
    take(e.EditRequested(RunId("r"), "me", EditBatch(1, (RemoveTask(TaskId("gone")),))))
    while offers and chance.random() < 0.97:
        offer = offers.pop(chance.randrange(len(offers)))
        take(e.AttemptReported(offer.device, offer.attempt, started=True))
        bad = Failed(FailureKind.TRANSIENT, "bad luck")
        outcome = bad if chance.random() < 0.2 else Succeeded({"n": 1})
        take(e.AttemptFinished(offer.device, offer.attempt, outcome, 0.5))
        if chance.random() < 0.1:
            take(e.TimePassed())
    return engine


@pytest.mark.parametrize("seed", range(12))
async def test_rows_and_the_entries_after_them_give_the_state_that_was_lost_i11(seed, monkeypatch):
    monkeypatch.setattr("orchestrator.snapshots.ROWS_AT_ONCE", 25)
    async with MemoryJournal() as journal:
        lost = await scenario(seed, journal, lambda engine: Snapshots(engine, journal))
        recovered = await journal.recover()
    assert recovered.rows
    assert not recovered.entries or recovered.entries[0].seq > 1
    found = Engine()
    recover(found, recovered)
    assert digest(found) == digest(lost)
    found.check()


async def test_a_row_that_makes_no_sense_is_one_clear_error():
    broken = Recovered({("run", "r"): b"{}"}, (), None)
    with pytest.raises(RecoveryError, match="make no sense"):
        recover(Engine(), broken)


async def test_a_fact_of_a_run_that_is_not_there_is_one_clear_error():
    broken = Recovered({}, (Entry(1, 0.0, 0.0, RunPaused(RunId("nobody"))),), None)
    with pytest.raises(RecoveryError, match="make no sense"):
        recover(Engine(), broken)
