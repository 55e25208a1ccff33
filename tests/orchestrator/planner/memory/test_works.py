import pytest

from orchestrator.planner.memory.errors import LearningError
from orchestrator.planner.memory.sampling import sample
from orchestrator.planner.memory.works import SAMPLES, began, home
from tests.orchestrator.planner.memory.runs import finished, plan, task


def run(name, request, **args):
    return sample(finished(name, request, plan(task("a", args=args))))


def counting(name, on):
    return run(name, f"count errors on {on}", on=on)


def test_a_work_takes_runs_that_differ_by_what_they_say():
    assert began(counting("r1", "nas"), 1.0).takes(counting("r2", "pi"))


def test_a_work_takes_runs_of_like_requests_though_nobody_said_what_differs():
    assert began(run("r1", "count all errors", n=1), 1.0).takes(run("r2", "count errors", n=2))


@pytest.mark.parametrize(
    "other",
    [run("r2", "water the plants", on="roses"), run("r2", "count errors on pi", at="pi")],
)
def test_a_work_does_not_take_other_runs(other):
    assert not began(run("r1", "count errors", on=3), 1.0).takes(other)


def test_a_work_does_not_take_other_requests_for_the_same_skill():
    assert not began(run("r1", "count errors", n=1), 1.0).takes(run("r2", "mow the lawn", n=2))


def test_successes_and_failures_are_counted():
    work = began(counting("r1", "nas"), 1.0).succeeded(counting("r2", "pi"), 2.0)
    assert (work.successes, work.streak, work.failures, work.wall) == (2, 2, 0, 2.0)
    work = work.failed(3.0)
    assert (work.successes, work.streak, work.failures, work.wall) == (2, 0, 1, 3.0)
    work = work.succeeded(counting("r3", "lab"), 4.0)
    assert (work.successes, work.streak) == (3, 1)


def test_the_newest_runs_are_kept_and_of_equal_ones_one():
    work = began(counting("r0", "d0"), 0.0)
    for n in range(1, SAMPLES + 2):
        work = work.succeeded(counting(f"r{n}", f"d{n}"), float(n))
    assert [each.run for each in work.samples] == ["r2", "r3", "r4", "r5"]
    again = work.succeeded(counting("r9", "d4"), 9.0)
    assert [each.run for each in again.samples] == ["r2", "r3", "r5", "r9"]


def test_a_run_goes_home_to_the_most_recent_work_that_takes_it():
    old, new = began(counting("r1", "nas"), 1.0), began(counting("r2", "pi"), 2.0)
    assert home([old, new], counting("r3", "lab")) is new
    assert home([old, new], run("r3", "water the plants", n=[])) is None


def test_a_work_without_a_word_of_its_own_does_not_begin():
    with pytest.raises(LearningError, match="no word of"):
        began(run("r", "it is"), 1.0)
