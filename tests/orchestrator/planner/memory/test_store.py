import threading
from pathlib import Path

import pytest

from orchestrator.core import facts as f
from orchestrator.core.edits import AddTask
from orchestrator.core.facts import RunStatus
from orchestrator.planner import PlanRequest, RevisionRequest
from orchestrator.planner.memory.errors import LearningError, MemoryBusyError, MemoryFileError
from orchestrator.planner.memory.files import one_writer
from orchestrator.planner.memory.store import WORK_BYTES, Finished, Memory
from orchestrator.planner.playbook import PlaybookPlanner
from protocol.types import FailureKind
from tests.orchestrator.planner.memory.runs import finished, plan, task


@pytest.fixture
def memory(tmp_path):
    return Memory(tmp_path / "memory", now=lambda: 1000.0)


def count(on, *, status=RunStatus.SUCCEEDED, wall=1000.0, tried=(), **args):
    """Return a run that counts the errors on a device."""
    spec = task("a", args={"on": on, **args})
    facts = [f.EditAccepted("r", 1, "", (AddTask(spec),))]
    for n, (device, failure) in enumerate(tried):
        facts.append(f.TaskPlaced("r", "a", f"{n}", n, device, 1, "pure", 1.0, 0.0, 1.0))
        end = f.AttemptFailed("r", "a", f"{n}", failure, "no answer in 5 s") if failure else None
        facts.append(end or f.AttemptSucceeded("r", "a", f"{n}", None, 1.0))
    snapshot = finished(f"run-{on}", f"count errors on {on}", plan(spec), status=status)
    return Finished(snapshot, facts, wall)


def other(word, wall=1000.0):
    spec = task("a", word, args={"n": 1})
    return Finished(finished(word, f"{word} everything", plan(spec)), (), wall)


def files(tmp_path):
    return sorted(p.name for p in (tmp_path / "memory" / "works").glob("*"))


def test_runs_of_a_kind_become_one_work_with_a_candidate(memory, tmp_path):
    assert memory.record(count("nas")).name == "count-errors-nas"
    work = memory.record(count("pi"))
    assert (work.name, work.successes) == ("count-errors", 2)
    assert work.candidate().playbook.part.match == ("count errors on {on}",)
    assert files(tmp_path) == [f"count-errors-{work.shape}.yaml"]
    assert memory.works() == (work,)


def test_what_was_learned_is_there_after_a_restart(memory, tmp_path):
    memory.record(count("nas", tried=[("nas", FailureKind.TIMEOUT), ("pi", None)]))
    again = Memory(tmp_path / "memory", now=lambda: 1000.0)
    assert again.works() == memory.works()
    assert again.history() == {("look", "nas"): (0, 1), ("look", "pi"): (1, 1)}
    assert again.tips_for("x", ["look"]) == memory.tips_for("x", ["look"])
    assert again.problems == ()


def test_an_empty_store_knows_nothing_and_makes_no_files(memory, tmp_path):
    assert memory.works() == ()
    assert memory.history() == {}
    assert memory.tips_for("x", ["look"]) == ()
    assert memory.success("look", "nas")[1] == 0.0
    assert memory.problems == ()
    assert list(tmp_path.iterdir()) == []


def test_a_failed_run_counts_against_its_work_and_makes_none(memory):
    assert memory.record(count("nas", status=RunStatus.FAILED)) is None
    memory.record(count("nas"))
    work = memory.record(count("pi", status=RunStatus.FAILED))
    assert (work.successes, work.streak, work.failures) == (1, 0, 1)
    assert [each.run for each in work.samples] == ["run-nas"]


def test_works_of_one_name_are_told_apart(memory):
    memory.record(other("paint"))
    spec = task("a", "brush", args={"n": 1})
    memory.record(Finished(finished("r", "paint everything", plan(spec)), (), 1.0))
    assert [each.name for each in memory.works()] == ["paint-everything", "paint-everything-2"]


def test_tries_are_learned_from_even_where_the_plan_cannot_be(memory):
    bad = count("nas", tried=[("nas", None)])
    snapshot = finished("r", "count", plan(task("a", "no skill at all")))
    with pytest.raises(LearningError):
        memory.record(Finished(snapshot, bad.facts, 1000.0))
    assert memory.history() == {("look", "nas"): (1, 1)}
    assert memory.works() == ()


def test_the_least_used_and_oldest_work_makes_room(tmp_path):
    memory = Memory(tmp_path / "memory", now=lambda: 1000.0, works=2)
    memory.record(other("paint", wall=0.0))
    memory.record(other("sweep", wall=500.0))
    memory.advice(PlanRequest("r", "paint everything"))
    memory.record(other("mow"))
    assert [each.name for each in memory.works()] == ["mow-everything", "paint-everything"]


def test_a_work_that_is_too_large_is_not_kept(memory):
    with pytest.raises(LearningError, match="larger than"):
        memory.record(count("nas", text="x" * WORK_BYTES))
    assert memory.works() == ()


@pytest.mark.timeout(60)
def test_older_runs_make_room_in_a_large_work(memory):
    for name in ("nas", "pi", "lab"):
        work = memory.record(count(name, text="x" * (WORK_BYTES // 2 - 1000)))
    assert [each.run for each in work.samples] == ["run-pi", "run-lab"]


def test_a_damaged_file_is_told_of_and_nothing_else_is_lost(memory, tmp_path):
    memory.record(other("paint"))
    memory.record(count("nas", tried=[("nas", FailureKind.TIMEOUT)]))
    work = next((tmp_path / "memory" / "works").glob("paint*"))
    for path in (work, tmp_path / "memory" / "tips.yaml", tmp_path / "memory" / "history.yaml"):
        path.write_text("a: 1\nb: [\n")
    assert [each.partition(": ")[0] for each in memory.problems] == [
        f"{tmp_path}/memory/history.yaml:3:1",
        f"{tmp_path}/memory/tips.yaml:3:1",
        f"{work}:3:1",
    ]
    assert [each.name for each in memory.works()] == ["count-errors-nas"]
    assert memory.tips_for("x", ["look"]) == ()
    memory.record(other("paint"))
    memory.record(count("pi", tried=[("pi", FailureKind.TIMEOUT)]))
    assert [each.name for each in memory.works()] == ["count-errors", "paint-everything"]
    for path in (work, tmp_path / "memory" / "tips.yaml", tmp_path / "memory" / "history.yaml"):
        assert path.read_text() == "a: 1\nb: [\n"


def test_a_mended_file_is_read_again(memory, tmp_path):
    memory.record(other("paint"))
    path = next((tmp_path / "memory" / "works").glob("*"))
    text = path.read_text()
    path.write_text("damaged: [")
    assert len(memory.problems) == 1
    path.write_text(text.replace("successes: 1", "successes: 7"))
    assert memory.problems == ()
    assert memory.works()[0].successes == 7
    path.unlink()
    assert memory.works() == ()


def test_what_a_person_made_senseless_is_no_example(memory, tmp_path):
    memory.record(other("paint"))
    path = next((tmp_path / "memory" / "works").glob("*"))
    path.write_text(path.read_text().replace("skill: paint", "skill: not a skill"))
    assert memory.problems == ()
    assert memory.find("paint everything") == ()


def test_another_writer_is_not_disturbed(memory, tmp_path):
    memory.record(count("nas"))
    with one_writer(tmp_path / "memory"):
        with pytest.raises(MemoryFileError, match="another process writes it"):
            memory.record(count("pi"))
        assert memory.advice(PlanRequest("r", "count errors"))
    assert memory.works()[0].successes == 1


def test_threads_of_one_process_take_turns(memory):
    names = [f"d{chr(97 + n)}" for n in range(8)]
    threads = [threading.Thread(target=memory.record, args=(count(name),)) for name in names]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert memory.works()[0].successes == 8


def test_playbooks_candidates_and_runs_are_found(memory):
    memory.record(count("nas"))
    memory.record(other("paint"))
    books = PlaybookPlanner().playbooks.values()
    assert memory.find("count all errors on lab", books)[0].known.name == "count-errors-nas"
    assert memory.find("list all my devices", books)[0].known.name == "inventory"
    assert memory.find("sing a song", books) == ()


def test_a_planner_is_told_similar_works_and_then_tips(memory):
    memory.record(count("nas", tried=[("nas", FailureKind.TIMEOUT), ("pi", None)]))
    told = memory.advice(PlanRequest("r", "count the errors on lab"))
    assert told == (
        "Done before (run) for 'count errors on nas': a: look(on=\"nas\")",
        "look failed on nas once (timeout: no answer in N s); trying again on pi worked (1 of 1)",
    )
    assert memory.works()[0].used == 1
    assert memory.tips_for("x", ["look"])[0].used == 1
    assert memory.advice(PlanRequest("r", "sing a song")) == ()


def test_a_planner_that_mends_is_told_tips_about_the_failed_skill(memory):
    run = count("nas", tried=[("nas", FailureKind.TIMEOUT), ("pi", None)])
    memory.record(run)
    told = memory.advice(RevisionRequest(run.snapshot, "a", "late"))
    assert len(told) == 1
    assert told[0].startswith("look failed on nas")


def test_success_is_counted_and_fades(tmp_path):
    now = [0.0]
    memory = Memory(tmp_path, now=lambda: now[0])
    memory.record(count("nas", wall=0.0, tried=[("nas", FailureKind.TIMEOUT), ("nas", None)]))
    rate, weight = memory.success("look", "nas")
    assert weight == 2.0
    now[0] = 30 * 86400.0
    assert memory.success("look", "nas")[0] > rate
    assert memory.success("look", "nas")[1] == pytest.approx(1.0)


def test_an_adopted_work_is_marked(memory):
    memory.record(count("nas"))
    memory.adopted("count-errors-nas", "counting")
    assert memory.works()[0].adopted == "counting"


def test_a_work_is_forgotten_by_its_name(memory):
    memory.record(count("nas"))
    assert memory.forget("count-errors-nas")
    assert memory.works() == ()
    assert not memory.forget("count-errors-nas")


def test_a_work_that_cannot_be_removed_is_an_error(memory, monkeypatch):
    def refuse(path, **_):
        raise PermissionError(13, "no", str(path))

    memory.record(count("nas"))
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(MemoryFileError, match="cannot be removed"):
        memory.forget("count-errors-nas")


@pytest.fixture
def adopting(tmp_path):
    """Return a memory that adopts by the rule, with a work that is due."""
    memory = Memory(
        tmp_path / "memory",
        now=lambda: 1000.0,
        adopt_into=tmp_path / "learned",
        playbooks=[tmp_path / "mine"],
    )
    (tmp_path / "mine").mkdir()
    for name in ("nas", "pi", "lab"):
        memory.record(count(name))
    return memory


def test_what_is_due_is_adopted_once(adopting, tmp_path):
    (work,) = adopting.works()
    assert adopting.adopt_due(work) == tmp_path / "learned" / "count-errors.yaml"
    (work,) = adopting.works()
    assert work.adopted == "count-errors"
    assert adopting.adopt_due(work) is None


def test_what_is_not_due_is_not_adopted(adopting, tmp_path):
    adopting.record(count("sink", status=RunStatus.FAILED))
    assert adopting.adopt_due(adopting.works()[0]) is None
    assert not (tmp_path / "learned").exists()


def test_what_a_playbook_answers_already_is_not_adopted_by_the_rule(adopting, tmp_path):
    mine = "name: mine\ndescription: d\nmatch: ['count errors on {on}']\n"
    mine += "parameters: {on: {description: o}}\ntasks: [{id: a, skill: look}]\n"
    (tmp_path / "mine" / "mine.yaml").write_text(mine)
    assert adopting.adopt_due(adopting.works()[0]) is None
    assert not (tmp_path / "learned").exists()


def test_what_the_rule_adopts_hides_no_playbook_of_its_name(adopting, tmp_path):
    mine = "name: count-errors\ndescription: d\ntasks: [{id: a, skill: look}]\n"
    (tmp_path / "mine" / "mine.yaml").write_text(mine)
    path = tmp_path / "learned" / "count-errors-2.yaml"
    assert adopting.adopt_due(adopting.works()[0]) == path
    assert adopting.works()[0].adopted == "count-errors-2"
    assert PlaybookPlanner([path.parent]).find("count errors on nas")[0].name == "count-errors-2"


def test_an_adoption_that_was_interrupted_is_finished(adopting, tmp_path):
    with one_writer(tmp_path / "memory"), pytest.raises(MemoryBusyError):
        adopting.adopt_due(adopting.works()[0])
    assert adopting.works()[0].adopted is None
    assert adopting.adopt_due(adopting.works()[0]) is not None
    assert adopting.works()[0].adopted == "count-errors"


def test_no_secret_is_in_any_file(memory, tmp_path):
    run = count("nas", password="hunter2", tried=[("nas", FailureKind.TIMEOUT)])  # noqa: S106
    story = [*run.facts, f.TaskPlaced("r", "a", "9", 1, "pi", 1, "pure", 1.0, 0.0, 1.0)]
    story += [f.AttemptFailed("r", "a", "9", FailureKind.SKILL_ERROR, "denied: token=abc123")]
    memory.record(Finished(run.snapshot, story, 1000.0))
    written = "".join(p.read_text() for p in (tmp_path / "memory").rglob("*.yaml"))
    assert "denied" in written
    assert "request: count errors on nas" in written
    assert "hunter2" not in written
    assert "abc123" not in written
