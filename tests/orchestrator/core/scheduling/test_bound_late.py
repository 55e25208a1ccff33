"""What no plan can be made of, or none that is worth it, is bound late."""

import pytest

from orchestrator.core.model import Needs, RunLimits
from orchestrator.core.scheduling import one_plan, survey
from orchestrator.core.scheduling.policies import Policy
from protocol.types import ResourceNeed
from tests.support.one_plan import a_world, plan, timed
from tests.support.world import World, edge, task


def test_without_estimates_tasks_are_bound_late():
    world = a_world(1.0, 1.0)
    world.submit(task("a"), timed("b", 2.0))
    assert not plan(world).possible
    assert len(world.offers) == 2


def test_a_skill_that_was_learned_is_planned_without_estimates():
    world = a_world(1.0, 1.0)
    world.submit(*(task(f"t{n}") for n in range(8)), *(edge("t0", f"t{n}") for n in range(1, 8)))
    assert not plan(world).possible
    world.finish("t0", run_s=9.0)
    assert plan(world).possible
    assert plan(world).end == pytest.approx(36.0)
    world.settle()
    assert world.run().status == "succeeded"


@pytest.mark.parametrize(("times", "planned"), [(1.9, False), (2.1, True)])
def test_what_so_many_devices_do_in_no_time_is_not_planned(times, planned):
    world = a_world(1.0, 1.0)
    world.submit(task("a"), task("b"), edge("a", "b"))
    world.finish("a", run_s=one_plan.WORTH_PLANNING_S * times)
    assert plan(world).possible is planned
    assert world.where("b") == "d0"


def test_what_needs_something_warm_is_bound_late():
    world = World(policy=Policy.ONE_PLAN)
    world.device("d", capacity={"model": 1.0})
    world.submit(timed("a", 1.0, needs=Needs(resources=(ResourceNeed("model", "m", 1.0),))))
    assert not plan(world).possible
    assert world.where("a") == "d"


@pytest.mark.parametrize("bound", ["RUNS", "CELLS"])
def test_too_much_is_bound_late(monkeypatch, bound):
    monkeypatch.setattr(survey, bound, 0)
    world = a_world(1.0)
    world.submit(timed("a", 1.0))
    assert plan(world).basis is None
    assert world.where("a") == "d0"


def test_a_run_whose_tasks_no_device_takes_is_bound_late():
    world = World(policy=Policy.ONE_PLAN)
    world.device("d", "other")
    world.submit(timed("a", 1.0), limits=RunLimits(revisions=0))
    assert not plan(world).possible
    world.device("late")
    assert world.where("a") == "late"
