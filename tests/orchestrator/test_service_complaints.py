"""Requests that make no sense: one line in plain words, with the place and what to write."""

import re

import pytest

from orchestrator.client import CallFailedError
from protocol.types import FailureKind
from tests.support.service import served

PLAN = {"edits": [{"add_task": {"id": "a", "skill": "s"}}]}
FOREIGN = re.compile(
    r"Input|[Tt]uple|dictionary|instance|Field|unable to|after validation|Value e"
)
ADD = {"id": "a", "skill": "s"}


def batch(**task):
    return {"request": "x", "plan": {"edits": [{"add_task": {**ADD, **task}}]}}


@pytest.mark.parametrize(
    ("skill", "args", "said"),
    [
        ("submit", {}, "submit: 'request' is missing"),
        ("submit", {"request": 5}, "submit: request: write text, got 5"),
        ("submit", {"request": ""}, "submit: request: write text: it is empty"),
        ("submit", {"request": " \n"}, "request: it is blank: say in words what is to be done"),
        ("submit", {"request": "x" * 10_001}, "write at most 10000 characters, got 10001"),
        ("submit", {"request": "x", "reqest": 1}, "'reqest' is not known here, did you mean"),
        ("submit", {"request": "x", "parameters": [1]}, "parameters: write names with values"),
        ("submit", {"request": "x", "priority": 1.5}, "priority: write a whole number, got 1.5"),
        ("submit", {"request": "x", "priority": 10**9}, "write a number of at most 1000000"),
        ("submit", {"request": "x", "deadline_s": 0}, "deadline_s: write a number greater than 0"),
        ("submit", {"request": "x", "deadline_s": "soon"}, "write a number, got 'soon'"),
        ("submit", {"request": "x", "deliverables": "a"}, "deliverables: write a list"),
        ("submit", {"request": "x", "plan": []}, "plan: write names with values"),
        ("submit", {"request": "x", "plan": {"edits": []}}, "plan.edits: write one at least"),
        ("submit", {"request": "x", "plan": {"edits": [{"add_task": {"id": "a"}}]}},
         "plan.edits.0.add_task: 'skill' is missing"),
        ("submit", batch(effect="twice"), "effect: write one of 'pure', 'idempotent' or 'once'"),
        ("submit", batch(needs={"labels": ["a"]}), "needs.labels: write names with values"),
        ("submit", batch(limits={"attempts": 0}), "limits.attempts is 0: write a number greater"),
        ("submit", batch(id=""), "write an id and a skill, not blanks"),
        ("events", {"run": "x", "wait_s": 99}, "wait_s: write a number of at most 20, got 99"),
        ("events", {"run": "x", "after": "y"}, "after: write a whole number, got 'y'"),
        ("settle", {"run": "x", "task": "a", "outcome": "lost"}, "write one of 'succeeded' or"),
        ("show", {"run": None}, "run: write text, got None"),
    ],
)  # fmt: skip
async def test_bad_input_is_told_in_plain_words(skill, args, said):
    async with served() as (orchestrator, client):
        with pytest.raises(CallFailedError) as caught:
            await client.call(skill, args)
        assert orchestrator.runs() == ()
    line = str(caught.value)
    assert said in line
    assert not FOREIGN.search(line)
    assert "\n" not in line
    assert caught.value.kind is FailureKind.BAD_INPUT
