import pytest

from orchestrator.core.model import Needs, On, Op, Predicate
from orchestrator.core.snapshot import RunSnapshot
from orchestrator.planner.memory.errors import LearningError
from orchestrator.planner.memory.sampling import LONGEST_REQUEST, MOST_TASKS, sample
from protocol.types import Effect, ResourceNeed
from tests.orchestrator.planner.memory.runs import finished, plan, same, task


def learned(*tasks, request="do it", edges=()):
    return sample(finished("r", request, plan(*tasks, edges=edges)))


def test_a_sample_says_the_plan_of_its_run():
    tasks = (
        task("a", args={"text": "${x} $", "deep": [{"b": None, "c": 1.5}]}, title="Look at ${b}"),
        task(
            "b",
            "write",
            args={"from": {"$from": "a", "path": ["rows", 0, "x"]}},
            needs=Needs(labels={"role": "a"}, resources=(ResourceNeed("model", "m", 0.5),)),
            effect=Effect.ONCE,
        ),
        task("c", expect=Predicate(("n",), Op.LT, 10)),
        task("d"),
    )
    when = Predicate(("n", 0), Op.EXISTS)
    edges = [("a", "c", On.WHEN, when), ("c", "d", On.FAILURE), ("a", "d")]
    batch = plan(*tasks, edges=edges)
    assert same(sample(finished("r", "do it", batch)).playbook().plan({})) == same(batch)


def test_the_request_is_as_playbooks_read_it():
    assert learned(task("a"), request="  Do  it, now! ").request == "Do it, now"


def test_ids_that_playbooks_do_not_take_are_changed_with_their_references():
    first, second, third = learned(
        task("1. read"), task("item"), task("x", args={"t": {"$from": "1. read"}})
    ).tasks
    assert first["id"] == "task-1-read"
    assert second["id"] == "task-item"
    assert third["args"] == {"t": "${task-1-read}"}


def test_ids_stay_different():
    ids = [each["id"] for each in learned(task("a b"), task("a.b"), task("task-a-b")).tasks]
    assert len({*ids}) == 3
    assert ids[2] == "task-a-b"


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ([task("a", "a skill")], "a playbook cannot say this plan"),
        ([task("a"), task("b", args={"x": {"$from": "a", "path": ["a.b"]}})], "cannot say the pa"),
        ([task("a"), task("b", args={"x": {"$from": "a", "path": ["7"]}})], "cannot say the path"),
        ([task(f"a{n}") for n in range(MOST_TASKS + 1)], "too large"),
        ([], "no request or no plan"),
    ],
)
def test_what_a_playbook_cannot_say_is_refused(tasks, message):
    with pytest.raises(LearningError, match=message):
        learned(*tasks)


def test_a_request_that_is_too_long_is_refused():
    with pytest.raises(LearningError, match="too large"):
        learned(task("a"), request="a" * (LONGEST_REQUEST + 1))


def test_a_run_without_words_is_refused():
    with pytest.raises(LearningError, match="no request"):
        sample(RunSnapshot("r", " . ", 1, "succeeded", ()))


def test_secrets_do_not_get_into_a_sample():
    kept = learned(
        task("a", args={"api_key": "abc", "headers": {"Authorization": "Bearer abcdefgh1"}}),
        request="use the password hunter2",
    )
    assert kept.request == "use the password [secret-1]"
    assert not {"abc", "hunter2", "abcdefgh1"} & {*kept.model_dump_json().split('"')}
