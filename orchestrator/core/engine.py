"""The engine: events in, facts and commands out. Pure, deterministic, owned by one loop.

Invariants, proved by tests that name their numbers (`check` raises on those that state shows):

* I1 The graph is acyclic.
* I2 Every task and attempt is in exactly one state, reached by table rows.
* I3 An accepted or started attempt on an extension device holds a live attempt lease.
* I4 At most one live attempt a task and, beside it on another device, at most one hedge, where
  the effect class allows both; a result ends the other.
* I5 Charged amount ≤ capacity, per device and resource, lapsed attempts included.
* I6 Final states are final.
* I7 An edit never touches a started task (`CancelTask` apart) and keeps finished results.
* I8 A waiting task whose conditions hold is ready in the same step.
* I9 Tokens and epochs rise.
* I10 Not done ⇒ a command is in flight, a deadline is set, or a named person or condition is
  awaited with a limit: no run ever hangs.
* I11 Folding the journal gives the same state.
* I12 A duplicate or stale message changes nothing.
* I13 A `once` task is started at most once.
* I14 No pin is protected past the last use the graph knows.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.core import events as e
from orchestrator.core.apply import APPLY
from orchestrator.core.checking import check
from orchestrator.core.commands import Command
from orchestrator.core.decisions import attempts, devices, improving, questions, runs, time
from orchestrator.core.decisions.progress import settle
from orchestrator.core.errors import UnknownRunError
from orchestrator.core.facts import Fact
from orchestrator.core.model import Now
from orchestrator.core.restoring import restore
from orchestrator.core.retention.keeping import BY_INDEX, Keeping
from orchestrator.core.saved import Saved
from orchestrator.core.scheduling import Place
from orchestrator.core.scheduling.policies import (
    BY_DEADLINE,
    DEFAULT,
    DEFAULT_PARAMETERS,
    Parameters,
    Policy,
    allowed,
    chosen,
)
from orchestrator.core.snapshot import RunSnapshot, snapshot
from orchestrator.core.state import State
from orchestrator.core.step import Step
from orchestrator.core.tuning import Tuning
from protocol.types import RunId

DECIDE: Mapping[type, Callable[[Step, Any], None]] = {
    e.Start: devices.start,
    e.Connected: devices.connected,
    e.Submit: runs.submit,
    e.PlanProposed: runs.plan_proposed,
    e.PlanFailed: runs.plan_failed,
    e.EditRequested: runs.edit_requested,
    e.CancelRun: runs.cancel_run,
    e.PauseRun: runs.pause_run,
    e.ResumeRun: runs.resume_run,
    e.AnswerInput: questions.answer_input,
    e.SettleUnknown: attempts.settle_unknown,
    e.VerdictGiven: runs.verdict_given,
    e.Announced: devices.announced,
    e.Unregistered: devices.unregistered,
    e.Beat: devices.beat,
    e.Reconciled: devices.reconciled,
    e.AttemptReported: attempts.attempt_reported,
    e.AttemptAsked: questions.attempt_asked,
    e.AttemptFinished: attempts.attempt_finished,
    e.AttemptMissing: attempts.attempt_missing,
    e.AttemptUnstoppable: attempts.attempt_unstoppable,
    e.Superseded: attempts.superseded,
    e.PlanImproved: improving.plan_improved,
    e.TimePassed: time.time_passed,
}
"""Every event has exactly one row (tested)."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What followed from an event: facts, already applied, and orders to give after them."""

    facts: tuple[Fact, ...]
    commands: tuple[Command, ...]


class Engine:
    """Decides what happens to runs, tasks and devices.

    Cost of an event is O(log n) in tasks and devices, plus what it changes.
    """

    def __init__(
        self,
        *,
        tuning: Tuning | None = None,
        policy: Policy = DEFAULT,
        parameters: Parameters = DEFAULT_PARAMETERS,
        keeping: Keeping = BY_INDEX,
    ) -> None:
        self.state = State(keeping)
        self._tuning = tuning or Tuning()
        self._place: Place = chosen(policy, parameters)
        self.state.board.by_deadline = policy in BY_DEADLINE
        self.state.board.eligible = allowed(policy, parameters, self.state.board)

    def decide(self, event: e.Event, *, now: Now) -> Decision:
        """Take an event at a time; its facts are applied when this returns.

        Raises:
            UnknownRunError: the event names a run that is not there.
            RequestError: a caller asks for what cannot be done. Nothing changed in both cases.
        """
        step = Step(self.state, now, self._tuning)
        DECIDE[type(event)](step, event)
        settle(step, self._place)
        return Decision(tuple(step.facts), tuple(step.commands))

    def apply(self, fact: Fact) -> None:
        """Fold one fact of a journal; `recovered` ends the folding."""
        APPLY[type(fact)](self.state, fact)

    def restore(self, rows: Iterable[Saved]) -> None:
        """Start from a snapshot's rows, in an engine that is still empty."""
        restore(self.state, rows)

    def recovered(self) -> None:
        """Forget what steps long past had still to look at: their facts followed."""
        state = self.state
        state.touched.clear()
        state.joining.clear()
        state.unended.clear()
        state.expanding.clear()
        state.warmth.touched.clear()
        state.litter.clear()

    def next_deadline(self) -> float | None:
        """Return when `TimePassed` is due, in elapsed seconds."""
        return self.state.timers.next()

    def snapshot(self, run: RunId) -> RunSnapshot:
        """Return a run as it is now, frozen.

        Raises:
            UnknownRunError: there is no such run.
        """
        try:
            return snapshot(self.state.runs[run], self.state)
        except KeyError:
            raise UnknownRunError(f"there is no run {run!r}") from None

    def check(self) -> None:
        """Raise `InvariantError` if the state breaks an invariant. O(state): for tests."""
        check(self.state)
