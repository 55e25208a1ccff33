import pytest

from benchmarks.planner.mending import mend
from orchestrator.core.edits import (
    AddDependency,
    AddTask,
    CancelTask,
    EditBatch,
    RemoveDependency,
    RemoveTask,
    ReplaceTask,
)
from orchestrator.core.lifecycle import TaskState
from orchestrator.core.model import Dependency, TaskSpec
from tests.benchmarks.planner.builders import row, run

DONE, FAILING, WAITING = TaskState.SUCCEEDED, TaskState.RECOVERING, TaskState.WAITING


def spec(name, **args):
    return TaskSpec(name, "s", args)


def plan(*specs, after=()):
    return EditBatch(0, (*map(AddTask, specs), *(AddDependency(Dependency(*e)) for e in after)))


def of(name):
    return {"$from": name}


def mended(rows, failed, *specs, after=()):
    batch = mend(run(*rows), failed, plan(*specs, after=after))
    assert batch.base_revision == 3
    return batch.edits


def chain(last=WAITING, **args):
    return (
        row("a", 1, state=DONE, k=1),
        row("b", state=FAILING, waits=["a"], x=of("a"), **args),
        row("c", state=last, waits=["b"], x=of("b")),
    )


def test_the_same_plan_again_is_no_edit():
    specs = spec("a", k=1), spec("b", x=of("a")), spec("c", x=of("b"))
    assert mended(chain(), "b", *specs) == ()


def test_what_failed_is_replaced_and_what_is_alike_is_kept():
    new = spec("b", x=of("a"), y=2)
    assert mended(chain(), "b", spec("a", k=1), new, spec("c", x=of("b"))) == (ReplaceTask(new),)


def test_what_is_done_and_was_wrong_is_done_again_and_read_instead():
    edits = mended(chain(), "b", spec("a", k=2), spec("b", x=of("a")), spec("c", x=of("b")))
    assert edits == (
        AddTask(spec("a~2", k=2)),
        ReplaceTask(spec("b", x=of("a~2"))),
        RemoveDependency("a", "b"),
    )


def test_a_version_is_followed_by_the_next():
    rows = (
        row("a", state=DONE, k=1),
        row("a~2", state=DONE, k=2),
        row("b", state=FAILING, waits=["a~2"], x=[{"deep": of("a~2")}]),
    )
    edits = mended(rows, "b", spec("a", k=3), spec("b", x=[{"deep": of("a")}]))
    assert edits == (
        AddTask(spec("a~3", k=3)),
        ReplaceTask(spec("b", x=[{"deep": of("a~3")}])),
        RemoveDependency("a~2", "b"),
    )


def test_what_was_given_up_comes_again_under_a_new_name():
    rows = (row("a", state=TaskState.FAILED, k=1), row("b", state=FAILING))
    edits = mended(rows, "b", spec("a", k=1), spec("b"))
    assert edits == (AddTask(spec("a~2", k=1)), ReplaceTask(spec("b")))


def test_what_is_not_wanted_is_removed_or_if_it_runs_cancelled():
    rows = (
        row("b", state=FAILING),
        row("waits", state=WAITING),
        row("runs", state=TaskState.ACTIVE),
        row("done", state=DONE),
    )
    edits = mended(rows, "b", spec("b", k=1))
    assert edits == (ReplaceTask(spec("b", k=1)), RemoveTask("waits"), CancelTask("runs"))


def test_what_runs_and_must_be_otherwise_is_cancelled_and_made_anew():
    rows = (row("a", state=TaskState.ACTIVE, k=1), row("b", state=FAILING))
    edits = mended(rows, "b", spec("a", k=2), spec("b"))
    assert edits == (AddTask(spec("a~2", k=2)), ReplaceTask(spec("b")), CancelTask("a"))


@pytest.mark.parametrize(
    ("before", "after", "edges"),
    [
        ([], [("a", "b")], [AddDependency(Dependency("a", "b"))]),
        (["a"], [], [RemoveDependency("a", "b")]),
        (["a"], [("a", "b")], []),
    ],
)
def test_stated_dependencies_become_as_the_plan_says(before, after, edges):
    rows = (row("a", state=DONE), row("b", state=FAILING, waits=before))
    edits = mended(rows, "b", spec("a"), spec("b", k=1), after=after)
    assert edits == (ReplaceTask(spec("b", k=1)), *edges)


def test_a_dependency_alone_makes_a_new_version_of_what_is_done():
    rows = (row("a", state=DONE), row("r", state=DONE), row("b", state=FAILING))
    edits = mended(rows, "b", spec("a"), spec("r"), spec("b"), after=[("a", "r")])
    assert AddTask(spec("r~2")) in edits
    assert AddDependency(Dependency("a", "r~2")) in edits


def test_what_the_new_plan_has_more_is_added_with_what_it_waits_for():
    rows = (row("a", state=DONE), row("b", state=FAILING))
    edits = mended(rows, "b", spec("a"), spec("b"), spec("n"), after=[("a", "n")])
    added = (AddTask(spec("n")), AddDependency(Dependency("a", "n")))
    assert sorted(map(repr, edits)) == sorted(map(repr, (*added, ReplaceTask(spec("b")))))
