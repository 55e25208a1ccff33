"""What a judge is told: bounded, summed up, and without secrets."""

import pytest

from orchestrator.core.lifecycle import TaskState
from orchestrator.core.model import ForEach
from orchestrator.planner.judging import outline as outlines
from orchestrator.planner.judging.outline import SHOWN, Outline, outlined
from orchestrator.planner.judging.question import SYSTEM, question
from protocol.chat.tokens import estimate
from protocol.types import Failed, FailureKind, Succeeded
from tests.orchestrator.planner.llm.cases import task as row
from tests.support.world import RUN, World, edge, task

TOKEN = "sk-abcdefghijklmnop"  # noqa: S105 - a made one
RESULTS = (row("join", TaskState.SUCCEEDED, output={"lines": ["x"] * 500, "ok": True}),)
LOST = (row("send", TaskState.FAILED, reason="no such\nhost"),)
PLAN = (
    row("find", TaskState.SUCCEEDED, skill="files.search", args={"path": "/var/log"}),
    row("join", TaskState.SUCCEEDED, "find", output={"ok": True}),
)
COUNTS = {TaskState.SUCCEEDED: 2, TaskState.FAILED: 1}
OUTLINE = Outline("r", "Search\nthe logs", "failed", "send failed", COUNTS, RESULTS, LOST, PLAN)


def asked(tokens=4000, secrets=(), **changes):
    fields = {name: getattr(OUTLINE, name) for name in Outline.__slots__} | changes
    system, user = question(Outline(**fields), tokens, secrets)
    assert (system.role, system.text) == ("system", SYSTEM)
    return user.text


def test_the_request_the_end_results_losses_and_plan_are_told():
    assert asked().split("\n") == [
        "Request: Search the logs",
        "The run failed: send failed",
        "Tasks: 1 failed, 2 succeeded.",
        "",
        "Results:",
        '- join (text.join): {"lines":{"list of":500,"first":"x"},"ok":true}',
        "",
        "Came to nothing:",
        "- send (text.join, failed): no such host",
        "",
        "Plan:",
        '- find (succeeded): files.search {"path":"/var/log"}',
        "- join (succeeded): text.join {} after find",
    ]


def test_a_run_without_tasks_is_told_too():
    nothing = dict.fromkeys(("results", "lost", "plan"), ())
    assert asked(counts={}, reason="", **nothing).endswith("The run failed\nTasks: none.")


@pytest.mark.parametrize("tokens", [400, 1000, 3000])
def test_a_question_keeps_to_its_bound(tokens):
    long = tuple(row(f"t{n}", TaskState.SUCCEEDED, output="word " * 999) for n in range(SHOWN))
    text = asked(tokens, results=long, plan=long, request="é" * 100)
    assert estimate(SYSTEM) + estimate(text) <= tokens + 20
    assert ("… and " in text) is (tokens <= 1000)


def test_a_bound_that_is_too_small_leaves_the_head():
    assert asked(1).startswith("Request: Search the logs\nThe run failed")
    assert "Results" not in asked(1)


def test_no_secret_is_told_wherever_it_stood():
    said = {
        "password": "hunter2hunter2",
        "nested": {"api_key": 12345678, "note": f"Bearer {TOKEN}"},
        "$artifact": {"token": "artifact-token-1"},
        "ours": "the-key-of-the-judge",
    }
    text = asked(
        secrets=("the-key-of-the-judge",),
        request=f"use {TOKEN}",
        reason="refused: password=hunter22",
        results=(row("a", TaskState.SUCCEEDED, output=said),),
        lost=(row("b", TaskState.FAILED, reason=f"https://me:{TOKEN}@host said no"),),
        plan=(row("a", TaskState.SUCCEEDED, args=said),),
    )
    for secret in (TOKEN, "hunter2", "12345678", "artifact-token-1", "the-key-of-the-judge"):
        assert secret not in text
    assert "[secret" in text


def test_deep_and_wide_values_are_cut():
    deep = "the bottom"
    for _ in range(200):
        deep = {"a": deep}
    wide = {f"k{n}": {f"j{m}": "a,b;c=D1," * 40 for m in range(16)} for n in range(64)}
    rows = [row(f"t{n}", TaskState.SUCCEEDED, output=wide) for n in range(SHOWN)]
    text = asked(results=(row("a", TaskState.SUCCEEDED, output=deep), *rows))
    assert "bottom" not in text
    assert '- a (text.join): {"a":{"a":"object of 1"}}' in text


def test_a_secret_in_a_long_value_is_not_told():
    cut = f"{'word ' * 11}Aa1{'Bb2' * 20}{' word' * 99}"
    long = {
        "password": "hunter2hunter2",
        "cut": cut,
        "lines": ["x"] * 500,
        "k": {"api_key": TOKEN},
    }
    text = asked(results=(row("a", TaskState.SUCCEEDED, output=long),))
    assert '"list of":500' in text
    assert "hunter2" not in text
    assert "Aa1" not in text
    assert TOKEN not in text


def test_a_summary_says_how_much_there_is():
    many = {f"k{n:02}": n for n in range(70)}
    told = asked(results=(row("a", TaskState.SUCCEEDED, output=[many] * 30),))
    assert '"list of":30' in told
    assert "70 in all" in told


async def test_what_a_task_expanded_to_is_only_counted():
    world = World()
    world.device("d")
    world.submit(task("each", for_each=ForEach([1, 2])))
    world.do("each[0]", "each[1]")
    found = await outlined(world.engine.state.runs[RUN])
    assert found.counts == {"succeeded": 3}
    for tasks in (found.results, found.plan):
        assert [each.spec.id for each in tasks] == ["each"]


async def test_a_run_is_looked_at_in_bounded_parts(monkeypatch):
    monkeypatch.setattr(outlines, "AT_ONCE", 3)
    world = World()
    world.device("d", slots=99)
    names = [f"t{n}" for n in range(SHOWN + 5)]
    each = task("each", for_each=ForEach([1, 2]))
    world.submit(task("bad"), task("first"), each, *map(task, names), edge("first", "t0"))
    world.finish("bad", Failed(FailureKind.BAD_INPUT, "no such host"))
    for name in ("first", "each[0]", "each[1]", *names):
        world.finish(name, Succeeded({"name": name}))

    found = await outlined(world.engine.state.runs[RUN])

    assert found.status == "failed"
    assert found.counts == {"failed": 1, "succeeded": SHOWN + 9}
    assert [(each.spec.id, "no such host" in each.reason) for each in found.lost] == [
        ("bad", True)
    ]
    assert [each.spec.id for each in found.results] == ["each", *names[: SHOWN - 1]]
    assert [each.spec.id for each in found.plan] == ["bad", "first", "each", *names[: SHOWN - 3]]
    assert found.results[1].output == {"name": "t0"}
