"""Large plans in parts, and runs that await the rest of theirs."""

import pytest

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.decisions.runs import rest_of
from orchestrator.core.edits import AddDependency, AddTask, CancelTask, EditBatch
from orchestrator.core.errors import EditRefusedError
from orchestrator.core.model import DEFAULT_RUN_LIMITS, RunLimits
from orchestrator.core.parts import PART_EDITS, PARTS, parts
from orchestrator.core.state import Run
from protocol.types import Cancelled, TaskId
from tests.support.world import RUN, World, edge, plan, task

MANY = PART_EDITS + 1


def unborn() -> Run:
    submitted = f.RunSubmitted(RUN, "", "", "", 0, DEFAULT_RUN_LIMITS, None, 0, 0.0, 0.0)
    return Run(submitted, 0)


def ids(batch: EditBatch) -> list[str]:
    return [each.task.id for each in batch.edits if isinstance(each, AddTask)]


# Splitting


def test_a_small_plan_is_one_part():
    batch = plan(*(task(f"t{n}") for n in range(PART_EDITS)))
    assert parts(unborn(), batch) == (batch,)


def test_every_task_comes_after_what_it_waits_for_and_nothing_is_left_out():
    count = 3 * PART_EDITS
    tasks = [task(f"t{n}") for n in range(count)]
    edges = [edge(f"t{n + 1}", f"t{n}") for n in range(count - 1)]  # the last one goes first
    batch = plan(*tasks, *edges)
    found = parts(unborn(), batch)
    assert [part.base_revision for part in found] == list(range(len(found)))
    assert all(len(part.edits) <= PART_EDITS + 2 for part in found)
    there: set[TaskId] = set()
    for part in found:
        there |= set(ids(part))
        for each in part.edits:
            if isinstance(each, AddDependency):
                assert {each.dependency.predecessor, each.dependency.successor} <= there
    everything = [each for part in found for each in part.edits]
    assert sorted(map(str, everything)) == sorted(map(str, batch.edits))


def test_a_reference_in_arguments_counts_as_a_dependency():
    first = task("first", args={"x": {"$from": "last"}})
    batch = plan(first, *(task(f"t{n}") for n in range(MANY)), task("last"))
    assert ids(parts(unborn(), batch)[-1])[-1] == "first"


def test_a_task_waits_for_the_last_of_its_predecessors():
    tasks = [task(name) for name in ("join", "slow", "quick", "first")]
    edges = [edge("slow", "join"), edge("quick", "join"), edge("first", "slow")]
    batch = plan(*tasks, *edges, *(task(f"t{n}") for n in range(PART_EDITS)))
    assert ids(parts(unborn(), batch)[-1])[-2:] == ["slow", "join"]


def test_a_deep_plan_has_never_more_than_so_many_parts():
    tasks = [task(f"t{n}") for n in range(PART_EDITS * PARTS)]
    row = [edge(f"t{n}", f"t{n + 1}") for n in range(PARTS)]
    assert len(parts(unborn(), plan(*tasks, *row))) == PARTS
    assert len(parts(unborn(), plan(*tasks, *row[1:]))) == PARTS + 1


def test_a_plan_is_refused_whole_for_a_flaw_in_its_last_part():
    batch = plan(*(task(f"t{n}") for n in range(MANY)), edge("nobody", "t0"))
    with pytest.raises(EditRefusedError, match="nobody"):
        parts(unborn(), batch)


def test_a_plan_that_does_more_than_add_is_one_part():
    run = unborn()
    world = World()
    world.submit(task("there"))
    run = world.run()
    batch = plan(*(task(f"t{n}") for n in range(MANY)), CancelTask(TaskId("there")))
    assert parts(run, batch) == (batch,)


# Awaiting the rest


def first_part(world: World, **rest) -> None:
    world.tell(e.Submit(RUN, "key", "do", plan=plan(task("a")), more=True, **rest))


def next_part(world: World, *pieces, more: bool = False, base: int = 1):
    batch = plan(*pieces, base=base)
    return world.tell(e.PlanProposed(RUN, rest_of(RUN), batch, more=more))


def test_a_run_does_not_end_before_the_rest_of_its_plan_is_there():
    world = World()
    world.device("d")
    first_part(world)
    world.do("a")
    assert world.run().ended_at is None
    next_part(world, task("b"), edge("a", "b"), more=True)
    world.do("b")
    assert world.run().ended_at is None
    next_part(world, task("c"), base=2)
    world.do("c")
    assert world.run().status == "succeeded"
    assert [fact.by for fact in world.happened(f.EditAccepted)] == ["submitter"] * 3


def test_a_run_whose_last_part_brings_nothing_to_wait_for_ends_with_it():
    world = World()
    world.device("d")
    first_part(world)
    next_part(world, task("b"))
    world.do("a", "b")
    assert world.run().status == "succeeded"


def test_a_run_fails_if_the_rest_of_its_plan_does_not_come_in_time_i10():
    world = World()
    world.device("d")
    first_part(world, limits=RunLimits(plan_s=30.0))
    world.do("a")
    world.wait(31.0)
    assert world.run().status == "failed"
    assert "the rest of its plan did not come" in world.run().reason


def test_a_part_that_is_refused_fails_the_run_with_the_reason():
    world = World()
    world.device("d")
    first_part(world)
    next_part(world, task("b"), edge("nobody", "b"))
    assert world.run().cancelling is not None
    world.end(world.offer("a").attempt, outcome=Cancelled())
    assert world.run().status == "failed"
    assert "nobody" in world.run().reason


def test_a_run_that_is_cancelled_meanwhile_stays_so():
    world = World()
    world.device("d", slots=1)
    first_part(world, limits=RunLimits(plan_s=1.0))
    world.tell(e.CancelRun(RUN, "enough"))
    world.wait(1.5)
    world.end(world.offer("a").attempt, outcome=Cancelled())
    assert (world.run().status, world.run().reason) == ("cancelled", "enough")


def test_a_restart_goes_on_awaiting_and_asks_no_planner():
    world = World()
    world.device("d")
    first_part(world)
    world.restart(rows=True)
    assert not world.ordered(c.AskPlanner)
    next_part(world, task("b"))
    world.beat("d")
    world.do("a", "b")
    assert world.run().status == "succeeded"
