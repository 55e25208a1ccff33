"""Who waits for memory is woken, and is not kept waiting for nothing."""

import pytest

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.edits import RemoveTask
from orchestrator.core.model import Limits, Needs
from orchestrator.core.retention.warm_set import PinState
from protocol.types import (
    DeviceId,
    Load,
    PinScope,
    ResourceNeed,
    RunId,
    Succeeded,
    WarmResource,
)
from tests.support.pins import MODEL, chain, fleet, infer, shared, where
from tests.support.world import RUN, World, edge, task

LATE = RunId("late")


def busy(world):
    """Something long runs elsewhere."""
    world.submit(task("busy", "search", limits=Limits(run_s=1e6)), run=RunId("busy"))
    world.start("busy")


def test_who_waits_for_memory_is_woken_when_the_last_use_is_edited_away():
    world = fleet()
    world.submit(
        shared("t0"), task("tool", "search"), shared("t1"), edge("t0", "tool"), edge("tool", "t1")
    )
    world.do("t0")
    world.submit(infer("x", "o"), run=LATE)
    assert world.state("x", LATE) == "ready"
    world.edit(RemoveTask("t1"))
    assert world.state("x", LATE) == "active"


def test_what_a_task_with_other_labels_needs_is_not_queued_for_here():
    world = fleet()
    world.device("gpu2", "infer", slots=1, capacity={"kv": 1.0}, labels={"big": "1"})
    world.submit(shared("a", device=DeviceId("gpu")))
    world.do("a")
    world.submit(infer("long", "l", labels={"big": "1"}), run=RunId("l"))
    world.submit(shared("b", labels={"big": "1"}), run=RunId("b"))
    world.submit(infer("x", "o"), run=LATE)
    assert world.state("x", LATE) == "active"


def test_a_paused_run_keeps_no_memory_from_others():
    world = fleet()
    world.submit(*chain(2))
    world.do("t0")
    world.tell(e.PauseRun(RUN))
    busy(world)
    world.do("tool1")
    world.submit(infer("x", "o"), run=LATE)
    world.wait(10.0)
    assert world.state("x", LATE) == "active"


def two(name, a, b):
    return task(
        name,
        "infer",
        needs=Needs(resources=(ResourceNeed("kv", a, 1.0), ResourceNeed("kv", b, 1.0))),
    )


def hold_and_wait(world):
    for run in map(RunId, ("r1", "r2")):
        world.submit(
            infer("t0", "a"),
            task("tool", "search"),
            two("t1", "a", "b"),
            edge("t0", "tool"),
            edge("tool", "t1"),
            run=run,
        )
    for name in ("t0", "tool"):
        for offer in [o for o in world.offers.values() if o.task == name]:
            world.end(offer.attempt, Succeeded(None))


def test_two_who_hold_what_the_other_waits_for_go_on_though_others_work():
    world = fleet(capacity=2.0)
    busy(world)
    hold_and_wait(world)
    world.wait(5.0)
    assert world.state("t1", RunId("r1")) == "active"


@pytest.mark.timeout(60)
@pytest.mark.parametrize("slots", [2, 4])
def test_a_cold_task_is_not_overtaken_for_ever_by_later_ones_that_find_their_model_warm(slots):
    world = fleet(slots=slots)
    world.submit(*(shared(f"f{n}") for n in range(8)), run=RunId("first"))
    world.submit(infer("x", "o"), run=LATE)
    world.submit(*(shared(f"w{n}") for n in range(400)), run=RunId("stream"))
    done = 0
    while world.state("x", LATE) == "ready" and done < 300:
        attempt = next(iter(world.engine.state.attempts))
        world.end(attempt, Succeeded(None))
        world.wait(2.0)
        done += 1
    assert 60.0 <= world.at < 80.0
    world.do("x")
    assert world.engine.state.attempts  # and the others go on


def test_what_is_protected_for_a_use_to_come_stays_so_however_long_others_wait():
    world = fleet()
    world.submit(*chain(2))
    world.pools.load_s = 1000.0
    world.do("t0")
    world.start("tool1")
    world.submit(infer("x", "o"), run=LATE)
    world.wait(300.0)
    assert world.state("x", LATE) == "ready"


def test_who_waits_no_more_is_passed_over_and_the_others_come_in_turn():
    world = fleet(slots=4)
    world.submit(*chain(2))
    world.do("t0")
    runs = [RunId(f"late{n}") for n in range(4)]
    for run in runs:
        world.submit(infer("x", f"o{run}"), run=run)
    world.submit(task("other", "infer"), run=RunId("no memory"))
    world.tell(e.CancelRun(runs[0], "not any more"))
    world.do("tool1", "t1")
    for run in runs[1:]:
        assert world.state("x", run) == "active"
        offer = world.ordered(c.Offer, run=run)[-1]
        world.end(offer.attempt, Succeeded(None))


def test_sessions_of_others_runs_cost_no_fact_a_heartbeat():
    world = fleet()
    said = (WarmResource("kv", "x", 1.0, RunId("unknown")),)
    before = len(world.happened(f.ResourceReleased))
    for _ in range(3):
        world.tell(
            e.Beat(DeviceId("gpu"), world.alive["gpu"], Load(warm=said), (), connected=False)
        )
    assert len(world.happened(f.ResourceReleased)) == before


def test_i11_time_counts_anew_for_a_resumed_run_after_a_restart():
    world = World()
    world.device("d", slots=1)
    world.submit(task("busy", limits=Limits(run_s=1e6)), run=RunId("busy"))
    world.start("busy")
    world.submit(task("t", limits=Limits(queue_s=100.0)))
    world.tell(e.PauseRun(RUN))
    world.wait(250.0)
    world.tell(e.ResumeRun(RUN))
    world.restart(rows=True)
    world.hello("d")
    world.wait(5.0)
    assert world.state("t") == "ready"


def test_what_many_kinds_of_tasks_need_stays_known_when_the_older_kinds_are_forgotten():
    world = fleet(slots=9, capacity=99.0)
    model = ResourceNeed("kv", "model", 1.0, PinScope.SHARED)
    for n in range(80):
        needs = Needs(resources=(model, ResourceNeed("kv", f"s{n}", 1.0)))
        world.submit(task("x", "infer", needs=needs), run=RunId(f"r{n}"))
        world.end(world.ordered(c.Offer, run=RunId(f"r{n}"))[-1].attempt, Succeeded(None))
    assert where(world, MODEL) is PinState.EVICTABLE
    assert [name for _, name in world.pools.loads].count(MODEL) == 1
