"""The next use of a warm resource, as the graph shows it: who, what they wait for, how long.

A view: it looks, and changes nothing. The gap lasts until the next user's predecessors are all
done. While they all run, and their run times are known, it is composed of what is left of each;
else the history of gaps that waited for the same speaks (Continuum, Li et al., arXiv 2511.02230,
knows the skill that was called; the class of its device is ours).
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from math import inf
from typing import Final

from orchestrator.core.lifecycle import FINAL, TaskState
from orchestrator.core.retention.compose import Predecessor, composed
from orchestrator.core.retention.curve import Curve, soonest
from orchestrator.core.retention.keeping import Outlook
from orchestrator.core.retention.keys import GapKey
from orchestrator.core.state import Attempt, Device, Run, State, Task
from protocol.types import Resource, RunId

LOOKED_AT: Final = 16  # pending users, in the order of the plan, among which the next is
COMPOSED: Final = 8  # running predecessors; the slowest of more is well known from history
PLANNER: Final = "planner"
"""What a gap waits for while the planner thinks and nothing is known to use it again."""
AT_ONCE: Final = Curve([(0.0, 1.0, 0.0)])


def next_users(state: State, name: Resource) -> Sequence[Task]:
    """Return the next pending user of each run that has one."""
    best: dict[RunId, Task] = {}
    for run, task in islice(state.warmth.uses.of(name), LOOKED_AT):
        each = state.runs[run].tasks[task]
        known = best.get(run)
        if known is None or _turn(each) < _turn(known):
            best[run] = each
    return tuple(best.values())


def _turn(task: Task) -> tuple[bool, float, int]:
    """Order users of a run: who is ready, then by upward rank, which falls along every path."""
    return (task.state is not TaskState.READY, -task.rank, task.sequence)


def outlook(
    state: State, device: Device, name: Resource, users: Sequence[Task], now: float
) -> tuple[GapKey | None, Outlook | None]:
    """Return what the next use on a device waits for, and what is known of it; no key: nothing."""
    warm = device.warm.warm[name]
    age_s = warm.age_s(now)
    here = [task for task in users if _may_come(task, device)]
    reload_s = state.warmth.loads.reload_s(name.kind, device.card.device)
    if any(task.state is TaskState.READY and not state.runs[task.run].paused for task in here):
        return None, Outlook(AT_ONCE, reload_s)
    if here:
        share = 1.0 / max(1, len(state.warmth.at.get(name, ())))
        keyed = [_curve(state, task, name, share, (now, age_s)) for task in here]
        curves = [curve for _, curve in keyed]
        curve = curves[0] if len(curves) == 1 else soonest(curves)
        return keyed[0][0], Outlook(curve, reload_s)
    if planned_by(state, name) > -inf:
        key = GapKey(name.kind, PLANNER)
        gaps = state.warmth.histories.speaking(key)[1]
        return key, Outlook(gaps.curve(state.warmth.reuse_share(name.kind)), reload_s)
    return None, None


def _may_come(task: Task, device: Device) -> bool:
    bound, where = task.spec.needs.device, device.card.device
    return (
        bound in {None, where}
        and task.spec.needs.labels.items() <= device.card.labels.items()
        and where not in task.excluded
        and (task.spec.skill in device.skills or task.spec.for_each is not None)
    )


def _curve(
    state: State, task: Task, name: Resource, share: float, times: tuple[float, float]
) -> tuple[GapKey, Curve]:
    """Return what a user waits for, and the curve of the gap up to its readiness."""
    (now, age_s), run = times, state.runs[task.run]
    waits = [run.tasks[e.predecessor] for e in task.incoming]
    waits = [each for each in waits if each.state not in FINAL]
    if not waits:  # it failed, and is tried again after a while
        return GapKey(name.kind, task.spec.skill), Curve((), share)
    key = _awaited(state, waits, name.kind, now)
    running = (
        [_running(state, run, each, now) for each in waits] if len(waits) <= COMPOSED else [None]
    )
    known = [each for each in running if each is not None]
    if len(known) == len(running):
        purpose = f"{name.kind}/{name.key}/{task.spec.id}"
        seed = run.submitted.seed
        return key, composed(known, seed=seed, purpose=purpose, age_s=age_s, reuse=share)
    return key, state.warmth.histories.speaking(key)[1].curve(share)


def _awaited(state: State, waits: Iterable[Task], kind: str, now: float) -> GapKey:
    """Name the slowest unfinished predecessor, and the class of the device that runs it."""
    slowest = max(waits, key=lambda each: (_left_s(state, each, now), -each.sequence))
    attempt = state.attempts.get(slowest.live) if slowest.live is not None else None
    if attempt is None:
        return GapKey(kind, slowest.spec.skill)
    labels = state.devices[attempt.device].card.labels
    return GapKey(kind, slowest.spec.skill, labels.get("class", attempt.device))


def _left_s(state: State, task: Task, now: float) -> float:
    attempt = state.attempts.get(task.live) if task.live is not None else None
    if attempt is None:
        return task.cost_s
    return attempt.estimate_s - _elapsed_s(attempt, now)


def _elapsed_s(attempt: Attempt, now: float) -> float:
    return 0.0 if attempt.started_at is None else now - attempt.started_at


def _running(state: State, run: Run, task: Task, now: float) -> Predecessor | None:
    attempt = state.attempts.get(task.live) if task.live is not None else None
    if attempt is None or task.state is not TaskState.ACTIVE:
        return None
    history = state.warmth.duration(task.spec.skill, attempt.device)
    if history is None or attempt.run != run.id:
        return None
    return Predecessor(history.curve(), _elapsed_s(attempt, now))


def planned_by(state: State, name: Resource) -> float:
    """Return when the planner that may use it again has answered at the latest; -inf: nobody."""
    run = state.runs.get(name.run) if name.run is not None else None
    asks = run.asks.values() if run is not None else ()
    return max((ask.due for ask in asks), default=-inf)
