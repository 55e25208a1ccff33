"""The shipped playbooks fit the skills in the box; only here do the two sides meet."""

import json

import jsonschema
import pytest

from agents.builtin import files, http, shell, system, table, text
from orchestrator.core.edits import AddTask
from orchestrator.planner.checks import advise, check
from orchestrator.planner.playbook import SHIPPED, PlaybookPlanner
from orchestrator.planner.playbook.document import read
from orchestrator.planner.playbook.format import schema
from protocol.types import DeviceCard

PLANNER = PlaybookPlanner()
SKILLS = tuple(
    each.info
    for skills in (
        files.skills([]),
        http.skills([]),
        shell.skills([]),
        system.skills(),
        table.skills(),
        text.skills(),
    )
    for each in skills
)
FLEET = [
    DeviceCard("alpha", labels={"role": "server"}, skills=SKILLS),
    DeviceCard("beta", labels={"role": "laptop"}, skills=SKILLS),
]
REQUESTS = {
    "backup": "Back up notes from alpha to beta.",
    "config-rollout": "Roll out etc/app.conf to every server, first to alpha",
    "disk-space": "Which disks are more than 90 percent full?",
    "error-report": "collect the errors of the last day from every server, group them by cause"
    " and write a report on the laptop",
    "file-audit": "Is etc/app.conf the same on every server?",
    "health": "check the health of every server",
    "http-check": "who can reach https://example.com/health",
    "inventory": "list all my devices",
    "large-files": "find all files larger than 2 GB",
    "log-search": "search the logs of the last 2 hours for timeout",
    "process-hunt": "where does python run",
    "run-command": "run uptime on every server",
    "table-join": "join orders.csv on alpha with customers.csv on beta by customer,"
    " and sum up price by country",
}
MORE = {"config-rollout": {"text": "a = 1\n", "test": "app,--check"}}


def plan(name):
    playbook, match = PLANNER.find(REQUESTS[name])
    assert playbook.name == name
    return playbook.plan({**match.parameters, **MORE.get(name, {})})


def test_every_playbook_has_a_request_here():
    assert set(REQUESTS) == set(PLANNER.playbooks)


@pytest.mark.parametrize("name", REQUESTS)
def test_its_plan_fits_the_skills_in_the_box(name):
    batch = plan(name)
    assert check(batch, FLEET) == ()
    assert advise(batch, FLEET) == ()


@pytest.mark.parametrize("name", REQUESTS)
def test_it_fits_the_schema_that_editors_read(name):
    document = read((SHIPPED / f"{name}.yaml").read_text(), name)
    jsonschema.validate(document.value, json.loads(schema()))


@pytest.mark.parametrize("name", REQUESTS)
def test_every_task_says_what_it_does(name):
    assert all(edit.task.title for edit in plan(name).edits if isinstance(edit, AddTask))


def test_the_committed_schema_is_current():
    written = (SHIPPED / "schema.json").read_text()
    assert written == schema(), "write schema() of playbook.format to orchestrator/playbooks"


def test_the_error_report_asks_every_server_and_reports_on_the_laptop():
    collect, causes, report = (edit.task for edit in plan("error-report").edits)
    assert collect.for_each.labels == {"role": "server"}
    assert collect.for_each.min_success == 1
    assert collect.args["since_s"] == 86400
    assert causes.args["source"] == {"$from": "collect"}
    assert report.needs.labels == {"role": "laptop"}
    assert report.args["sections"][-1]["rows"] == {"$from": "collect", "path": ["missing"]}
