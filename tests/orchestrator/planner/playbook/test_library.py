import pytest

from orchestrator.planner import PlanningError, PlanRequest
from orchestrator.planner.playbook import SHIPPED, PlaybookError, PlaybookPlanner


def write(folder, name, *match, file=None, title="t"):
    folder.mkdir(exist_ok=True)
    text = f"name: {name}\ndescription: d\nmatch: {list(match)}\n"
    text += "parameters: {what: {description: w, default: x}}\n"
    text += f"tasks: [{{id: a, skill: s, title: '{title}', args: {{w: '${{what}}'}}}}]\n"
    (folder / f"{file or name}.yaml").write_text(text)


def test_playbooks_are_known_in_the_order_of_their_names(tmp_path):
    write(tmp_path, "zzz")
    write(tmp_path, "aaa")
    names = list(PlaybookPlanner([tmp_path]).playbooks)
    assert names == sorted(names)
    assert {"aaa", "zzz", "error-report"} <= {*names}


async def test_the_best_match_wins_and_its_words_give_parameters(tmp_path):
    write(tmp_path, "wide", "frob {what}", title="wide")
    write(tmp_path, "narrow", "frob the {what}", title="narrow")
    plan = await PlaybookPlanner([tmp_path]).propose(PlanRequest("r", "Frob the cat!"))
    assert plan.edits[0].task.title == "narrow"
    assert plan.edits[0].task.args == {"w": "cat"}


async def test_given_parameters_win_over_the_words(tmp_path):
    write(tmp_path, "frob", "frob {what}")
    request = PlanRequest("r", "frob cat", {"what": "dog"})
    plan = await PlaybookPlanner([tmp_path]).propose(request)
    assert plan.edits[0].task.args == {"w": "dog"}


def test_an_equal_score_is_refused_as_ambiguous(tmp_path):
    write(tmp_path, "one", "frob it")
    write(tmp_path, "two", "frob it")
    with pytest.raises(PlanningError, match=r"equally well \(one, two\): ask for one of them by"):
        PlaybookPlanner([tmp_path]).find("frob it")


def test_a_request_that_nothing_answers_lists_what_is_known():
    with pytest.raises(PlanningError) as caught:
        PlaybookPlanner().find("sing a song")
    assert "no playbook answers 'sing a song'" in str(caught.value)
    assert "error-report" in str(caught.value)
    assert str(SHIPPED) in str(caught.value)


def test_a_later_folder_takes_the_place_of_an_earlier_playbook(tmp_path):
    write(tmp_path / "mine", "inventory", "list all devices")
    planner = PlaybookPlanner([tmp_path / "mine"])
    assert planner.playbooks["inventory"].source == str(tmp_path / "mine" / "inventory.yaml")


def test_a_name_twice_in_one_folder_is_refused_with_both_files(tmp_path):
    write(tmp_path, "same", file="a")
    write(tmp_path, "same", file="b")
    with pytest.raises(PlaybookError, match=r"b\.yaml:1:1: 'same' is in .*a\.yaml too"):
        PlaybookPlanner([tmp_path])


def test_a_file_that_is_no_text_is_refused_with_its_name(tmp_path):
    (tmp_path / "x.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PlaybookError, match=r"x\.yaml:1:1: cannot be read"):
        PlaybookPlanner([tmp_path])


def test_a_folder_that_is_missing_is_refused(tmp_path):
    with pytest.raises(PlaybookError, match="there is no such folder"):
        PlaybookPlanner([tmp_path / "no"])
