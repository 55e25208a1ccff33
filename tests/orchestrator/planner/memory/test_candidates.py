"""A plan and its request → two runs → a candidate that matches both and gives both plans."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.model import ForEach, Limits, Needs, Op, Predicate
from orchestrator.planner.memory.candidates import candidate, difference
from orchestrator.planner.memory.errors import LearningError
from orchestrator.planner.memory.sampling import sample
from orchestrator.planner.memory.writing import dump
from orchestrator.planner.playbook import PlaybookPlanner, load
from protocol.types import ResourceNeed
from tests.orchestrator.planner.memory.runs import finished, plan, same, task

SHIPPED = PlaybookPlanner()
THEN = "group them by cause and write a report on the"
PAIRS = {
    "backup": ("Back up notes from alpha to beta.", "back up my photos from nas to laptop2"),
    "disk-space": (
        "Which disks are more than 90 percent full?",
        "which disks are more than 75 percent full",
    ),
    "error-report": (
        f"collect the errors of the last day from every server, {THEN} laptop",
        f"collect errors of the last 2 hours from every phone, {THEN} nas",
    ),
    "file-audit": (
        "Is etc/app.conf the same on every server?",
        "compare a.txt across all devices",
    ),
    "health": ("check the health of every server", "how busy are all the devices"),
    "http-check": ("who can reach https://example.com/health", "check http://a/ from every pi"),
    "inventory": ("list all my devices", "what devices are there"),
    "large-files": (
        "find all files larger than 2 GB",
        "find all files larger than 10 MiB not changed since 2024-01-01",
    ),
    "log-search": (
        "search the logs of the last 2 hours for timeout",
        "search the logs for out of memory",
    ),
    "process-hunt": ("where does python run", "where does postgres run"),
    "run-command": ("run uptime on every server", "run df, -h on every laptop"),
    "table-join": (
        "join o.csv on alpha with c.csv on beta by customer, and sum up price by country",
        "join a.csv on nas with b.csv on pi by id, day, and sum up total by city",
    ),
}


def learned(*runs, name=None):
    """Return the candidate of (request, plan) pairs."""
    samples = [sample(finished(f"run-{n}", *each)) for n, each in enumerate(runs)]
    return candidate(samples, name=name)


def replanned(found, request, **given):
    return same(found.playbook.plan({**found.playbook.match(request).parameters, **given}))


@pytest.mark.parametrize("name", PAIRS)
def test_a_playbook_is_found_again_from_two_of_its_runs(name):
    runs = []
    for request in PAIRS[name]:
        playbook, match = SHIPPED.find(request)
        assert playbook.name == name
        runs.append((request, playbook.plan(match.parameters)))
    found = learned(*runs)
    assert found.unsaid == ()
    assert [replanned(found, request) for request, _ in runs] == [same(p) for _, p in runs]


WORDS = st.text("abcdeé/._-$", min_size=1, max_size=6)
CONSTANTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(-1, 1)
    | st.sampled_from(["", "x", "${y}", "$", "on", "1e3", "a\nb", "12:30", "{z}", "long " * 30]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=5,
)


@st.composite
def parameters(draw):
    """Return name → (kind, what two requests say)."""
    found = {}
    for n in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from(["string", "integer", "duration", "size", "list"]))
        numbers = draw(st.lists(st.integers(2, 9), min_size=2, max_size=2, unique=True))
        values = {
            "string": [f"{draw(WORDS)}q{n}{run} {draw(WORDS)}z" for run in "ab"],
            "integer": [str(10 * number + 100 * n) for number in numbers],
            "duration": [f"{number + 10 * n} minutes" for number in numbers],
            "size": [f"{number + 10 * n} MiB" for number in numbers],
            "list": [f"l{n}{run}, m{n}{run}" for run in "ab"],
        }
        found[f"p{n}"] = kind, values[kind]
    return found


@st.composite
def playbooks(draw):
    """Return a playbook with parameters in all places that take them."""
    told = draw(parameters())
    texts = [f"${{{name}}}" for name, (kind, _) in told.items() if kind != "list"]
    words = [f"${{{name}}}" for name, (kind, _) in told.items() if kind == "string"]
    tasks = []
    for n in range(draw(st.integers(1, 4))):
        args = draw(st.dictionaries(st.sampled_from("abc"), CONSTANTS, max_size=3))
        args = {key: escaped(value) for key, value in args.items()}
        for name in draw(st.lists(st.sampled_from([*told] or [None]), max_size=3)):
            if name:
                args[f"with_{name}"] = f"${{{name}}}"
                args["all"] = [{"deep": f"${{{name}}}"}, "same"]
        if texts:
            args["said"] = f"before/{draw(st.sampled_from(texts))} after"
        before = [f"t{k}" for k in range(n)]
        each = {"id": f"t{n}", "skill": draw(st.sampled_from(["look", "write"])), "args": args}
        if before:
            args["from"] = f"${{{draw(st.sampled_from(before))}.rows.0}}"
            after = draw(
                st.sampled_from([b for b in before if f"{b}." not in args["from"]] or [""])
            )
            path = {"task": after, "when": {"path": "n", "op": "gt", "value": 1}}
            on = {"task": after, "on": draw(st.sampled_from(["failure", "completion"]))}
            each["after"] = [draw(st.sampled_from([after, path, on]))] if after else []
        if words:
            each["labels"] = draw(st.sampled_from([{}, {"role": draw(st.sampled_from(words))}]))
            each["title"] = draw(
                st.sampled_from(["plain", f"do {draw(st.sampled_from(words))} x"])
            )
            each["device"] = draw(st.sampled_from([None, draw(st.sampled_from(words))]))
        if draw(st.booleans()):
            each["for_each"] = {"devices": {"role": draw(st.sampled_from([*words, "fixed"]))}}
        tasks.append(each)
    declared = {name: {"description": "x", "type": kind} for name, (kind, _) in told.items()}
    doc = {"name": "made", "description": "x", "parameters": declared, "tasks": tasks}
    return load(dump(doc), "made"), {name: values for name, (_, values) in told.items()}


def escaped(value):
    match value:
        case str():
            return value.replace("${", "$${")
        case list():
            return [escaped(part) for part in value]
        case dict():
            return {key: escaped(part) for key, part in value.items()}
        case _:
            return value


@pytest.mark.timeout(120)
@settings(max_examples=100, deadline=None)
@given(playbooks())
def test_any_plan_is_found_again_from_two_of_its_runs(made):
    playbook, said = made
    runs = []
    for run in (0, 1):
        request = " ".join(
            ["arrange", *(f"word{name} {values[run]}" for name, values in said.items()), "finally"]
        )
        runs.append((request, playbook.plan({name: v[run] for name, v in said.items()})))
    found = learned(*runs)
    assert [replanned(found, request) for request, _ in runs] == [same(p) for _, p in runs]


def test_what_is_the_same_stays_even_if_the_request_says_it():
    found = learned(
        ("count errors on nas", plan(task("a", args={"word": "errors", "on": "nas"}))),
        ("count errors on pi", plan(task("a", args={"word": "errors", "on": "pi"}))),
    )
    assert found.playbook.part.tasks[0].args == {"word": "errors", "on": "${on}"}
    assert found.playbook.part.match == ("count errors on {on}",)


def test_one_run_alone_has_no_parameters():
    found = learned(("count errors on nas", plan(task("a", args={"word": "errors"}))))
    assert found.playbook.part.parameters == {}
    assert found.name == "count-errors-nas"


def test_children_of_a_for_each_are_folded_back():
    loop = task("a", for_each=ForEach({"$from": "b"}), args={"x": {"$item": ["name"]}})
    found = learned(("list files", plan(task("b"), loop)))
    assert [each.id for each in found.playbook.part.tasks] == ["b", "a"]
    assert found.playbook.part.tasks[1].for_each.items == "${b}"
    assert found.playbook.part.tasks[1].args == {"x": "${item.name}"}


def test_a_device_is_kept_only_where_the_request_names_it():
    said = task("a", needs=Needs(device="nas"))
    chosen = task("b", needs=Needs(device="pi"))
    found = learned(("look at nas", plan(said, chosen)))
    assert [each.device for each in found.playbook.part.tasks] == ["nas", None]


def test_a_device_that_differs_becomes_a_parameter_that_may_be_missing():
    found = learned(
        ("look at everything", plan(task("a"))),
        ("look at nas", plan(task("a", needs=Needs(device="nas")))),
    )
    assert found.playbook.part.tasks[0].device == "${device}"
    assert replanned(found, "look at everything") == same(plan(task("a")))


def test_what_differs_and_nobody_says_is_a_parameter_with_the_newest_as_default():
    runs = [
        (f"look at {name}", plan(task("a", args={"n": name, "limit": limit})))
        for name, limit in (("x", 50), ("y", 90))
    ]
    found = learned(*runs)
    assert found.unsaid == ("limit",)
    assert found.playbook.part.parameters["limit"].default == 90
    assert replanned(found, "look at y") == same(runs[1][1])
    assert replanned(found, "look at x", limit=50) == same(runs[0][1])


def test_a_resource_key_and_a_condition_may_have_parameters():
    def run(model, limit):
        need = Needs(resources=(ResourceNeed("model", model, 4.0),))
        return (
            f"ask {model} until {limit} answers",
            plan(
                task("a", needs=need),
                task("b"),
                edges=[("a", "b", "when", Predicate(("total",), Op.GT, limit))],
            ),
        )

    runs = [run("llama", 3), run("qwen", 5)]
    found = learned(*runs)
    assert found.playbook.part.match == ("ask {key} until {value} answers",)
    assert [replanned(found, request) for request, _ in runs] == [same(p) for _, p in runs]


def test_two_values_that_are_often_the_same_are_kept_apart_by_their_places():
    runs = [
        ("copy a to a", plan(task("t", args={"to": "a", "from": "a"}))),
        ("copy b to c", plan(task("t", args={"to": "c", "from": "b"}))),
    ]
    found = learned(*runs)
    assert found.playbook.part.match == ("copy {from} to {to}",)
    assert [replanned(found, request) for request, _ in runs] == [same(p) for _, p in runs]


def test_a_phrase_that_would_take_the_wrong_words_becomes_a_regular_expression():
    runs = [
        ("copy a to b to c", plan(task("t", args={"from": "a to b", "to": "c"}))),
        ("copy d to e", plan(task("t", args={"from": "d", "to": "e"}))),
    ]
    found = learned(*runs)
    assert found.playbook.part.match[0].regex.startswith("copy\\ (?P<from>.+?)")
    assert [replanned(found, request) for request, _ in runs] == [same(p) for _, p in runs]


def test_words_that_nobody_can_tell_apart_are_refused():
    with pytest.raises(LearningError, match="no phrase takes the right words"):
        learned(
            ("tell x y z", plan(task("t", args={"who": "x y", "what": "z"}))),
            ("tell u v w", plan(task("t", args={"who": "u", "what": "v w"}))),
        )


def test_words_inside_other_words_leave_those_their_parameter():
    runs = [
        (f"put {name}.conf in place", plan(task("t", args={"file": f"{name}.conf", "of": [name]})))
        for name in ("app", "db")
    ]
    found = learned(*runs)
    assert found.playbook.part.match == ("put {file} in place",)
    assert found.unsaid == ("of",)


def test_brackets_in_a_request_are_words():
    runs = [
        (f"count [x] in {name}", plan(task("t", args={"file": name})))
        for name in ("a.txt", "b.txt")
    ]
    found = learned(*runs)
    assert [replanned(found, request) for request, _ in runs] == [same(p) for _, p in runs]


def test_tasks_called_otherwise_are_found_by_what_they_do():
    one = plan(task("x", "read"), task("y", "write", args={"text": {"$from": "x", "path": ["t"]}}))
    two = plan(task("p", "write", args={"text": {"$from": "q", "path": ["t"]}}), task("q", "read"))
    found = learned(("copy it over", one), ("copy it over again", two))
    assert same(found.playbook.plan({})) == same(two)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (task("a"), task("a", "write")),
        (task("a", args={"x": 1}), task("a", args={"y": 1})),
        (task("a", for_each=ForEach()), task("a")),
        (task("a", for_each=ForEach()), task("a", for_each=ForEach(min_success=1))),
        (task("a", args={"x": {"$from": "b"}}), task("a", args={"x": 1})),
        (
            task("a", args={"x": {"$from": "b"}}),
            task("a", args={"x": {"$from": "b", "path": [1]}}),
        ),
        (task("a", args={"x": 1}), task("a", args={"x": "1"})),
    ],
)
def test_runs_that_do_different_things_are_not_put_together(one, two):
    with pytest.raises(LearningError):
        learned(("do this", plan(task("b"), one)), ("do this", plan(task("b"), two)))


def test_a_request_without_a_word_of_its_own_would_match_all_and_is_refused():
    with pytest.raises(LearningError, match="no word of"):
        learned(
            ("uptime", plan(task("a", "run", args={"command": "uptime"}))),
            ("reboot", plan(task("a", "run", args={"command": "reboot"}))),
        )


def test_limits_and_estimates_are_those_of_the_newest_run():
    found = learned(
        ("look around", plan(task("a", limits=Limits(run_s=5), estimate_s=1.0))),
        ("look around", plan(task("a", limits=Limits(run_s=9), estimate_s=2.5))),
    )
    assert found.playbook.part.tasks[0].limits.run_s == 9
    assert found.playbook.part.tasks[0].estimate_s == 2.5


def test_no_secret_gets_into_a_candidate():
    runs = [
        (
            f"log in to {device} with password {secret} please",
            plan(task("a", args={"to": device, "password": secret, "url": f"x://u:{secret}@h"})),
        )
        for device, secret in (("nas", "hunter2"), ("pi", "s3cret!"))
    ]
    found = learned(*runs)
    assert "hunter2" not in found.text
    assert "s3cret!" not in found.text
    assert "default" not in found.text
    assert found.playbook.part.match == ("log in to {to} with password {password} please",)
    assert [replanned(found, request) for request, _ in runs] == [same(p) for _, p in runs]


def test_a_secret_that_is_always_the_same_becomes_a_parameter_that_must_be_given():
    found = learned(("read the mail", plan(task("a", args={"token": "t0ps3cret"}))))
    assert found.unsaid == ("token",)
    assert found.playbook.part.parameters["token"].required
    assert "t0ps3cret" not in found.text


def test_a_secret_that_was_said_for_nothing_is_in_no_phrase():
    found = learned(("look around, the password is hunter2", plan(task("a"))))
    assert "hunter2" not in found.text
    assert replanned(found, "look around, the password is other1") == same(plan(task("a")))


def test_the_file_is_readable_and_loads_as_it_is():
    found = learned(
        ("count errors on nas", plan(task("a", args={"on": "nas"}, title="Look at nas"))),
        ("count errors on pi", plan(task("a", args={"on": "pi"}, title="Look at pi"))),
        name="counting",
    )
    assert found.text == (
        "# Learned from 2 runs: run-0, run-1\n"
        "name: counting\n"
        "description: 'As in: count errors on {on}'\n"
        "match: ['count errors on {on}']\n"
        "parameters:\n"
        '  on: {description: As in "pi" or "nas".}\n'
        "tasks:\n"
        "  - id: a\n"
        "    title: Look at ${on}\n"
        "    skill: look\n"
        "    args: {on: '${on}'}\n"
    ).replace("{on: '", "{'on': '").replace("  on:", "  'on':")
    assert load(found.text, "f").part == found.playbook.part


def test_the_difference_shows_what_adopting_would_change():
    old = learned(("count errors", plan(task("a", args={"n": 1}))), name="same")
    new = learned(("count errors", plan(task("a", args={"n": 2}))), name="same")
    assert difference(old, old.playbook) == ""
    lines = difference(new, old.playbook).splitlines()
    assert "-    args: {n: 1}" in lines
    assert "+    args: {n: 2}" in lines


def test_nothing_comes_of_nothing():
    with pytest.raises(LearningError, match="no run"):
        candidate([])
