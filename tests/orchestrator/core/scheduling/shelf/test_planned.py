"""What `heft`, `peft` and `cpop` share: a plan that is made once, and followed."""

import pytest

from orchestrator.core import events as e
from orchestrator.core.model import Needs
from orchestrator.core.scheduling import survey
from orchestrator.core.scheduling.policies import Policy
from protocol.types import DeviceId, Failed, FailureKind, ResourceNeed, RunId
from tests.orchestrator.core.scheduling.shelf.driving import fleet, play, world_of
from tests.support.world import RUN, edge, task

STATIC = (Policy.HEFT, Policy.PEFT, Policy.CPOP)


def timed(name, estimate_s, **rest):
    return task(name, estimate_s=estimate_s, **rest)


def plan(world):
    return world.engine.state.board.plan


def meant(world):
    return {name: device for (_, name), device in plan(world).intended.items()}


@pytest.mark.parametrize("policy", STATIC)
def test_the_plan_is_followed_whatever_takes_longer(policy):
    """The first task of d0 takes thrice as long; what d0 was to do is still its own."""
    world = world_of(policy, *fleet(2))
    world.submit(*(timed(f"t{n}", 4.0) for n in range(8)))
    planned_for = {**meant(world), **{o.task: o.device for o in world.offers.values()}}
    late = next(o.task for o in world.offers.values() if o.device == "d0")
    spans = play(world, took={late: 12.0})
    assert {span.task: span.device for span in spans} == planned_for
    assert set(planned_for.values()) == {"d0", "d1"}


@pytest.mark.parametrize("policy", STATIC)
def test_a_change_of_the_graph_or_the_fleet_makes_another_plan(policy):
    world = world_of(policy, *fleet(1))
    world.submit(*(timed(f"t{n}", 5.0) for n in range(6)))
    assert set(meant(world).values()) == {"d0"}
    world.device("d1")
    assert set(meant(world).values()) == {"d0", "d1"}
    world.edit(timed("new", 5.0))
    assert "new" in meant(world)
    world.tell(e.Unregistered(DeviceId("d0")))
    assert set(meant(world).values()) == {"d1"}
    world.settle()
    assert world.run().status == "succeeded"


def test_what_fails_somewhere_is_planned_for_another_device():
    world = world_of(Policy.HEFT, ("fast", {"speed": 2.0}), ("slow", {}))
    world.submit(timed("a", 4.0), timed("b", 30.0))
    world.start("b")
    device = world.where("a")
    world.finish("a", Failed(FailureKind.BAD_OUTPUT, "wrong"))
    world.wait(5.0)
    world.finish("b")
    assert world.where("a") != device


def test_what_is_skipped_holds_up_nobody():
    world = world_of(Policy.HEFT, *fleet(1))
    world.submit(timed("a", 9.0), timed("b", 9.0), timed("c", 1.0), edge("a", "b"))
    world.finish("a", Failed(FailureKind.BAD_INPUT, "no"))
    assert world.state("b") == "skipped"
    assert world.where("c") == "d0"


def test_a_device_waits_for_its_next_task_and_for_no_longer_than_the_plan_lasts():
    """b waits for a on the other device; a takes for ever, and c is behind b on its own."""
    world = world_of(Policy.HEFT, *fleet(2))
    on = {name: Needs(device=DeviceId(name)) for name in ("d0", "d1")}
    world.submit(
        *(timed("a", 4.0, needs=on["d0"]), timed("b", 9.0, needs=on["d1"])),
        *(timed("c", 5.0, needs=on["d1"]), edge("a", "b")),  # 4 s before b are not enough
    )
    world.start("a")
    world.wait(34.0)
    assert world.state("c") == "ready"
    world.wait(4.0)  # 4 + 9 + 5 is 18
    assert world.where("c") == "d1"


@pytest.mark.parametrize("bound", ["RUNS", "CELLS"])
def test_too_much_is_bound_late(monkeypatch, bound):
    monkeypatch.setattr(survey, bound, 0)
    world = world_of(Policy.HEFT, *fleet(1))
    world.submit(timed("a", 1.0))
    assert plan(world).basis is None
    assert world.where("a") == "d0"


@pytest.mark.parametrize(
    "rest", [{}, {"estimate_s": 1.0, "needs": Needs(resources=(ResourceNeed("m", "m", 1.0),))}]
)
def test_what_is_not_declared_or_needs_something_warm_is_bound_late(rest):
    world = world_of(Policy.HEFT, *fleet(1, capacity={"m": 1.0}))
    world.submit(task("a", **rest))
    assert not plan(world).possible
    assert world.where("a") == "d0"


def test_what_no_device_can_do_is_not_planned():
    world = world_of(Policy.HEFT, *fleet(1))
    world.submit(timed("a", 1.0, needs=Needs(labels={"zone": "moon"})))
    assert not plan(world).possible


def test_nobody_overtakes_an_earlier_run():
    world = world_of(Policy.HEFT, *fleet(1))
    world.submit(timed("a", 9.0), timed("b", 1.0), run=RunId("first"))
    world.submit(timed("c", 30.0), run=RunId("second"))
    assert [span.task for span in play(world)] == ["a", "b", "c"]


def test_a_paused_run_is_not_planned():
    world = world_of(Policy.HEFT, *fleet(1))
    world.submit(timed("a", 1.0), timed("b", 1.0))
    world.tell(e.PauseRun(RUN))
    world.finish("a")
    assert meant(world) == {}
