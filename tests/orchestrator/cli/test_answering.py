"""Answering from the command line: `muster show` names the question, `muster answer` checks it."""

import json

import pytest

from orchestrator.cli.calling import Exit
from orchestrator.service import documents
from tests.support.command_line import one_line, until

pytestmark = pytest.mark.broker


def test_of_one_task_only_its_own_question_is_shown(muster, tmp_path):
    run = muster("run", "question", "--detach").stdout.strip()
    until(muster, run, "input_required")
    more = tmp_path / "more.yaml"
    more.write_text("edits: [{add_task: {id: more, skill: ask}}]\n")
    assert muster("edit", run, more).exit_code == Exit.SUCCEEDED
    assert "\nask asks: how much?\n" in muster("show", run).stdout
    assert " asks:" not in muster("show", run, "more").stdout, "it waits for its turn"
    for task in ("ask", "more"):
        until(muster, run, f"{task} asks: how much?")
        assert muster("answer", run, task, "7").exit_code == Exit.SUCCEEDED
    assert "more: they said 7" in muster("watch", run).stdout


def test_a_question_is_shown_with_the_command_that_answers_it_and_no_other(muster, monkeypatch):
    run = muster("run", "question", "--detach").stdout.strip()
    until(muster, run, "input_required")
    command = f"muster answer {run} ask --question 1.1 VALUE"
    for shown in (muster("show", run).stdout, muster("show", run, "ask").stdout):
        assert f"ask asks: how much?\n  {command}\n" in shown
    (told,) = json.loads(muster("show", run, "--json").stdout)["run"]["questions"]
    assert told == {"task": "ask", "question": "1.1", "text": "how much?"}
    stale = muster("answer", run, "ask", "9", "--question", "1.2")
    one_line(stale, Exit.BAD_INPUT, "question '1.2' of task 'ask' is not open (any more)")
    with monkeypatch.context() as patched:
        patched.setattr(documents, "QUESTIONS_TOLD", 0)
        assert f"run {run}: 1 more tasks ask" in muster("show", run).stdout
    assert muster("answer", run, "ask", "7", "--question", "1.1").exit_code == Exit.SUCCEEDED
    assert "ask: they said 7" in muster("watch", run).stdout
    assert " asks: " not in muster("show", run).stdout
    again = muster("answer", run, "ask", "7", "--question", "1.1")
    one_line(again, Exit.BAD_INPUT, "is not open (any more): the task asks nothing now")
