import pytest

from orchestrator.core.edits import CancelTask, EditBatch, RemoveTask
from orchestrator.core.model import ForEach, Needs
from orchestrator.planner.checks import Goal, check
from orchestrator.planner.checks.complete import complete
from protocol.types import DeviceCard, Effect, SkillInfo
from tests.orchestrator.planner.checks.plans import CARDS, NAS, add, judge, ref, run, task


def lost(request, *tasks, **more):
    return [each.detail.split("'")[1] for each in _reasons(request, tasks, **more)]


def _reasons(request, tasks, cards=CARDS):
    found = check(add(*tasks), cards, goal=Goal(request))
    return [each for each in found if each.rule == "lost_literal"]


def said(**args):
    return task("a", args=args)


@pytest.mark.parametrize(
    "spec",
    [
        said(path="/var/log/app.log"),
        said(path="/VAR/log/app.log"),
        said(path="\\var\\log\\app.log"),
        said(command=["cat", "x:/var/log/app.log"]),
        said(deep={"x": [{"/var/log/app.log": 1}]}),
        task("a", needs=Needs(labels={"file": "/var/log/app.log"})),
        task("a", for_each=ForEach(labels={"file": "/var/log/app.log"})),
    ],
)
def test_a_literal_may_be_anywhere_in_what_a_task_says(spec):
    assert lost("read /var/log/app.log", spec) == []


@pytest.mark.parametrize(
    "spec",
    [
        said(path="/var/log/apps.log"),
        task("a", title="/var/log/app.log", needs=Needs("pi")),
        task("a"),
    ],
)
def test_a_lost_literal_is_named(spec):
    [reason] = _reasons("read /var/log/app.log", [spec])
    assert (reason.rule, reason.task) == ("lost_literal", None)
    assert reason.detail == (
        "the request says '/var/log/app.log', and no task does: put it into the arguments of one"
    )


@pytest.mark.parametrize(
    ("request_", "args", "found"),
    [
        ("the last 2 hours", {"since_s": 7200}, []),
        ("the last 2 hours", {"since": "2h ago"}, []),
        ("the last 2 hours", {"since_s": 3600}, ["2 hours"]),
        ("over 2 GB", {"min": 2_000_000_000}, []),
        ("over 2 GB", {"min": 2147483648.0}, []),
        ("over 90 percent", {"share": 0.9}, []),
        ("over 90 percent", {"share": 0.8}, ["90 percent"]),
        ("before 1 May 2024", {"until": "2024-05-01T00:00"}, []),
        ("before 1 May 2024", {"until": "2024-05-02"}, ["1 May 2024"]),
        ("find 'a.b'", {"pattern": r"a\.b"}, []),
        ("get https://example.com/x/", {"url": "https://example.com/x"}, []),
    ],
)
def test_a_literal_may_be_there_in_another_form(request_, args, found):
    assert lost(request_, said(**args)) == found


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        (task("a", needs=Needs("nas")), []),
        (task("a", args={"to": "nas:/x"}), []),
        (task("a", needs=Needs(labels={"role": "server"})), []),
        (task("a", for_each=ForEach(labels={"role": "server"})), []),
        (task("a", needs=Needs("pi")), ["nas"]),
        (task("a", needs=Needs(labels={"role": "sensor"})), ["nas"]),
        (task("a"), ["nas"]),
    ],
)
def test_a_device_may_be_named_by_labels_that_no_other_has(spec, found):
    assert lost("look at the nas", spec) == found


def test_labels_that_several_devices_have_name_none():
    twin = DeviceCard("twin", labels=NAS.labels)
    spec = task("a", needs=Needs(labels={"role": "server"}))
    assert lost("look at the nas", spec, cards=(*CARDS, twin)) == ["nas"]


def test_what_is_cancelled_removed_or_failed_carries_nothing():
    goal, there = Goal("read /a/b"), task("a", args={"path": "/a/b"})
    before = run(there, task("b"))
    for edit in (CancelTask("a"), RemoveTask("a")):
        assert judge(complete, EditBatch(3, (edit,)), goal, snapshot=before) == [
            ("lost_literal", None)
        ]
    edit = add(task("c"))
    assert judge(complete, edit, goal, snapshot=before) == []
    for state in ("failed", "skipped", "cancelled"):
        gone = run((there, {"state": state}))
        assert judge(complete, edit, goal, snapshot=gone) == [("lost_literal", None)]
    assert judge(complete, edit, goal, snapshot=run((there, {"state": "succeeded"}))) == []


TABLE = SkillInfo("table", output_schema={"properties": {"rows": {}}}, effect=Effect.PURE)
ODD = SkillInfo("odd", output_schema={"properties": True})


@pytest.mark.parametrize(
    ("deliverable", "made"),
    [
        ("report", True),
        ("out/report.csv", True),
        ("rows", True),
        ("read.csv", False),
        ("nothing", False),
    ],
)
def test_each_deliverable_is_made_by_some_task(deliverable, made):
    plan = add(
        task("report", "write", args={"into": "./out/report.csv"}),
        task("x", "look", args={"path": "read.csv"}),
        task("last", "table"),
        task("odd", "odd"),
    )
    cards = (*CARDS, DeviceCard("db", skills=(TABLE, ODD)))
    found = judge(complete, plan, Goal("", (deliverable,)), cards=cards)
    assert found == ([] if made else [("deliverable", None)])


def test_what_others_use_is_no_output_of_the_run():
    plan = add(task("first", "table"), task("x", "look", args={"in": ref("first")}))
    cards = (*CARDS, DeviceCard("db", skills=(TABLE,)))
    assert judge(complete, plan, Goal("", ("rows",)), cards=cards) == [("deliverable", None)]


def test_literals_are_only_asked_for_with_a_goal():
    assert check(add(task("a")), CARDS) == ()
    assert [each.rule for each in check(add(task("a")), CARDS, goal=Goal("read /a/b"))] == [
        "lost_literal"
    ]
