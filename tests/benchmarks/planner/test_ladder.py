import pytest

from benchmarks.planner.ladder import above, parsed
from orchestrator.core.edits import AddDependency, AddTask, EditBatch
from orchestrator.core.model import Dependency, TaskSpec
from orchestrator.planner.scripted import written
from tests.benchmarks.planner.builders import row, run

PLAN = EditBatch(
    0,
    (
        AddTask(TaskSpec("a", "s", {"k": [1, {"x": 2.5}]}, estimate_s=2.0)),
        AddTask(TaskSpec("b", "s", {"k": {"$from": "a", "path": ["x"]}})),
        AddDependency(Dependency("a", "b")),
    ),
)


def test_an_answer_is_read_as_it_was_written():
    assert parsed(written(PLAN)) == (PLAN, ())


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("I would say: ", "json"),
        (written(PLAN)[:-5], "json"),
        ('{"edits": []}', "schema"),
        ('{"edits": [{"add_task": {"id": "a"}}]}', "schema"),
    ],
)
def test_what_is_no_plan_says_why(text, rule):
    batch, [reason] = parsed(text)
    assert batch is None
    assert (reason.rule, reason.task) == (rule, None)


def test_all_that_a_task_waited_for_is_named_once_the_nearest_first():
    rows = (
        row("z"),
        row("a", waits=["z"]),
        row("b", waits=["a"]),
        row("c", waits=["a", "b"]),
        row("d", waits=["b", "c"]),
        row("e"),
    )
    assert above(run(*rows), "d") == ["b", "c", "a", "z"]
    assert above(run(*rows), "z") == []
