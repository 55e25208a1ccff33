"""What the commands show, over a real broker: runs, tasks, devices, what is warm, playbooks."""

import json
import re

import pytest

from orchestrator.cli import calling
from tests.support.command_line import until

pytestmark = pytest.mark.broker


def test_events_are_watched_from_an_offset(muster):
    run = json.loads(muster("run", "nap", "--json").stdout)["run"]
    lines = [json.loads(line) for line in muster("watch", run[:6], "--json").stdout.splitlines()]
    assert lines[0]["fact"] == "RunSubmitted"
    assert lines[-1]["status"] == "succeeded"
    later = muster("watch", run, "--json", "--after", lines[-3]["seq"]).stdout.splitlines()
    assert [json.loads(line) for line in later] == lines[-2:]


def test_devices_are_listed(muster):
    assert "laptop  online" in muster("devices").stdout
    (device,) = json.loads(muster("devices", "--json").stdout)
    assert device["card"]["device"] == "laptop"


@pytest.fixture
def chatting(muster):
    """A run whose session waits for a long task."""
    run = muster("run", "chat for 600", "--detach").stdout.strip()
    yield run
    muster("cancel", run)


def test_what_is_warm_is_shown_with_its_device_and_its_run(muster, chatting, monkeypatch):
    run = chatting
    until(muster, run, "session/s  evictable  on laptop  1, idle for")
    listed = muster("devices").stdout
    assert f"  session/s of {run}" in listed
    assert re.search(r"next use waits for work on laptop \(reload 0\.[1-9] s", listed)
    assert re.search(r"of work, 0\.[1-9] s of loading", listed)
    (device,) = json.loads(muster("devices", "--json").stdout)
    (warm,) = device["warm"]
    assert (warm["key"], warm["run"], warm["state"]) == ("s", run, "evictable")
    assert {each["kind"] for each in device["utility"]} == {"session", "model"}
    assert "loaded session/s on laptop in" in muster("show", run, "ask").stdout
    monkeypatch.setattr("orchestrator.service.documents.WARM_TOLD", 0)
    assert "laptop: 1 more are warm" in muster("devices").stdout
    assert f"run {run}: 1 more are warm" in muster("show", run).stdout
    muster("cancel", run)
    assert "let session/s on laptop go: last use" in muster("watch", run).stdout


def test_runs_are_listed_newest_first(muster):
    run = json.loads(muster("run", "nap", "--json").stdout)["run"]
    assert muster("runs").stdout.splitlines()[1].startswith(f"{run}  succeeded  2/2")
    assert json.loads(muster("runs", "--json").stdout)[0]["run"] == run


def test_a_graph_and_the_story_of_a_task_are_shown(muster):
    run = json.loads(muster("run", "nap", "--json").stdout)["run"]
    shown = muster("show", run).stdout
    assert "level 2\n  work  succeeded       work  ← nap" in shown
    story = muster("show", run, "work").stdout
    assert "output     done" in story
    assert "work: succeeded after" in story
    told = json.loads(muster("show", run, "work", "--json").stdout)
    assert [task["spec"]["id"] for task in told["tasks"]] == ["work"]
    assert told["events"][0]["fact"] == "EditAccepted"


def test_playbooks_are_listed_with_what_to_say(muster):
    assert "nap for {seconds}" in muster("playbooks").stdout
    names = [playbook["name"] for playbook in json.loads(muster("playbooks", "--json").stdout)]
    assert {"nap", "error-report"} <= set(names)


@pytest.mark.parametrize(("skill", "going_on"), [("runs", "start"), ("story", "after")])
async def test_every_page_is_asked_for(skill, going_on):
    class Pages:
        async def call(self, name, args):
            assert name == skill
            start = args.get(going_on, 0)
            return {"run": "r", "rows": [start], "next": start + 1 if start < 2 else None}

    assert await calling.every(Pages(), skill, {}) == {"run": "r", "rows": [0, 1, 2]}
