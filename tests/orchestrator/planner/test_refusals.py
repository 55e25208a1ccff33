"""What no plan may say, whatever devices there are: told at every door."""

from dataclasses import replace

import pytest

from orchestrator.core.edits import AddDependency, AddTask, EditBatch, ReplaceTask
from orchestrator.core.errors import EditRefusedError
from orchestrator.core.model import Dependency, ForEach, Limits, On, Op, Predicate, TaskSpec
from orchestrator.handing_in import refuse_contradictions
from orchestrator.planner.checks import check
from protocol.types import TaskId

GOOD = TaskSpec(TaskId("a"), "s")
A, B = TaskId("a"), TaskId("b")
SENSELESS = [
    ({"id": TaskId(" ")}, "task ' ': write an id and a skill, not blanks"),
    ({"skill": ""}, "task 'a': write an id and a skill, not blanks"),
    ({"limits": Limits(attempts=0)}, "limits.attempts is 0: write a number greater than 0"),
    ({"limits": Limits(run_s=-1.5)}, "limits.run_s is -1.5: write a number greater than 0"),
    ({"limits": Limits(queue_s=float("nan"))}, "limits.queue_s is nan: write a number"),
    ({"limits": Limits(input_s=float("inf"))}, "limits.input_s is inf: write a number"),
    ({"estimate_s": -1.0}, "estimate_s is -1: write seconds, or leave it out"),
    ({"estimate_s": float("inf")}, "estimate_s is inf: write seconds, or leave it out"),
    ({"for_each": ForEach(min_success=-1)}, "for_each.min_success is -1: write a number of at"),
]


@pytest.mark.parametrize("edit", [AddTask, ReplaceTask])
@pytest.mark.parametrize(("change", "said"), SENSELESS)
def test_a_task_that_makes_no_sense_is_refused(edit, change, said):
    with pytest.raises(EditRefusedError) as caught:
        refuse_contradictions(EditBatch(0, (edit(replace(GOOD, **change)),)))
    assert said in str(caught.value)


@pytest.mark.parametrize(("change", "said"), SENSELESS)
def test_so_it_is_of_a_planner(change, said):
    found = check(EditBatch(0, (AddTask(replace(GOOD, **change)),)), ())
    assert any(said in reason.detail for reason in found)


@pytest.mark.parametrize(
    "edge",
    [
        Dependency(A, B, On.WHEN),
        Dependency(A, B, On.SUCCESS, Predicate((), Op.TRUTHY)),
    ],
)
def test_a_condition_is_given_exactly_where_it_is_announced(edge):
    with pytest.raises(EditRefusedError, match="exactly with on: when"):
        refuse_contradictions(EditBatch(0, (AddDependency(edge),)))


def test_what_makes_sense_is_let_pass():
    spec = replace(
        GOOD, limits=Limits(attempts=1), estimate_s=0.0, for_each=ForEach(min_success=0)
    )
    edge = Dependency(A, B, On.WHEN, Predicate((), Op.TRUTHY))
    refuse_contradictions(EditBatch(0, (AddTask(spec), AddDependency(edge))))
