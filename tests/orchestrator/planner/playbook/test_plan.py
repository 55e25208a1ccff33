import json

import pytest

from orchestrator.core.edits import AddDependency, AddTask
from orchestrator.core.model import Dependency, ForEach, Limits, Needs, On, Op, Predicate, TaskSpec
from orchestrator.planner import PlanningError
from orchestrator.planner.playbook import PlaybookError, load
from orchestrator.planner.playbook.format import schema
from protocol.types import Effect, PinScope, ResourceNeed

HEAD = "name: p\ndescription: d\n"
FULL = (
    HEAD
    + """
match: ["do {n} things"]
parameters:
  n: {type: integer, description: how many, default: 2}
  role: {description: where, default: null}
  box: {description: which device}
tasks:
  - id: look
    skill: files.list
    title: Look for ${n}
    device: ${box}
    args: {limit: "${n}", path: "top-${n}"}
    resources: [{kind: model, key: "m-${n}", amount: 5, scope: shared}]
    limits: {run_s: 9, attempts: 2}
    effect: pure
    estimate_s: 1.5
  - id: each
    skill: files.hash
    labels: {zone: a, role: "${role}"}
    for_each: {items: "${look.files}", min_success: 1}
    args: {path: "${item.path}"}
  - id: everywhere
    skill: system.facts
    for_each: {devices: {role: "${role}", zone: b}}
    after: [look, {task: each, on: completion}]
  - id: sorry
    skill: text.report
    args: {rows: "${look.files}"}
    after: [look, {task: each, on: failure}]
  - id: many
    skill: text.report
    args: {rows: "${look}"}
    after: [{task: look, when: {path: files.0.size, op: gt, value: "${n}"}}]
"""
)


def test_every_key_of_a_task_arrives_in_the_plan():
    plan = load(FULL, "f").plan({"box": "nas", "n": "3"})
    tasks = {edit.task.id: edit.task for edit in plan.edits if isinstance(edit, AddTask)}
    assert list(tasks) == ["look", "each", "everywhere", "sorry", "many"]
    assert tasks["look"] == TaskSpec(
        "look",
        "files.list",
        {"limit": 3, "path": "top-3"},
        title="Look for 3",
        needs=Needs("nas", resources=(ResourceNeed("model", "m-3", 5, PinScope.SHARED),)),
        limits=Limits(run_s=9, attempts=2),
        effect=Effect.PURE,
        estimate_s=1.5,
    )
    assert tasks["each"].for_each == ForEach({"$from": "look", "path": ["files"]}, min_success=1)
    assert tasks["each"].args == {"path": {"$item": ["path"]}}


TURNS = (
    HEAD
    + """
parameters:
  model: {description: which model}
  session: {description: which session}
tasks:
  - id: ask
    skill: llm.chat
    resources:
      - {kind: session, key: "${model}/${session}", amount: 1}
      - {kind: model, key: "${model}", amount: 8.0e+9, scope: shared}
  - id: look
    skill: web.search
    after: [ask]
  - id: say
    skill: llm.chat
    resources:
      - {kind: session, key: "${model}/${session}", amount: 1, scope: run}
      - {kind: model, key: "${model}", amount: 8.0e+9, scope: shared}
    after: [look]
"""
)


def test_tasks_that_name_the_same_warm_resources_share_them():
    edits = load(TURNS, "f").plan({"model": "llama", "session": "s1"}).edits
    ask, look, say = [edit.task.needs.resources for edit in edits if isinstance(edit, AddTask)]
    assert (
        ask
        == say
        == (
            ResourceNeed("session", "llama/s1", 1, PinScope.RUN),
            ResourceNeed("model", "llama", 8e9, PinScope.SHARED),
        )
    )
    assert look == ()


def test_the_schema_of_the_format_knows_warm_resources():
    parts = json.loads(schema())["$defs"]
    assert set(parts["ResourcePart"]["properties"]) == {"kind", "key", "amount", "scope"}
    assert parts["ResourcePart"]["required"] == ["kind", "key", "amount"]
    assert parts["TaskPart"]["properties"]["resources"]["items"] == {
        "$ref": "#/$defs/ResourcePart"
    }


def test_a_label_whose_parameter_is_null_is_not_asked_for():
    tasks = [edit.task for edit in load(FULL, "f").plan({"box": "nas"}).edits[:3]]
    assert tasks[1].needs.labels == {"zone": "a"}
    assert tasks[2].for_each == ForEach(labels={"zone": "b"})


def test_only_what_references_do_not_say_becomes_a_dependency():
    plan = load(FULL, "f").plan({"box": "nas"})
    edges = [edit.dependency for edit in plan.edits if isinstance(edit, AddDependency)]
    assert edges == [
        Dependency("look", "everywhere"),
        Dependency("each", "everywhere", On.COMPLETION),
        Dependency("each", "sorry", On.FAILURE),
        Dependency("look", "many", On.WHEN, Predicate(("files", 0, "size"), Op.GT, 2)),
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "playbook 'p' needs the parameter 'box': which device"),
        ({"box": "a", "x": 1}, "playbook 'p' has no parameter 'x', it has n, role, box"),
        ({"box": "a", "n": "x"}, "playbook 'p': parameter 'n' must be of type integer, got \"x\""),
    ],
)
def test_wrong_parameters_are_told_in_a_sentence(given, message):
    with pytest.raises(PlanningError) as caught:
        load(FULL, "f").plan(given)
    assert str(caught.value) == message


def problems(text):
    with pytest.raises(PlaybookError) as caught:
        load(text, "f")
    return str(caught.value).splitlines()


TASK = HEAD + "parameters:\n  p: {description: x, type: list}\ntasks:\n  - id: a\n    skill: s\n"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("    skil: t\n", "f:8:11: 'skil' is not known here"),
        ("    limits: {run_s: 0}\n", "f:8:21: write a number greater than 0, got 0"),
        ("    limits: {run_s: fast}\n", "f:8:21: write a number, got 'fast'"),
        ("    limits: {attempts: 1.5}\n", "f:8:24: write a whole number, got 1.5"),
        (
            "    expect: {path: [n], op: truthy}\n",
            "f:8:20: write a dotted path, such as disks.0.free",
        ),
        ("    after: b\n", "f:8:12: write a list, such as [a, b], got 'b'"),
        ("    labels: x\n", "f:8:13: write names with values, such as {name: value}, got 'x'"),
        ("    device: [d]\n", "f:8:13: write text, got ['d']"),
        ("    for_each: {}\n", "f:8:15: for_each takes either 'devices' or 'items'"),
        ("    for_each: {items: x}\n", "f:8:23: 'items' must be a reference to a list"),
        ("    for_each: {items: '${p}'}\n", "f:8:23: 'p' is not known here, there are a"),
        ("    args: {x: '${b.y}'}\n", "f:8:15: 'b' is not known here, there are a, p"),
        ("    args: {x: '${item}'}\n", "f:8:15: 'item' is not known here"),
        ("    args: {x: '${a}'}\n", "f:8:15: a task cannot use its own output"),
        ("    args: {x: '${p'}\n", "f:8:15: '${' is never closed"),
        ("    args: {x: '${p.q}'}\n", "f:8:15: a parameter is used whole: ${p}"),
        ("    args: {x: 'so ${p}'}\n", "f:8:15: this cannot be part of a text"),
        ("    title: ${a}\n", "f:8:12: 'a' is not known here, there are p"),
        ("    after: [b]\n", "f:8:13: there is no other task 'b'"),
        ("    after: [a]\n", "f:8:13: there is no other task 'a'"),
        ("    after: [{task: b, on: when}]\n", "f:8:27: write one of 'success', 'failure' or"),
        (
            "    after: [{task: b, when: {op: gt}}]\n",
            "f:8:29: op gt compares with 'value', which is missing",
        ),
        (
            "    after: [{task: b, on: failure, when: {op: truthy}}]\n",
            "f:8:13: 'when' looks at the output of a success, so it excludes on: failure",
        ),
        (
            "    resources: [{kind: kv, key: s, amount: -1}]\n",
            "f:8:44: write a number of at least 0, got -1",
        ),
        ("    resources: [{kind: kv, amount: 1}]\n", "f:8:17: 'key' is missing"),
        (
            "    resources: [{kind: kv, key: s, amount: 1, scope: all}]\n",
            "f:8:54: write one of 'run' or 'shared', got 'all'",
        ),
        (
            "    resources: [{kind: kv, key: s, amount: 1, ttl: 3}]\n",
            "f:8:52: 'ttl' is not known here",
        ),
        (
            "    resources: [{kind: kv, key: 's-${q}', amount: 1}]\n",
            "f:8:33: 'q' is not known here, there are p",
        ),
        (
            "    resources: [{kind: kv, key: '${a.x}', amount: 1}]\n",
            "f:8:33: 'a' is not known here, there are p",
        ),
        ("  - {id: a, skill: s}\n", "f:6:9: 2 tasks are called 'a'"),
        ("  - {id: p, skill: s}\n", "f:8:10: 'p' is the name of a parameter too"),
        ("  - {id: item, skill: s}\n", "f:8:10: 'item' stands for the item of a for_each"),
        ("  - {id: b}\n", "f:8:5: 'skill' is missing"),
        ("match: ['{q}']\n", "f:8:9: there is no parameter 'q', there are p"),
        ("match: ['[q']\n", "f:8:9: this cannot match: the brackets in '[q' do not pair"),
        ("match: [{regex: '('}]\n", "f:8:9: this cannot match: missing ), unterminated"),
        (
            "  - {id: b, skill: s, args: {x: 'see ${a}'}}\n",
            "f:8:33: an output cannot be part of a text: make that text by a task with skill",
        ),
        (
            "  - {id: b, skill: s, args: {x: '${a}'}, after: [{task: a, on: failure}]}\n",
            "f:8:50: the output of 'a' is used, which takes on: success",
        ),
        ("  - {id: b, skill: s, after: [a, a]}\n", "f:8:31: 'a' is named 2 times"),
        (
            "    after: [b]\n  - {id: b, skill: s, args: {x: '${a}'}}\n",
            "f:6:5: these tasks wait for each other: b, a",
        ),
    ],
)
def test_a_mistake_is_told_with_line_and_column(more, message):
    assert any(line.startswith(message) for line in problems(TASK + more)), problems(TASK + more)


def test_a_parameter_called_item_is_refused():
    text = HEAD + "parameters:\n  item: {description: x}\ntasks: [{id: a, skill: s}]\n"
    assert problems(text) == [
        "f:4:9: 'item' stands for the item of a for_each: rename it",
    ]


def test_a_default_of_another_type_is_refused():
    text = HEAD + "parameters:\n  n: {description: x, type: size, default: big}\n"
    assert problems(text + "tasks: [{id: a, skill: s}]\n") == [
        'f:4:44: it must be of type size, got "big"'
    ]


def test_all_mistakes_are_told_at_once():
    assert len(problems(TASK + "    after: [x, y]\n    title: ${z}\n")) == 3


def test_an_error_in_one_task_is_told_alone():
    assert len(problems(TASK + "    after: [{task: b, on: when}]\n")) == 1


def test_a_playbook_without_tasks_is_refused():
    assert problems(HEAD + "tasks: []\n") == ["f:3:8: a playbook needs at least one task"]


def test_what_is_no_mapping_is_refused():
    assert problems("- a\n")[0].startswith("f:1:1: ")
