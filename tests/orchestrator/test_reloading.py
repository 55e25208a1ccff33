"""Playbooks that come, change and are damaged while a coordinator runs."""

import pytest

from orchestrator.planner import NoRevisionError, PlanningError, PlanRequest, RevisionRequest
from orchestrator.planner.playbook import PlaybookError
from orchestrator.reloading import ReloadingPlaybooks

FROB = "name: frob\ndescription: d\nmatch: ['frob {it}']\nparameters: {it: {description: i}}\n"


def frob(folder, skill, *, more=""):
    folder.mkdir(exist_ok=True)
    (folder / "frob.yaml").write_text(f"{FROB}tasks: [{{id: a, skill: {skill}}}]\n{more}")


async def skill_of(planner):
    batch = await planner.propose(PlanRequest("r", "frob the cat"))
    return batch.edits[0].task.skill


async def test_a_folder_that_comes_later_is_read(tmp_path):
    planner = ReloadingPlaybooks([], tmp_path / "learned")
    with pytest.raises(PlanningError, match="no playbook answers"):
        await skill_of(planner)
    frob(tmp_path / "learned", "one")
    assert await skill_of(planner) == "one"
    assert "frob" in planner.playbooks


async def test_a_playbook_that_changed_or_went_is_noticed(tmp_path):
    frob(tmp_path, "one")
    planner = ReloadingPlaybooks([], tmp_path)
    assert await skill_of(planner) == "one"
    frob(tmp_path, "other")
    assert await skill_of(planner) == "other"
    (tmp_path / "frob.yaml").unlink()
    with pytest.raises(PlanningError, match="no playbook answers"):
        await skill_of(planner)


async def test_nothing_is_read_again_where_nothing_changed(tmp_path):
    frob(tmp_path, "one")
    planner = ReloadingPlaybooks([], tmp_path)
    before = planner.playbooks
    await skill_of(planner)
    assert planner.playbooks is before


async def test_what_was_read_goes_on_to_answer_while_a_file_is_damaged(tmp_path):
    frob(tmp_path, "one")
    planner = ReloadingPlaybooks([], tmp_path)
    frob(tmp_path, "two", more="tasks: [")
    assert await skill_of(planner) == "one"
    frob(tmp_path, "three")
    assert await skill_of(planner) == "three"


async def test_what_a_person_wrote_wins_over_what_was_learned(tmp_path):
    frob(tmp_path / "learned", "learned")
    frob(tmp_path / "mine", "mine")
    assert await skill_of(ReloadingPlaybooks([tmp_path / "mine"], tmp_path / "learned")) == "mine"


def test_a_file_that_is_damaged_at_the_start_is_an_error(tmp_path):
    frob(tmp_path, "one", more="tasks: [")
    with pytest.raises(PlaybookError, match=r"frob\.yaml"):
        ReloadingPlaybooks([], tmp_path)


async def test_playbooks_mend_no_plan(tmp_path):
    with pytest.raises(NoRevisionError):
        await ReloadingPlaybooks([], tmp_path).revise(RevisionRequest(None, "a", "late"))


async def test_a_link_to_nowhere_is_no_playbook_that_changed(tmp_path):
    frob(tmp_path, "one")
    planner = ReloadingPlaybooks([], tmp_path)
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nowhere")
    assert await skill_of(planner) == "one"
