import asyncio

import pytest

from orchestrator.cli import following
from orchestrator.client import CallForgottenError, CoordinatorSilentError


class Answers:
    """A client whose answers are given; the last one again and again."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.afters = []

    async def call(self, skill, args):
        assert skill == "events"
        self.afters.append(args["after"])
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def batch(*events, after, ended=False):
    return {"events": list(events), "next": after, "ended": ended, "wall": 7.0}


async def test_a_run_is_followed_over_a_restart_of_its_coordinator():
    client = Answers(
        batch("one", after=3),
        CallForgottenError("restarted"),
        CoordinatorSilentError("silent"),
        batch("two", after=5, ended=True),
    )
    told = [events async for events, _ in following.batches(client, "r", 0)]
    assert told == [["one"], ["two"]]
    assert client.afters == [0, 3, 3, 3]


async def test_a_coordinator_that_stays_away_is_given_up():
    client = Answers(CoordinatorSilentError("silent"))
    with pytest.raises(CoordinatorSilentError):
        _ = [events async for events in following.batches(client, "r", 0)]
    assert asyncio.get_running_loop().time() > following.PATIENCE_S
