"""How long ended runs are kept: so many, with so many tasks, so long. Then they are forgotten.

Results are there for whoever asks meanwhile, and a submission with the key of a kept run returns
that run; after that the key makes a new one. A run stays as long as a device is charged with an
attempt of it, and none is forgotten in the step that ends it. That a forgotten run was ours stays
known for the last `FORGOTTEN_KEPT` of them, so that devices that report late are acknowledged.
"""

from math import inf
from typing import Final

from orchestrator.core import facts as f
from orchestrator.core.commands import ReleaseRun
from orchestrator.core.state import Run
from orchestrator.core.step import Step
from protocol.types import DeviceId, RunId

KEPT: Final = ("kept",)  # the timer of the oldest ended run
FORGOTTEN_KEPT: Final = 10_000  # 100 bytes each; a device reports late by hours, not by years
RETRY_S: Final = 60.0  # a device that holds up a run's end may be away for long


def forget_ended(step: Step) -> None:
    """Forget the oldest ended runs, as far as there are too many or they are too old.

    O(what is forgotten), and what cannot be yet.
    """
    state, tuning = step.state, step.tuning
    due = inf
    for name in list(state.ended):
        run = state.runs[name]
        over_at = (run.ended_at or 0.0) + tuning.keep_s
        too_many = len(state.ended) > tuning.keep_runs
        too_large = state.ended_tasks > tuning.keep_tasks and len(state.ended) > 1
        if not (too_many or too_large or step.at >= over_at):
            due = min(due, over_at)
            break
        if run.charged or _just_ended(step, name):
            due = step.at + RETRY_S
        else:
            _forget(step, run)
    set_at = state.timers.get(KEPT)
    if due < inf and (set_at is None or due < set_at):
        step.emit(f.DeadlineMoved(KEPT, due))


def release(step: Step, device: DeviceId) -> None:
    """Tell a device that was heard which runs are forgotten since."""
    for run in step.state.releases.get(device, ()):
        step.order(ReleaseRun(device, run))


def _just_ended(step: Step, run: RunId) -> bool:
    return any(type(fact) is f.RunEnded and fact.run == run for fact in reversed(step.facts))


def _forget(step: Step, run: Run) -> None:
    forgotten = step.state.forgotten
    full = len(forgotten) >= FORGOTTEN_KEPT
    step.emit(f.RunForgotten(run.id, next(iter(forgotten)) if full else None))
