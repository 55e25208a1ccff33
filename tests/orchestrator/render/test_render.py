import io
import string
from dataclasses import fields

import pytest
from rich.console import Console

from orchestrator.core import facts as f
from orchestrator.core.facts import RunStatus
from orchestrator.core.lifecycle import TaskState
from orchestrator.core.model import Dependency, Needs, On, Op, Predicate, TaskSpec
from orchestrator.core.snapshot import DeviceSnapshot, RunSnapshot, TaskSnapshot
from orchestrator.journal.codec import KINDS
from orchestrator.planner.playbook import load
from orchestrator.render import graph, story, tables
from orchestrator.render.progress import AFTER, Progress
from protocol.types import DeviceCard, DeviceId, Load, RunId, SkillInfo, TaskId


@pytest.fixture(autouse=True)
def _utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    story.time.tzset()


def text(shown, width=200):
    out = Console(width=width, highlight=False)
    with out.capture() as capture:
        out.print(shown)
    return "\n".join(line.rstrip() for line in capture.get().rstrip().splitlines())


def task(name, state=TaskState.WAITING, *after, **more):
    edges = tuple(
        each if isinstance(each, Dependency) else Dependency(TaskId(each), TaskId(name))
        for each in after
    )
    given = {"reason": "", "output": None, "dependencies": edges, **more}
    return TaskSnapshot(given.pop("spec", TaskSpec(TaskId(name), "work")), state, **given)


def edge(before, after, on, when=None):
    return Dependency(TaskId(before), TaskId(after), on, when)


RUN = RunSnapshot(
    RunId("r1"),
    "collect [all] errors",
    2,
    RunStatus.RUNNING,
    (
        task("report", TaskState.WAITING, "collect", edge("spare", "report", On.COMPLETION)),
        task("collect", TaskState.ACTIVE),
        task("collect[a]", TaskState.ACTIVE, device=DeviceId("a"), attempts=2, parent="collect"),
        task(
            "spare",
            TaskState.SKIPPED,
            edge("collect", "spare", On.WHEN, Predicate(("n", 0), Op.GT, 3)),
            reason="not taken",
        ),
    ),
    paused=True,
)


def test_graph_is_laid_out_level_by_level_with_its_edges():
    assert text(graph.graph(RUN)) == (
        "run r1, revision 2: collect [all] errors\n"
        "running, paused\n"
        "level 1\n"
        "  collect       active          work\n"
        "    collect[a]  active          work  on a  try 2\n"
        "level 2\n"
        "  spare         skipped         work  ← collect (when n.0 gt 3)  not taken\n"
        "level 3\n"
        "  report        waiting         work  ← collect, spare (on completion)"
    )


def test_a_run_without_tasks_shows_its_reason():
    failed = RunSnapshot(RunId("r"), "x", 0, RunStatus.FAILED, (), "no plan")
    assert text(graph.graph(failed)) == "run r, revision 0: x\nfailed: no plan"


def test_a_task_is_shown_with_what_it_got_and_came_to():
    spec = TaskSpec(TaskId("t"), "work", {"n": 1}, "Do it", needs=Needs(labels={"role": "server"}))
    shown = task("t", TaskState.SUCCEEDED, "s", spec=spec, output="done", attempts=1)
    assert text(graph.task(shown)) == (
        "task       t  Do it\n"
        "state      succeeded\n"
        "skill      work\n"
        "device     role=server\n"
        "after      ← s\n"
        "tries      1\n"
        "arguments  n: 1\n"
        "output     done"
    )


@pytest.mark.parametrize(
    ("state", "words"),
    [(TaskState.UNKNOWN, "`muster settle`"), (TaskState.INPUT_REQUIRED, "`muster answer`")],
)
def test_a_task_that_waits_for_a_person_names_the_command(state, words):
    waiting = task("t", state, reason="why")
    assert f"{state}  why  (" in text(graph.task(waiting))
    assert words in text(graph.task(waiting))
    run = RunSnapshot(RunId("r"), "x", 1, RunStatus.RUNNING, (waiting,))
    assert words in text(graph.graph(run))


def test_a_result_names_outputs_and_what_is_missing():
    run = RunSnapshot(
        RunId("r"),
        "x",
        1,
        RunStatus.FAILED,
        (
            task("a", TaskState.SUCCEEDED, output=[1]),
            task("b", TaskState.FAILED, reason="disk full"),
            task("c", TaskState.SUCCEEDED),
        ),
        "b failed",
    )
    assert text(graph.result(run)) == "failed: b failed\na:\n  - 1\nc\nmissing b: disk full"


def test_devices_are_a_table():
    skills = (SkillInfo("x"), SkillInfo("y"))
    fleet = [
        DeviceSnapshot(
            DeviceCard(DeviceId("a"), labels={"role": "[b]"}, skills=skills, slots=2),
            True,  # noqa: FBT003 - online
            Load(),
            ((RunId("r"), TaskId("t")),),
        ),
        DeviceSnapshot(DeviceCard(DeviceId("b")), True, Load(draining=True)),  # noqa: FBT003
        DeviceSnapshot(DeviceCard(DeviceId("c")), False, Load()),  # noqa: FBT003
        DeviceSnapshot(DeviceCard(DeviceId("d")), True, Load(battery=0.0)),  # noqa: FBT003
    ]
    assert text(tables.devices(fleet)) == (
        "device  state        slots  skills  labels    working on\n"
        "a       online       1/2    2       role=[b]  r/t\n"
        "b       draining     0/1    0\n"
        "c       lost         0/1    0\n"
        "d       low battery  0/1    0"
    )


def test_runs_are_a_table():
    run = {"run": "r", "status": "failed", "reason": "why", "request": "x", "wall": 0.0}
    counts = {"counts": {"succeeded": 1, "failed": 2}, "paused": False}
    paused = {**run, "status": "running", "reason": "", "counts": {}, "paused": True}
    ended = {**paused, "status": "cancelled"}
    assert text(tables.runs([{**run, **counts}, paused])) == (
        "run  status  tasks  submitted         request  reason\n"
        "r    failed  1/3    1970-01-01 00:00  x        why\n"
        "r    paused  0/0    1970-01-01 00:00  x"
    )
    assert "cancelled" in text(tables.runs([ended]))


def test_a_narrow_terminal_cuts_the_longest_columns_and_keeps_the_ids_whole():
    run = {"run": "fd588dc82e35", "status": "failed", "wall": 0.0, "counts": {}, "paused": False}
    told = {**run, "request": "collect the errors " * 5, "reason": "none of them is there " * 9}
    out = Console(width=60, file=io.StringIO())
    out.print(tables.runs([told]))
    line = out.file.getvalue().splitlines()[-1]
    assert line.startswith("fd588dc82e35  failed  0/0    1970-01-01 00:00  coll")
    assert line.endswith("…")


def test_playbooks_say_what_to_say():
    playbook = load(
        """
name: sheep
description: Count them.
match: ["count [all] sheep on {farm}", {regex: "sheep.*"}]
parameters:
  farm: {description: where}
  kind: {description: which, default: black}
  shed: {description: only there, default: null}
tasks:
  - {id: count, skill: count, args: {farm: "${farm}", kind: "${kind}"}}
""",
        "sheep.yaml",
    )
    assert text(tables.playbooks([playbook])) == (
        "playbook  what it does  say                          parameters\n"
        "sheep     Count them.   count [all] sheep on {farm}  farm: string\n"
        "                                                     kind: string = black\n"
        "                                                     shed: string, optional"
    )


def event(kind, wall=0.0, **data):
    return {"seq": 1, "wall": wall, "fact": kind.__name__, "data": data}


def test_every_fact_has_a_sentence_of_its_own_fields():
    assert set(story.SENTENCES) == set(KINDS.values())
    templates = {kind: s for kind, s in story.SENTENCES.items() if isinstance(s, str)}
    for kind, sentence in templates.items():
        named = {name for _, name, _, _ in string.Formatter().parse(sentence) if name}
        assert named <= {field.name for field in fields(kind)}, kind


SPEC = {"$": "TaskSpec", "id": "t"}
EDGE = {"$": "Dependency", "predecessor": "a", "successor": "b"}


@pytest.mark.parametrize(
    ("told", "line"),
    [
        (event(f.TaskPlaced, task="t", number=2, device="d"), "t: try 2 offered to d"),
        (
            event(f.TaskPlaced, task="t", device="d", hedge={"age_s": 12.04, "times": 2.08}),
            "t: hedged on d after 12.0 s (2.1x estimate)",
        ),
        (event(f.AttemptOutrun, task="t", hedge=False, ran_s=14.0), "t: the hedge won"),
        (event(f.AttemptOutrun, task="t", hedge=True, ran_s=None), "t: the hedge lost"),
        (event(f.AttemptSucceeded, task="t", run_s=1.25), "t: succeeded after 1.2 s"),
        (event(f.AttemptSucceeded, task="t", run_s=None), "t: succeeded"),
        (event(f.AttemptSucceeded, task="t", omitted_bytes=9), "t: succeeded"),
        (event(f.TasksReady, tasks=list("abcdefgh")), "a, b, c, d, e, f: ready"),
        (event(f.RunEnded, status="succeeded", reason=""), "succeeded"),
        (
            event(f.TaskExpanded, task="t", children=[{"id": str(n)} for n in range(8)]),
            "t: expanded into 0, 1, 2, 3, 4, 5 and 2 more",
        ),
        (
            event(
                f.EditAccepted,
                revision=3,
                by="me",
                edits=[
                    {"$": "AddTask", "task": SPEC},
                    {"$": "ReplaceTask", "task": SPEC},
                    {"$": "RemoveTask", "task": "u"},
                    {"$": "AddDependency", "dependency": EDGE},
                    {**EDGE, "$": "RemoveDependency"},
                ],
            ),
            "revision 3 by me: add t, replace t, remove u, b after a, no longer b after a",
        ),
        (
            event(
                f.EditAccepted,
                revision=1,
                by="me",
                edits=[{"$": "CancelTask", "task": "t"}, {"$": "SetArgs", "task": "v"}],
            ),
            "revision 1 by me: cancel t, set the arguments of v",
        ),
        (
            event(f.EditRefused, by="me", reasons=[{"$": "Reason", "detail": "no such task"}]),
            "an edit by me was refused: no such task",
        ),
        (
            event(f.InputAnswered, task="t", by="me", answer={"a": 1, "b": [True, "x"]}),
            "t: answered by me: a=1, b=True, x",
        ),
        (
            event(f.TaskRecovering, task="t", awaiting="planner", why="x"),
            "t: to be tried again (planner): x",
        ),
        (
            event(f.TaskRecovering, task="t", awaiting="review_once", why="x"),
            "t: its result waits for the planner: x",
        ),
        (
            event(f.TaskSettled, task="t", by="plan"),
            "t: its result stands, since the planner left it as it is",
        ),
        (event(f.TaskSettled, task="t", by="ann"), "t: succeeded, says ann"),
        (
            event(f.PlanAnswered, ask="r/plan", ok=False, detail="too hard"),
            "the planner has no plan",
        ),
        (event(f.PlanAnswered, ask="r/plan", ok=True, detail=""), "the planner answered"),
        (
            event(f.PlanAnswered, ask="r/0", ok=False, detail="too hard"),
            "the planner answered: too hard",
        ),
        ({**event(f.RunPaused), "fact": "OfALaterRelease"}, "OfALaterRelease"),
    ],
)
def test_events_are_told_in_sentences(told, line):
    assert story.line({**told, "wall": 61.0}) == f"00:01:01  {line}"


def progress(*events):
    made = Progress()
    for each in events:
        made.take(each)
    return made


ADDED = event(
    f.EditAccepted, edits=[{"$": "AddTask", "task": {"id": name}} for name in ("one", "two")]
)


def test_progress_shows_state_device_seconds_and_the_last_word():
    shown = progress(
        ADDED,
        event(f.TasksReady, tasks=["one"]),
        event(f.TaskPlaced, 10.0, task="one", device="a", number=1),
        event(f.AttemptStarted, 11.0, task="one"),
        event(f.AttemptSucceeded, 13.0, task="one", run_s=2.0),
        event(f.TaskPlaced, 21.0, task="two", device="b", number=1),
    )
    assert text(shown.table(22.5, rows=10)) == (
        "task  state      device    s  1 of 2 done\n"
        "one   succeeded  a       2.0  succeeded after 2.0 s\n"
        "two   active     b       1.5  try 1 offered to b"
    )


def test_progress_follows_expansion_and_removal():
    shown = progress(
        ADDED,
        event(f.EditAccepted, edits=[{"$": "RemoveTask", "task": "two"}]),
        event(f.TaskExpanded, task="one", children=[{"id": "one[0]"}]),
    )
    assert {name: line.state for name, line in shown.lines.items()} == {
        "one": TaskState.ACTIVE,
        "one[0]": TaskState.WAITING,
    }


def test_progress_shows_what_matters_most_where_there_is_little_room():
    shown = progress(
        ADDED,
        event(f.TaskFailed, task="one", reason="x"),
        event(f.TasksReady, tasks=["three"]),
        event(f.TaskPlaced, task="two", device="a", number=1),
    )
    lines = text(shown.table(0.0, rows=2)).splitlines()
    assert [line.split()[0] for line in lines] == ["task", "one", "two"]


def test_states_of_the_progress_follow_known_facts():
    assert set(AFTER) <= set(KINDS.values())
