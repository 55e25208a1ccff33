from benchmarks.simulation.coverage import Coverage, rows, share
from benchmarks.simulation.kinds import Kind
from orchestrator.core import facts as f
from orchestrator.core.edits import SetArgs
from orchestrator.core.lifecycle import ATTEMPT, TASK
from protocol.types import AttemptId, DeviceId, Effect, RunId, TaskId

RUN, NAME = RunId("r"), TaskId("t")


def test_transitions_are_noted_with_the_faults_of_the_moment():
    coverage = Coverage()
    a = AttemptId("a")
    coverage.follow(f.TasksReady(RUN, (NAME,), 0.0), [Kind.DROP])
    coverage.follow(
        f.TaskPlaced(RUN, NAME, a, 1, DeviceId("d"), 1, Effect.PURE, 1.0, 0.0, 1.0), []
    )
    coverage.follow(f.AttemptSucceeded(RUN, NAME, a, None, None), [Kind.CUT, Kind.RIVAL])

    assert dict(coverage.pairs) == {
        ("task", "waiting", "ready", Kind.DROP): 1,
        ("task", "active", "succeed", Kind.CUT): 1,
        ("task", "active", "succeed", Kind.RIVAL): 1,
        ("attempt", "offered", "succeed", Kind.CUT): 1,
        ("attempt", "offered", "succeed", Kind.RIVAL): 1,
    }


def test_edit_of_a_ready_task_is_a_reset():
    coverage = Coverage()
    coverage.follow(f.TasksReady(RUN, (NAME,), 0.0), [])
    coverage.follow(f.EditAccepted(RUN, 2, "me", (SetArgs(NAME, {}),)), [Kind.DROP])
    assert coverage.pairs["task", "ready", "reset", Kind.DROP] == 1


def test_share_is_of_all_rows_of_both_tables_under_every_kind():
    every = {(*row, kind): 1 for row in rows() for kind in Kind}
    count = sum(map(len, TASK.values())) + sum(map(len, ATTEMPT.values()))

    assert share(every) == 1.0
    assert share({}) == 0.0
    assert count - 12 <= len(rows()) <= count
