"""What the rule adopted is on trial: it goes when it fails, and does not come and go."""

from dataclasses import replace

import pytest

from orchestrator.core import facts as f
from orchestrator.core.edits import AddTask
from orchestrator.core.facts import RunStatus
from orchestrator.planner.memory import RULE, Finished, Memory, MemoryBusyError
from orchestrator.planner.memory.errors import MemoryFileError
from orchestrator.planner.memory.files import one_writer
from orchestrator.planner.playbook import PlaybookPlanner
from tests.orchestrator.planner.memory.runs import finished, plan, task

FAILED, DONE = RunStatus.FAILED, RunStatus.SUCCEEDED


def count(on, status=DONE, *, by="planner", name="a", request="count errors on {}", reason="no"):
    """Return a run that counts the errors on a device, as planned by somebody."""
    spec = task(name, args={"on": on})
    facts = [f.EditAccepted("r", 1, by, (AddTask(spec),))]
    snapshot = finished(f"run-{on}", request.format(on), plan(spec), status=status)
    return Finished(replace(snapshot, reason=reason), facts, 1000.0)


@pytest.fixture
def memory(tmp_path):
    """A memory whose only work the rule has made a playbook of."""
    found = Memory(tmp_path / "memory", now=lambda: 1000.0, adopt_into=tmp_path / "learned")
    for on in ("nas", "pi", "lab"):
        work = found.record(count(on))
    assert found.adopt_due(work) is not None
    return found


@pytest.fixture
def path(tmp_path):
    """The playbook."""
    return tmp_path / "learned" / "count-errors.yaml"


def only(memory):
    (work,) = memory.works()
    return work


def test_as_many_failures_as_the_rule_says_take_the_playbook_back(memory, path, tmp_path):
    text = path.read_text()
    for against in range(1, RULE.failures):
        memory.record(count("sink", FAILED))
        assert (only(memory).against, memory.retract_due()) == (against, ())
    memory.record(count("sink", FAILED, reason="no token=hunter2 for 12 s"))
    moved = tmp_path / "memory" / "retracted" / "count-errors.yaml"
    assert memory.retract_due() == (moved,)
    assert moved.read_text() == text
    assert not path.exists()
    work = only(memory)
    assert (work.adopted, work.digest, work.against, work.streak) == (None, "", 0, 0)
    assert work.retractions == 1
    assert "hunter2" not in work.last_failure
    assert work.last_failure.endswith(" for N s")
    assert memory.retract_due() == ()


def test_successes_in_between_take_failures_back(memory):
    for _ in range(3 * RULE.failures):
        memory.record(count("sink", FAILED))
        assert memory.retract_due() == ()
        memory.record(count("sink"))
    assert only(memory).against == 0
    memory.record(count("sink"))
    assert only(memory).against == 0, "credit is not saved up"


def test_what_was_retracted_is_adopted_again_only_after_twice_as_many_successes(memory, path):
    def fail():
        for _ in range(RULE.failures):
            memory.record(count("sink", FAILED))
        assert len(memory.retract_due()) == 1

    def succeed():
        for n in range(100):
            if memory.adopt_due(memory.record(count(f"d{n}", by="else"))) is not None:
                return n + 1
        return 0

    fail()
    assert succeed() == 2 * RULE.successes
    assert PlaybookPlanner([path.parent]).find("count errors on x")[0].name == "count-errors"
    fail()
    assert succeed() == 4 * RULE.successes
    assert only(memory).retractions == 2


@pytest.mark.parametrize(
    "run",
    [
        count("sink", FAILED, by="submitter"),
        count("sink", FAILED, name="b"),
        count("sink", FAILED, request="paint {}"),
        count("sink", RunStatus.CANCELLED),
        replace(count("sink", FAILED), facts=()),
    ],
    ids=["handed in", "another plan", "another request", "cancelled", "no plan"],
)
def test_only_runs_that_the_playbook_planned_and_that_ended_count(memory, run):
    for _ in range(RULE.failures):
        memory.record(run)
    assert only(memory).against == 0
    assert memory.retract_due() == ()


def test_a_failure_counts_whatever_became_of_the_plan_later(memory):
    """A run that was revised looks like another work, and still began with the playbook."""
    revised = plan(task("z", "else"))
    for _ in range(RULE.failures):
        run = count("sink", FAILED)
        memory.record(replace(run, snapshot=replace(
            finished("r", "count errors on sink", revised, status=FAILED), reason="gone"
        )))  # fmt: skip
    assert len(memory.retract_due()) == 1


def test_what_a_person_changed_or_adopted_is_theirs(memory, path):
    text = path.read_text()
    path.write_text(f"{text}# mine now\n")
    for _ in range(RULE.failures):
        memory.record(count("sink", FAILED))
    assert (only(memory).against, memory.retract_due()) == (0, ())
    path.write_text(text)
    memory.adopted("count-errors", "count-errors")
    for _ in range(RULE.failures):
        memory.record(count("sink", FAILED))
    assert (only(memory).against, memory.retract_due()) == (0, ())
    assert path.read_text() == text


def test_what_is_changed_after_it_failed_stays(memory, path):
    for _ in range(RULE.failures):
        memory.record(count("sink", FAILED))
    path.write_text(f"{path.read_text()}# mended\n")
    assert memory.retract_due() == ()
    assert path.exists()


@pytest.mark.usefixtures("memory")
def test_a_trial_goes_on_after_a_restart(tmp_path):
    for _ in range(RULE.failures):
        again = Memory(tmp_path / "memory", now=lambda: 1.0, adopt_into=tmp_path / "learned")
        again.record(count("sink", FAILED))
    again = Memory(tmp_path / "memory", now=lambda: 1.0, adopt_into=tmp_path / "learned")
    assert len(again.retract_due()) == 1


def test_a_memory_that_does_not_adopt_does_not_retract_either(memory, tmp_path):
    for _ in range(RULE.failures):
        memory.record(count("sink", FAILED))
    assert Memory(tmp_path / "memory", now=lambda: 1.0).retract_due() == ()


def test_a_damaged_playbook_beside_it_is_none_of_its_business(memory, path):
    (path.parent / "bad.yaml").write_text("name: [\n")
    (path.parent / "folder.yaml").mkdir()
    for _ in range(RULE.failures):
        memory.record(count("sink", FAILED))
    assert len(memory.retract_due()) == 1


def test_a_retraction_that_cannot_be_made_is_made_the_next_time(memory, path, tmp_path):
    for _ in range(RULE.failures):
        memory.record(count("sink", FAILED))
    with one_writer(tmp_path / "memory"), pytest.raises(MemoryBusyError):
        memory.retract_due()
    (tmp_path / "memory" / "retracted").write_text("in the way")
    with pytest.raises(MemoryFileError):
        memory.retract_due()
    assert path.exists()
    (tmp_path / "memory" / "retracted").unlink()
    assert len(memory.retract_due()) == 1


def test_a_work_on_trial_is_the_last_to_make_room(tmp_path):
    memory = Memory(tmp_path / "m", now=lambda: 1e9, works=1, adopt_into=tmp_path / "learned")
    for on in ("nas", "pi", "lab"):
        work = memory.record(count(on))
    memory.adopt_due(work)
    new = Memory(tmp_path / "m", now=lambda: 1e9, works=2, adopt_into=tmp_path / "learned")
    for word in ("paint", "sweep"):
        spec = task("a", word, args={"n": 1})
        new.record(Finished(finished(word, f"{word} everything", plan(spec)), (), 1e9))
    assert [each.name for each in new.works()] == ["count-errors", "sweep-everything"]
