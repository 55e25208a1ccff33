from collections import Counter

import pytest

from benchmarks.overhead.plans import SHAPES, WIDTH, plan
from orchestrator import AddDependency, AddTask


def edges(shape, tasks):
    return [
        (edit.dependency.predecessor, edit.dependency.successor)
        for edit in plan(shape, tasks).edits
        if isinstance(edit, AddDependency)
    ]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_plan_has_as_many_tasks_as_asked_for(shape):
    assert sum(isinstance(edit, AddTask) for edit in plan(shape, 300).edits) == 300


def test_a_chain_links_each_task_to_the_one_before():
    assert edges("chain", 3) == [("t0", "t1"), ("t1", "t2")]


def test_a_layer_has_two_parents_each_from_the_layer_above():
    parents = Counter(successor for _, successor in edges("layered", 2 * WIDTH))

    assert set(parents.values()) == {2}
    assert len(parents) == WIDTH
    assert (f"t{WIDTH - 1}", f"t{2 * WIDTH - 1}") in edges("layered", 2 * WIDTH)
