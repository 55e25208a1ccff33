"""Every event and fact has its row; any event in any state is handled or changes nothing."""

from typing import get_args

import pytest

from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.apply import APPLY
from orchestrator.core.engine import DECIDE
from orchestrator.core.errors import RequestError, UnknownRunError
from orchestrator.core.lifecycle import TaskState
from orchestrator.core.model import Limits, RunLimits
from protocol.types import (
    AttemptId,
    Cancelled,
    DeviceId,
    Effect,
    Failed,
    FailureKind,
    Incarnation,
    Load,
    Rejected,
    RunId,
    Succeeded,
    TaskId,
    Unknown,
)
from tests.support.world import RUN, World, card, edge, plan, task

D = DeviceId("d")
T = TaskId("t")
BAD = Failed(FailureKind.BAD_INPUT, "wrong")
TRANSIENT = Failed(FailureKind.TRANSIENT, "again")
OUTCOMES = [Succeeded(1), BAD, TRANSIENT, Rejected("busy"), Cancelled(), Unknown("?")]


def world(*, effect=None, limits=None):
    made = World()
    made.device("d")
    made.submit(task("t", effect=effect), limits=limits)
    return made


def waiting():
    made = World()
    made.submit(task("before", "other"), task("t"), edge("before", "t"))
    return made


def ready():
    made = World()
    made.submit(task("t"))
    return made


def active():
    made = world()
    made.start("t")
    return made


def recovering():
    made = world()
    made.finish("t", TRANSIENT)
    return made


def awaiting_planner():
    made = world(limits=RunLimits())
    made.finish("t", BAD)
    return made


def cancelling():
    made = active()
    made.tell(e.CancelRun(RUN, "enough"))
    return made


def input_required():
    made = active()
    made.ask("t")
    return made


def unknown():
    made = world(effect=Effect.ONCE)
    made.finish("t", Unknown("?"))
    return made


def lapsed():
    made = World()
    made.device("d")
    made.device("other")
    made.submit(task("t", limits=Limits(run_s=5.0)))
    made.start("t")
    made.wait(6.0)
    return made


def unknown_by_lapse():
    made = world(effect=Effect.ONCE)
    made.start("t")
    made.silence("d")
    made.wait(25.0)
    made.beat("d")
    return made


def plain():
    made = World()
    made.tell(e.Announced(card("d", extension=False), online=True))
    made.submit(task("t"))
    return made


def plain_asked():
    made = plain()
    made.wait(16.0)
    return made


def excluded():
    made = world()
    made.device("other")
    made.finish("t", TRANSIENT)
    return made


def superseded():
    made = active()
    made.tell(e.Superseded(D, made.offer("t").attempt, 2))
    return made


def paused():
    made = ready()
    made.tell(e.PauseRun(RUN))
    return made


def succeeded():
    made = world()
    made.finish("t")
    return made


def failed():
    made = world()
    made.finish("t", BAD)
    return made


def cancelled():
    made = ready()
    made.tell(e.CancelRun(RUN, "enough"))
    return made


def skipped():
    made = World()
    made.device("d")
    made.submit(task("before"), task("t"), edge("before", "t"))
    made.finish("before", BAD)
    return made


STATES = {
    "waiting": waiting, "ready": ready, "active": active, "recovering": recovering,
    "cancelling": cancelling, "input_required": input_required, "unknown": unknown,
    "succeeded": succeeded, "failed": failed, "cancelled": cancelled, "skipped": skipped,
}  # fmt: skip
SETTINGS = [
    *STATES.items(), ("recovering", awaiting_planner), ("active", lapsed),
    ("unknown", unknown_by_lapse), ("active", plain), ("active", plain_asked),
    ("recovering", excluded), ("cancelled", superseded), ("ready", paused),
]  # fmt: skip


def events(made):
    """Every kind of event, about this task and about what is not there."""
    attempts = [*made.engine.state.attempts, *made.offers, AttemptId("forged")]
    asks = [*made.run().asks, "forged"]
    edit = plan(task("new"), edge("t", "new"))
    yield e.Start(None, None)
    yield e.Start(made.wall, made.at)
    yield e.Connected()
    yield e.PlanImproved(1, (0,), (0,))
    yield e.Submit(RUN, f"key-{RUN}", "do")
    yield e.Submit(RunId("other"), "other", "do")
    for ask in asks:
        yield e.PlanProposed(RUN, ask, edit)
        yield e.PlanProposed(RUN, ask, plan())
        yield e.PlanFailed(RUN, ask, "no idea")
    for run in (RUN, RunId("forged")):
        yield e.EditRequested(run, "p", edit)
        yield e.CancelRun(run, "enough")
        yield e.PauseRun(run)
        yield e.ResumeRun(run)
        yield e.AnswerInput(run, T, "yes", "p")
        yield e.VerdictGiven(run, 0.5, ("why",), "m")
        for outcome in OUTCOMES:
            yield e.SettleUnknown(run, T, outcome, "p")
    for online in (True, False):
        yield e.Announced(card("d"), online)
        yield e.Announced(card("d", slots=3), online)
        yield e.Announced(card("plain", extension=False), online)
    for device in (D, DeviceId("forged")):
        yield e.Unregistered(device)
        for life in ("1", "2"):
            yield e.Beat(device, Incarnation(life), Load(), (), connected=True)
            yield e.Reconciled(device, Incarnation(life), {})
            yield e.Reconciled(device, Incarnation(life), dict.fromkeys(attempts, True))
        for attempt in attempts:
            yield e.AttemptReported(device, attempt, started=True)
            yield e.AttemptReported(device, attempt, started=False)
            yield e.AttemptAsked(device, attempt, "which?")
            for outcome in OUTCOMES:
                yield e.AttemptFinished(device, attempt, outcome, 1.0, RUN)
            yield e.AttemptMissing(device, attempt)
            yield e.AttemptUnstoppable(device, attempt)
            for epoch in (1, 2, 3):
                yield e.Superseded(device, attempt, epoch)
    yield e.TimePassed()


def test_every_event_has_a_row():
    assert set(DECIDE) == set(get_args(e.Event))


def test_every_fact_has_a_row():
    assert set(APPLY) == set(get_args(f.Fact))


def test_every_state_is_set_up():
    assert set(STATES) == set(TaskState)


@pytest.mark.parametrize(("state", "make"), SETTINGS)
def test_any_event_in_any_state_is_handled_or_changes_nothing(state, make):
    count = len(list(events(make())))
    for n in range(count):
        made = make()
        assert made.state("t") == state
        event = list(events(made))[n]
        try:
            made.tell(event)  # checks the invariants
        except (RequestError, UnknownRunError):
            continue
        if not isinstance(event, e.Start | e.Reconciled | e.EditRequested):
            try:
                made.retell(event)
            except RequestError:
                continue


def test_every_kind_of_event_is_among_them():
    assert {type(event) for event in events(ready())} == set(DECIDE)


def test_an_unknown_run_is_named():
    with pytest.raises(UnknownRunError, match="there is no run 'x'"):
        World().engine.snapshot(RunId("x"))


def test_i11_a_restart_from_facts_or_rows_goes_on_where_it_was():
    for rows in (False, True):
        for _, make in SETTINGS:
            made = make()
            made.restart(away_s=3.0, elapsed=0.0, rows=rows)
            if made.run().paused:
                made.tell(e.ResumeRun(RUN))
            made.settle()
