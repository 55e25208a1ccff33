"""The judge on the virtual clock, with a model that says what it is told to."""

import asyncio

import pytest

from orchestrator.planner.judging import judge as judges
from orchestrator.planner.judging.bounds import Bounds
from orchestrator.planner.judging.judge import Judge
from orchestrator.planner.judging.outline import Outline
from orchestrator.planner.judging.verdict import SCHEMA, Verdict
from protocol.chat.exchange import ModelError, TryAgainError
from protocol.telemetry import Level
from tests.support.scripted_model import ScriptedModel

GOOD = {"score": 0.8, "reasons": ["all is there"]}
TAKEN = Verdict(0.8, ("all is there",))


async def look(run):
    return Outline(run, f"do {run}", "succeeded", "", {}, (), (), ())


@pytest.fixture
def log(monkeypatch):
    lines = []

    def write(level, event, **keys):
        assert (level, event) == (Level.WARNING, "not_judged")
        lines.append((keys["run"], keys["reason"]))

    monkeypatch.setattr(judges, "write", write)
    return lines


async def judged(model, *runs, look=look, bounds=Bounds(), for_s=1000.0, keep=None):  # noqa: B008
    """Let runs end, and return the verdicts that there are after some time."""
    found = {}
    judge = Judge(model, bounds=bounds)
    for run in runs:
        judge.ended(run)
    async with asyncio.TaskGroup() as group:
        judging = group.create_task(judge.run(look, keep or found.__setitem__), name="judge")
        await asyncio.sleep(for_s)
        judging.cancel()
    return found


async def test_runs_are_judged_one_after_the_other(log):
    model = ScriptedModel(5.0, GOOD, {"score": 0, "reasons": []})
    assert await judged(model, "a", "b") == {"a": TAKEN, "b": Verdict(0.0)}
    assert model.at == pytest.approx([0.0, 5.0], abs=0.1)
    call = model.calls[0]
    assert (call.schema, call.answer_tokens) == (SCHEMA, Bounds().answer_tokens)
    assert call.messages[1].text.startswith("Request: do a\n")
    assert log == []


@pytest.mark.parametrize(
    "first",
    [
        "no JSON",
        {"score": 7, "reasons": []},
        TryAgainError("busy"),
        TryAgainError("", retry_after_s=9.0),
    ],
)
async def test_what_may_pass_is_asked_again(first, log):
    assert await judged(ScriptedModel(first, GOOD), "a") == {"a": TAKEN}
    assert log == []


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (["no JSON", "nor now"], "no JSON object|expected"),
        ([ModelError("the key is wrong")], "the key is wrong"),
        ([TryAgainError("busy"), TryAgainError("still busy")], "still busy"),
        ([TryAgainError("far too busy", retry_after_s=9999.0)], "far too busy"),
        ([301.0, GOOD], "no verdict within 300 s"),
        ([ValueError("a bug")], "ValueError: a bug"),
    ],
)
async def test_what_goes_wrong_is_logged_and_the_next_run_is_judged(script, why, log):
    assert await judged(ScriptedModel(*script, GOOD), "a", "b") == {"b": TAKEN}
    ((run, reason),) = log
    assert run == "a"
    assert why.split("|")[0] in reason or why.split("|")[-1] in reason


async def test_a_run_that_is_gone_is_not_asked_about(log):
    async def gone(run):
        return None if run == "a" else await look(run)

    model = ScriptedModel(GOOD)
    assert await judged(model, "a", "b", look=gone) == {"b": TAKEN}
    assert len(model.calls) == 1
    assert log == []


async def test_a_verdict_that_cannot_be_kept_ends_nothing(log):
    kept = []

    def keep(run, _verdict):
        if run == "a":
            raise RuntimeError("the journal is closed")
        kept.append(run)

    await judged(ScriptedModel(GOOD, GOOD), "a", "b", keep=keep)
    assert kept == ["b"]
    assert log == [("a", "RuntimeError: the journal is closed")]


async def test_what_ends_while_the_queue_is_full_is_not_judged(log):
    found = await judged(ScriptedModel(GOOD, GOOD), "a", "b", "c", bounds=Bounds(waiting=2))
    assert list(found) == ["a", "b"]
    assert log == [("c", "2 runs wait for the judge already")]
