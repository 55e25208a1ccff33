"""`muster learn` and `muster tips`, on the files of a memory; the first test is the whole way."""

import json

import pytest
from typer.testing import CliRunner

from orchestrator import cli
from orchestrator.cli import serving
from orchestrator.cli.calling import Exit
from orchestrator.core import facts as f
from orchestrator.core.edits import AddTask
from orchestrator.core.facts import RunStatus
from orchestrator.experience import wall
from orchestrator.planner.memory import Finished, Memory
from orchestrator.planner.memory.files import one_writer
from orchestrator.planner.playbook import PlaybookPlanner
from orchestrator.planner.scripted import ScriptedPlanner
from orchestrator.settings import read
from protocol.types import FailureKind
from tests.orchestrator.planner.memory.runs import finished, plan, task
from tests.orchestrator.test_learning import DEVICES, FOURTH, REQUESTS, counting, did
from tests.support.muster import muster as whole


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "muster.toml"
    path.write_text('[memory]\nfolder = "memory"\nadopt_into = "learned"\n')
    return path


@pytest.fixture
def memory(tmp_path):
    return Memory(tmp_path / "memory", now=wall)


@pytest.fixture
def muster(config):
    def run(*args):
        return CliRunner().invoke(cli.app, [*args, "--config", str(config)])

    return run


def run(name, on, *, skill="look", said="count errors on {}", failed=False):
    """Return a run that did something on a device, or failed at that."""
    spec = task("a", skill, args={"on": on})
    status = RunStatus.FAILED if failed else RunStatus.SUCCEEDED
    facts = [
        f.EditAccepted("r", 1, "", (AddTask(spec),)),
        f.TaskPlaced("r", "a", "0", 0, on, 1, "pure", 1.0, 0.0, 1.0),
        f.AttemptFailed("r", "a", "0", FailureKind.TIMEOUT, "no answer")
        if failed
        else f.AttemptSucceeded("r", "a", "0", None, 1.0),
    ]
    return Finished(finished(name, said.format(on), plan(spec), status=status), facts, wall())


@pytest.fixture
def learned(memory):
    for name in ("nas", "pi"):
        memory.record(run(f"run-{name}", name))
    return memory


def one_line(result, code, words):
    assert result.exit_code == code, result.output
    assert len(result.stderr.splitlines()) == 1
    assert words in result.stderr


async def test_three_runs_become_a_playbook_that_does_the_fourth_request(muster, config):
    settings = read(config, environment={})
    memory = serving.memory_of(settings)
    asked = ScriptedPlanner(counting)
    async with whole(DEVICES, planner=asked, memory=memory) as (orchestrator, _):
        await did(orchestrator, *REQUESTS)
    (candidate,) = json.loads(muster("learn", "--json").stdout)
    assert (candidate["successes"], candidate["adopted"]) == (3, None)
    assert candidate["parameters"] == ["since_s", "device"]
    assert "${since_s}" in muster("learn", "show", candidate["name"]).stdout
    assert muster("learn", "adopt", candidate["name"]).exit_code == 0
    planner = serving.planner_of(settings.planner, memory, learned=settings.memory.learned)
    async with whole(DEVICES, planner=planner, memory=memory) as (orchestrator, _):
        done = await did(orchestrator, FOURTH)
        rows = {row.spec.id: row.spec for row in done.snapshot().tasks}
    assert rows["each"].args == {"since_s": 120}
    assert rows["report"].needs.device == "beta"
    assert memory.works()[0].successes == 4


def test_candidates_are_listed_with_how_often_they_were_seen(muster, learned):
    learned.record(run("r", "lab", failed=True))
    shown = muster("learn").stdout.splitlines()
    assert len(shown) == 2
    assert shown[1].split()[:3] == ["count-errors", "2", "1"]
    assert "count errors on pi" in shown[1]


@pytest.mark.usefixtures("learned")
def test_a_candidate_is_shown_as_the_playbook_it_would_be(muster):
    shown = muster("learn", "show", "count-errors").stdout
    assert "name: count-errors" in shown
    assert "count errors on {on}" in shown
    assert "\n--- " not in shown


def test_what_no_request_said_is_pointed_out(muster, memory):
    for limit in (1, 2):
        spec = task("a", args={"limit": limit})
        memory.record(Finished(finished(f"r{limit}", "count errors", plan(spec)), (), wall()))
    assert "# limit differed" in muster("learn", "show", "count-errors").stdout
    assert json.loads(muster("learn", "show", "count-errors", "--json").stdout)["unsaid"] == [
        "limit"
    ]


@pytest.mark.usefixtures("learned")
def test_an_adopted_playbook_is_marked_and_compared_with_what_was_learned_since(muster, tmp_path):
    path = tmp_path / "learned" / "count-errors.yaml"
    assert muster("learn", "adopt", "count-errors").stdout == f"{path}\n"
    assert muster("learn").stdout.splitlines()[1].split()[-1] == "count-errors"
    assert "# the same as" in muster("learn", "show", "count-errors").stdout
    path.write_text(path.read_text().replace("skill: look", "skill: see"))
    assert "-    skill: see\n+    skill: look\n" in muster("learn", "show", "count-errors").stdout
    one_line(
        muster("learn", "adopt", "count-errors"), Exit.FAILED, "has a playbook 'count-errors'"
    )
    assert muster("learn", "adopt", "count-errors", "--replace").exit_code == 0
    assert "skill: look" in path.read_text()


@pytest.mark.usefixtures("learned")
def test_adopting_again_what_is_there_changes_nothing(muster, tmp_path):
    assert muster("learn", "adopt", "count-errors").exit_code == 0
    before = (tmp_path / "learned" / "count-errors.yaml").stat().st_ino
    assert muster("learn", "adopt", "count-errors").exit_code == 0
    assert (tmp_path / "learned" / "count-errors.yaml").stat().st_ino == before


def test_the_folder_and_the_name_can_be_chosen(muster, learned, tmp_path):
    into = tmp_path / "mine"
    assert (
        muster("learn", "adopt", "count-errors", "--into", str(into), "--as", "ce").exit_code == 0
    )
    assert "ce" in PlaybookPlanner([into]).playbooks
    assert learned.works()[0].adopted == "ce"


@pytest.mark.usefixtures("learned")
def test_a_candidate_is_not_adopted_beside_a_playbook_that_answers_the_same(muster, tmp_path):
    assert muster("learn", "adopt", "count-errors").exit_code == 0
    one_line(
        muster("learn", "adopt", "count-errors", "--as", "again"),
        Exit.FAILED,
        "count-errors.yaml answers such requests already",
    )
    assert len([*(tmp_path / "learned").iterdir()]) == 1


def test_a_candidate_does_not_hide_a_playbook_of_its_name(muster, memory):
    memory.record(run("r", "nas", said="large files on {}"))
    (work,) = memory.works()
    assert muster("learn", "show", work.name).exit_code == 0
    refused = muster("learn", "adopt", work.name, "--as", "large-files")
    one_line(refused, Exit.FAILED, "large-files.yaml is 'large-files' already: choose --as NAME")
    assert muster("learn", "adopt", work.name, "--as", "large").exit_code == 0


def test_a_candidate_is_listed_with_the_playbook_that_answers_the_same(muster, memory):
    spec = task("a", "system.info")
    asked = "what devices are there"
    memory.record(Finished(finished("r", asked, plan(spec)), (), wall()))
    (listed,) = json.loads(muster("learn", "--json").stdout)
    assert (listed["adopted"], listed["answered_by"]) == (None, ["inventory"])
    assert muster("learn").stdout.splitlines()[1].split()[-1] == "inventory"


def test_a_candidate_is_forgotten_and_its_playbook_stays(muster, learned, tmp_path):
    muster("learn", "adopt", "count-errors")
    assert muster("learn", "forget", "count-errors").stdout == "count-errors is forgotten\n"
    assert learned.works() == ()
    assert (tmp_path / "learned" / "count-errors.yaml").exists()


@pytest.mark.parametrize("command", ["show", "adopt", "forget"])
@pytest.mark.usefixtures("learned")
def test_an_unknown_name_is_one_line(muster, command):
    said = "there is no candidate 'count-error', did you mean 'count-errors'?"
    one_line(muster("learn", command, "count-error"), Exit.BAD_INPUT, said)


def test_tips_are_listed_and_those_for_a_request_with_similar_works(muster, learned):
    learned.record(run("r1", "lab", skill="frob", said="frob {}", failed=True))
    learned.record(run("r2", "lab", failed=True))
    frobbed = "frob failed on lab once (timeout: no answer); nothing tried worked"
    assert frobbed in muster("tips").stdout.splitlines()
    told = muster("tips", "count errors on lab").stdout.splitlines()
    assert told[0].startswith("Done before (candidate)")
    assert frobbed not in muster("tips", "count errors on nas").stdout
    document = json.loads(muster("tips", "count errors on lab", "--json").stdout)
    assert [each["name"] for each in document["works"]] == ["count-errors"]
    assert {"look", "frob"} == {each["skill"] for each in document["tips"]}


def test_nothing_learned_is_an_empty_list(muster):
    assert muster("learn", "--json").stdout == "[]\n"
    assert muster("tips").stdout == ""
    one_line(muster("learn", "show", "x"), Exit.BAD_INPUT, "there is no candidate 'x'")


def test_without_a_folder_it_is_said_how_to_have_one(tmp_path):
    (tmp_path / "muster.toml").write_text("")
    result = CliRunner().invoke(cli.app, ["learn", "--config", str(tmp_path / "muster.toml")])
    one_line(result, Exit.BAD_INPUT, "set folder = ")


@pytest.mark.usefixtures("learned")
def test_a_damaged_file_is_named_and_the_rest_is_listed(muster, tmp_path):
    (tmp_path / "memory" / "works" / "mine.yaml").write_text("a: [\n")
    result = muster("learn", "--json")
    assert "mine.yaml:2:1" in result.stderr
    assert [each["name"] for each in json.loads(result.stdout)] == ["count-errors"]


@pytest.mark.usefixtures("learned")
def test_what_a_person_made_senseless_is_listed_as_such(muster, tmp_path):
    (path,) = (tmp_path / "memory" / "works").iterdir()
    path.write_text(path.read_text().replace("skill: look", "skill: not a skill"))
    assert "none: " in muster("learn").stdout
    one_line(muster("learn", "show", "count-errors"), Exit.FAILED, "not a skill")


@pytest.mark.usefixtures("learned")
def test_options_before_the_command_are_not_lost_silently(config):
    result = CliRunner().invoke(cli.app, ["learn", "--config", str(config), "show", "x"])
    one_line(result, Exit.BAD_INPUT, "options come after the command")


@pytest.mark.usefixtures("learned")
def test_a_store_that_is_being_written_is_one_line(muster, tmp_path):
    with one_writer(tmp_path / "memory"):
        one_line(muster("learn", "forget", "count-errors"), Exit.FAILED, "try again")
