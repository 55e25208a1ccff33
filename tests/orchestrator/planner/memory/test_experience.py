from orchestrator.core import facts as f
from orchestrator.core.edits import AddTask, ReplaceTask, SetArgs
from orchestrator.planner.memory.experience import Try, remedies, tries
from protocol.types import FailureKind
from tests.orchestrator.planner.memory.runs import task


def added(*tasks, edit=AddTask):
    return f.EditAccepted("r", 1, "", tuple(map(edit, tasks)))


def placed(name, attempt, device="nas"):
    return f.TaskPlaced("r", name, attempt, 1, device, 1, "pure", 1.0, 0.0, 1.0)


def failed(name, attempt, kind="timeout", detail="late"):
    return f.AttemptFailed("r", name, attempt, kind, detail)


def succeeded(name, attempt):
    return f.AttemptSucceeded("r", name, attempt, None, 1.0)


def test_a_try_says_which_skill_did_what_on_which_device():
    story = [
        added(task("a"), task("b", "write")),
        placed("a", "1"),
        failed("a", "1"),
        placed("b", "2", "pi"),
        succeeded("b", "2"),
        placed("a", "3", "pi"),
        succeeded("a", "3"),
    ]
    assert tries(story) == (
        Try("a", "look", "nas", "timeout", "late"),
        Try("b", "write", "pi"),
        Try("a", "look", "pi"),
    )


def test_children_and_replaced_tasks_have_the_skill_that_they_had_then():
    story = [
        added(task("a")),
        f.TaskExpanded("r", "a", (task("a[x]", "child"),), ("x",)),
        placed("a[x]", "1"),
        failed("a[x]", "1"),
        f.EditAccepted("r", 2, "", (SetArgs("a", {}), ReplaceTask(task("a", "other")))),
        placed("a", "2"),
        succeeded("a", "2"),
    ]
    assert [each.skill for each in tries(story)] == ["child", "other"]


def test_a_try_had_the_arguments_that_its_task_had_then():
    story = [
        added(task("a", args={"n": 1})),
        placed("a", "1"),
        failed("a", "1"),
        f.EditAccepted("r", 2, "", (SetArgs("a", {"n": 2}), SetArgs("unknown", {}))),
        placed("a", "2"),
        succeeded("a", "2"),
    ]
    found = tries(story)
    assert [each.args for each in found] == [{"n": 1}, {"n": 2}]
    assert [words for _, words in remedies(found, succeeded=True)] == ["another n there worked"]


def test_what_was_refused_cancelled_or_never_ended_says_nothing():
    story = [
        added(task("a")),
        placed("a", "1"),
        f.AttemptRejected("r", "a", "1", "busy"),
        placed("a", "2"),
        f.AttemptCancelled("r", "a", "2", ""),
        placed("a", "3"),
        placed("unknown", "4"),
        succeeded("unknown", "4"),
    ]
    assert tries(story) == ()


def test_a_lost_attempt_failed_and_a_lapsed_one_unless_it_reports_after_all():
    story = [added(task("a")), *(placed("a", n) for n in "1234")]
    story += [
        f.AttemptLost("r", "a", "1", "gone"),
        f.AttemptLapsed("r", "a", "2", "silent"),
        f.AttemptLapsed("r", "a", "3", "silent"),
        f.AttemptUnknown("r", "a", "4", "who knows"),
        succeeded("a", "3"),
    ]
    kinds = [each.failure for each in tries(story)]
    assert kinds == ["device_lost", "lease_lost", None, "lease_lost"]


LATE = Try("a", "look", "nas", FailureKind.TIMEOUT, "late")


def remedy(*then, succeeded=False):
    return [words for _, words in remedies([LATE, *then], succeeded=succeeded)]


def test_what_then_worked_is_told():
    assert remedy(Try("a", "look", "nas")) == ["trying again there worked"]
    assert remedy(Try("a", "look", "pi")) == ["trying again on pi worked"]
    assert remedy(Try("a", "peek", "pi")) == ["peek on pi worked"]
    assert remedy(Try("b", "look", "pi"), succeeded=True) == ["doing without it worked"]


def test_what_did_not_work_is_told_too():
    assert remedy() == [""]
    assert remedy(LATE) == ["", ""]


def test_successes_need_no_remedy():
    assert list(remedies([Try("a", "look", "nas")], succeeded=True)) == []
