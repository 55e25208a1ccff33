import pytest

from orchestrator.planner.memory.adopting import RULE, adopt, due
from orchestrator.planner.memory.errors import AdoptionError, MemoryFileError
from orchestrator.planner.memory.sampling import sample
from orchestrator.planner.memory.works import began
from orchestrator.planner.playbook import PlaybookPlanner, load
from tests.orchestrator.planner.memory.runs import finished, plan, task


def run(number, n=0, limit=1):
    request = f"count errors on d{number}"
    args = {"on": f"d{number}", "n": n, "limit": limit}
    return sample(finished(f"r{number}", request, plan(task("a", args=args))))


def work(successes):
    made = began(run(0), 0.0)
    for number in range(1, successes):
        made = made.succeeded(run(number), float(number))
    return made


def test_an_adopted_candidate_answers_requests(tmp_path):
    path = adopt(work(2).candidate(), tmp_path / "mine")
    assert path == tmp_path / "mine" / "count-errors.yaml"
    playbook, match = PlaybookPlanner([tmp_path / "mine"]).find("count errors on the moon")
    assert playbook.name == "count-errors"
    assert playbook.plan(match.parameters).edits[0].task.args["on"] == "the moon"
    assert [each.name for each in path.parent.iterdir()] == ["count-errors.yaml"]


def test_a_playbook_of_the_name_is_not_overwritten_but_shown_against(tmp_path):
    (tmp_path / "other.yaml").write_text("name: x\ndescription: d\ntasks: [{id: a, skill: s}]\n")
    old = tmp_path / "old.yaml"
    old.write_text("name: count-errors\ndescription: d\ntasks: [{id: a, skill: s}]\n")
    before = old.read_text()
    with pytest.raises(AdoptionError, match=r"old\.yaml has a playbook 'count-errors'") as caught:
        adopt(work(2).candidate(), tmp_path)
    assert "-  - {id: a, skill: s}" in caught.value.difference
    assert old.read_text() == before
    assert adopt(work(2).candidate(), tmp_path, replace=True) == old
    assert load(old.read_text(), "f").name == "count-errors"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_playbook_that_is_there_word_for_word_is_left_alone(tmp_path):
    path = adopt(work(2).candidate(), tmp_path)
    before = path.stat().st_ino
    assert adopt(work(2).candidate(), tmp_path) == path
    assert path.stat().st_ino == before


def test_a_file_of_the_name_with_another_playbook_is_not_overwritten(tmp_path):
    path = tmp_path / "count-errors.yaml"
    path.write_text("name: x\ndescription: d\ntasks: [{id: a, skill: s}]\n")
    with pytest.raises(AdoptionError, match="is there and is no playbook 'count-errors'"):
        adopt(work(2).candidate(), tmp_path, replace=True)
    assert path.read_text().startswith("name: x")


def test_a_damaged_playbook_in_the_folder_is_named(tmp_path):
    (tmp_path / "bad.yaml").write_text("name: [\n")
    with pytest.raises(MemoryFileError, match=r"bad\.yaml:2:1: this is not YAML"):
        adopt(work(2).candidate(), tmp_path)


def test_the_rule_adopts_after_so_many_successes_in_a_row():
    assert due(work(RULE.successes - 1)) is None
    assert due(work(RULE.successes)).name == "count-errors"


def test_a_failure_starts_the_count_anew():
    made = work(RULE.successes).failed(9.0)
    for number in range(10, 10 + RULE.successes):
        assert due(made) is None
        made = made.succeeded(run(number), float(number))
    assert due(made) is not None


def test_the_rule_leaves_alone_what_was_adopted_what_is_unsaid_and_what_is_always_the_same():
    made = work(RULE.successes)
    assert due(made.model_copy(update={"adopted": "x"})) is None
    assert due(made.succeeded(run(9, limit=2), 9.0)) is None
    assert due(made.model_copy(update={"samples": made.samples[:1]})) is None


def test_the_rule_leaves_alone_what_a_person_made_senseless():
    made = work(RULE.successes)
    other = made.samples[0].model_copy(update={"tasks": ({"id": "a", "skill": "other"},)})
    assert due(made.model_copy(update={"samples": (other, *made.samples)})) is None
