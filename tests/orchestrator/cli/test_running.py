"""Runs from the command line, over a real broker: asked for, followed, interrupted, steered."""

import json
import re
import signal
import threading

import pytest

from orchestrator.cli import following, running
from orchestrator.cli.calling import Exit
from tests.support.command_line import one_line, signalled, until

pytestmark = pytest.mark.broker


def test_a_request_is_run_and_followed_line_by_line(muster):
    result = muster("run", "nap", "--owner", "me")
    assert result.exit_code == Exit.SUCCEEDED
    lines = result.stdout.splitlines()
    assert lines[0].startswith("run ")
    assert any(line.endswith("nap: try 1 offered to laptop") for line in lines)
    assert lines[-2:] == ["succeeded", "work: done"]


def test_a_request_is_run_for_a_program(muster):
    result = muster("run", "nap", "--param", "seconds:=0.1", "--json")
    assert result.exit_code == Exit.SUCCEEDED
    told = json.loads(result.stdout)
    assert (told["status"], told["outputs"]) == ("succeeded", {"work": "done"})


def test_a_request_is_followed_in_place_on_a_terminal(muster):
    result = muster("run", "nap for 0.6", env={"FORCE_COLOR": "1", "COLUMNS": "120"})
    assert result.exit_code == Exit.SUCCEEDED
    assert "2 of 2 done" in result.stdout
    seconds = re.findall(r"m(\d\.\d)\x1b", result.stdout)
    assert any(0.0 < float(each) < 0.6 for each in seconds), "they pass on the screen"


def test_a_failed_run_is_exit_code_1_with_the_reason(muster):
    result = muster("run", "boom")
    assert result.exit_code == Exit.FAILED
    assert "missing boom: " in result.stdout
    assert "boom, as asked" in result.stdout


def test_a_request_that_no_playbook_answers_fails_with_the_known_ones(muster):
    result = muster("run", "make me a sandwich")
    assert result.exit_code == Exit.FAILED
    assert "no playbook answers 'make me a sandwich'; ask for one by name (" in result.stdout


def test_the_same_key_again_is_the_same_run(muster):
    runs = [muster("run", "nap", "--key", "k", "--detach", "--json").stdout for _ in range(2)]
    assert runs[0] == runs[1]
    assert list(json.loads(runs[0])) == ["run"]


def test_a_run_goes_on_when_the_time_to_wait_is_over(muster):
    result = muster("run", "nap for 600", "--timeout", "1")
    run = result.stdout.split()[1]
    one_line(
        result, Exit.TIMED_OUT, f"not finished after 1 s; the run goes on: `muster watch {run}`"
    )
    assert muster("cancel", run).exit_code == Exit.SUCCEEDED


@pytest.fixture
def interrupted(muster, monkeypatch):
    """A way to interrupt a command that follows a run, once it does."""

    def run(*command):
        follows = threading.Event()

        async def noted(*args, **more):
            follows.set()
            await following.follow(*args, **more)

        monkeypatch.setattr(running, "follow", noted)
        with signalled(signal.SIGINT, follows.is_set):
            return muster(*command)

    return run


def test_an_interrupted_run_goes_on_and_says_how_to_watch_it(muster, interrupted):
    result = interrupted("run", "nap for 600")
    run = result.stdout.split()[1]
    one_line(result, Exit.INTERRUPTED, f"interrupted; the run goes on: `muster watch {run}`")
    one_line(interrupted("watch", run), Exit.INTERRUPTED, "the run goes on")
    assert muster("cancel", run).exit_code == Exit.SUCCEEDED


def test_an_interrupted_run_is_stopped_if_that_was_asked_for(muster, interrupted):
    result = interrupted("run", "nap for 600", "--cancel-on-interrupt")
    run = result.stdout.split()[1]
    one_line(result, Exit.INTERRUPTED, f"run {run} is being stopped")
    watched = muster("watch", run)
    assert watched.exit_code == Exit.FAILED
    assert "cancelled: interrupted by its owner" in watched.stdout


def test_a_run_is_steered(muster, napping, tmp_path):
    assert muster("pause", napping).stdout == f"run {napping}: paused, revision 1\n"
    edits = tmp_path / "edits.yaml"
    edits.write_text("edits:\n- set_args: {task: work, args: {seconds: 1}}\n")
    assert muster("edit", napping, edits).stdout == f"run {napping}: paused, revision 2\n"
    edits.write_text("edits:\n- set_args: {task: work, args: {seconds: 1, day: 2026-01-02}}\n")
    assert muster("edit", napping, edits).stdout == f"run {napping}: paused, revision 3\n"
    assert "day: '2026-01-02'" in muster("show", napping, "work").stdout
    edits.write_text("edits:\n- set_args: {task: work, args: {seconds: 1}}\n")
    assert muster("edit", napping, edits).stdout == f"run {napping}: paused, revision 4\n"
    resumed = json.loads(muster("resume", napping, "--json").stdout)
    assert (resumed["run"], resumed["paused"], resumed["revision"]) == (napping, False, 4)
    assert muster("cancel", napping, "work").stdout.endswith("revision 5\n")
    assert muster("cancel", napping, "--why", "enough").exit_code == Exit.SUCCEEDED
    assert "enough" in muster("watch", napping).stdout


@pytest.mark.parametrize(("value", "said"), [(["7"], "7"), (["[7, 8]", "--parse"], "[7, 8]")])
def test_a_question_is_answered(muster, value, said):
    run = muster("run", "question", "--detach").stdout.strip()
    until(muster, run, "input_required")
    assert muster("answer", run, "ask", *value).exit_code == Exit.SUCCEEDED
    assert f"ask: they said {said}" in muster("watch", run).stdout


def test_whoever_has_no_name_is_nobody(muster, napping, monkeypatch):
    def nobody():
        raise KeyError

    monkeypatch.setattr("getpass.getuser", nobody)
    assert muster("cancel", napping).exit_code == Exit.SUCCEEDED


def test_a_request_that_was_not_taken_in_time_says_where_to_look(muster):
    result = muster("run", "nap", "--timeout", "0.001")
    one_line(result, Exit.TIMED_OUT, "before the coordinator took the request; see `muster runs`")
