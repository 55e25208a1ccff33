from dataclasses import replace

import pytest

from benchmarks.crossdevice import play
from benchmarks.crossdevice.task import load
from orchestrator.client import CallFailedError
from orchestrator.core.errors import RequestError
from protocol.types import FailureKind
from tests.benchmarks.crossdevice.events import event

ASKS = load("approval_purchase_orders")
REFUSALS = [CallFailedError("no", FailureKind.BAD_INPUT), RequestError("it does not ask")]


class Asking:
    """A stage whose run asks once, and takes no answer."""

    def __init__(self, refusal):
        self.refusal = refusal
        self.heard = []

    async def submit(self, _request, _parameters, *, deadline_s):
        assert deadline_s
        return "r"

    async def events(self, _run):
        yield event(0.0, "InputRequested", task="ask", question="Buy a forklift?")
        yield event(9.0, "RunEnded", status="succeeded")

    async def answer(self, run, task, value):
        self.heard.append((run, task, value))
        raise self.refusal


class Peace:
    async def seen(self, event, stage):
        pass


@pytest.mark.parametrize("refusal", REFUSALS, ids=type)
async def test_an_answer_that_comes_too_late_does_not_end_the_campaign(refusal):
    stage, played = Asking(refusal), play.Played(ASKS.name, 0, "f")
    await play.follow(ASKS, stage, played, {"folder": "f", "site": "s"}, Peace())
    assert stage.heard == [("r", "ask", "no, too dear")]
    assert played.status == "succeeded"


async def test_what_is_wrong_with_the_harness_itself_does():
    stage, played = Asking(ZeroDivisionError()), play.Played(ASKS.name, 0, "f")
    with pytest.raises(ExceptionGroup):
        await play.follow(ASKS, stage, played, {"folder": "f", "site": "s"}, Peace())


async def test_a_question_that_nobody_thought_of_is_not_answered():
    silent = replace(ASKS, file=ASKS.file.model_copy(update={"answers": ()}))
    stage = Asking(ZeroDivisionError())
    played = play.Played(ASKS.name, 0, "f")
    await play.follow(silent, stage, played, {"folder": "f", "site": "s"}, Peace())
    assert stage.heard == []
