"""Who waits for memory is woken, and is not kept waiting for nothing."""

from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.edits import RemoveTask
from orchestrator.core.model import Limits, Needs
from protocol.types import DeviceId, Load, ResourceNeed, RunId, Succeeded, WarmResource
from tests.orchestrator.core.test_pins import chain, fleet, infer, shared
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
