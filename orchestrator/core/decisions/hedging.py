"""Hedging: a second attempt beside one that is late, on a device that would idle (speculation).

Sources: Dean and Ghemawat, MapReduce, OSDI 2004, section 3.6 (backup tasks); Zaharia et al.,
Improving MapReduce Performance in Heterogeneous Environments, OSDI 2008 (LATE: the longest time
to end first, a cap on copies); Ananthanarayanan et al., Effective Straggler Mitigation, NSDI 2013
(a budget). An attempt gets one hedge if

* running the task twice is harmless, it needs nothing warm, and no person was asked;
* its age, but for the time in which its inputs come, is past the skill's 90 % quantile and past
  twice its estimate (`core.lateness`);
* what it needs still, on the mean, exceeds a fresh run on the other device, what has to be sent
  there, how much longer its result takes from there to who reads it, and `Tuning.hedge_margin_s`;
* that device has room, nothing which is ready could take it, and the policy allows it;
* its run's hedges but for the first, by their estimates, stay within `Tuning.hedge_budget` times
  what its successful attempts took: so short runs may hedge once.

The first result wins; the other attempt lapses and is told to stop. If the attempt fails, its
hedge takes its place, and nothing is charged; if the hedge fails, it is gone.

Whoever starts gets a deadline, and at twice its age another one. If no device is fit then, it is
`overdue`, and each device that gets room and idles looks at those, a few a step: O(1) each.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Final

from orchestrator.core import facts as f
from orchestrator.core.chance import identifier
from orchestrator.core.decisions.offers import offer_again
from orchestrator.core.lateness import Lateness
from orchestrator.core.lifecycle import AttemptState, TaskState
from orchestrator.core.scheduling import Machine
from orchestrator.core.scheduling.demand import key_of, serves
from orchestrator.core.scheduling.transfers import arrival, detour_s, meant_for
from orchestrator.core.state import Attempt, Device, Run, Task
from orchestrator.core.step import Step
from orchestrator.core.timers import Key
from protocol.types import AttemptId, DeviceId, Effect

LATE: Final = "late"
"""The timer of an attempt that is to be looked at."""
SEEK: Final = ("seek",)
"""The timer of devices that idle and have not looked at all that is overdue."""
LOOKS: Final = 8  # overdue attempts a step
LEAST_S: Final = 1e-3  # between two looks: an age may round to nothing
UNKNOWN: Final = Lateness()


def watch(step: Step, attempt: Attempt) -> None:
    """Have a started attempt looked at when it may be late, if it may have a hedge."""
    task = step.state.task(attempt)
    needs = task.spec.needs
    may = not attempt.single and attempt.effect is not Effect.ONCE
    if may and step.tuning.hedge_budget > 0.0 and not needs.resources and needs.device is None:
        _await(step, attempt, _doubt_at(step, task, attempt))


def watch_all(step: Step) -> None:
    """Watch anew what has started: deadlines of this kind are not saved."""
    for attempt in step.state.attempts.values():
        if attempt.state is AttemptState.STARTED:
            watch(step, attempt)


def late(step: Step, key: Key) -> None:
    """Count an attempt as overdue, or await that; and look again at twice its age."""
    attempt = step.state.attempts[AttemptId(key[1])]
    task = step.state.task(attempt)
    due = _doubt_at(step, task, attempt)
    if due <= step.at:
        step.state.overdue[attempt.id] = None
        _look(step, attempt, step.state.board.idle(task, step.at))
        due = step.at + max(age_s(step, attempt), LEAST_S)
    _await(step, attempt, due)


def hedge_overdue(step: Step) -> None:
    """Let devices that got room and idle look at all overdue attempts, from now on."""
    state = step.state
    vacated, state.board.vacated = state.board.vacated, {}
    idle = [name for name, machine in vacated.items() if state.board.idles(machine)]
    if idle and state.overdue:
        state.seekers |= dict.fromkeys(idle)
        state.unsought = len(state.overdue)
        seek(step, SEEK)


def seek(step: Step, key: Key) -> None:
    """Let them take hedges of a few overdue attempts, and have them look at the others soon."""
    state, board = step.state, step.state.board
    known = (board.machines[name] for name in state.seekers if name in board.machines)
    idle = [machine for machine in known if board.idles(machine)]
    some = list(islice(state.overdue, min(LOOKS, state.unsought))) if idle else []
    for name in some:
        attempt = state.attempts[name]
        wants = key_of(state.task(attempt))
        _look(step, attempt, [m for m in idle if board.idles(m) and serves(m, wants)])
    state.unsought -= len(some)
    if some and state.unsought > 0:
        step.emit(f.DeadlineMoved(key, step.at + LEAST_S))
    else:
        state.seekers.clear()


def _look(step: Step, attempt: Attempt, idle: Sequence[Machine]) -> None:
    """Hedge an overdue attempt, if one of these devices is fit; else it goes to the end."""
    task = step.state.task(attempt)
    del step.state.overdue[attempt.id]
    if attempt.single or task.live != attempt.id or task.state is not TaskState.ACTIVE:
        return
    if not _hedged(step, task, attempt, idle):
        step.state.overdue[attempt.id] = None


def _hedged(step: Step, task: Task, attempt: Attempt, idle: Sequence[Machine]) -> bool:
    run, spec = step.state.runs[task.run], task.spec
    if run.paused or not step.state.estimates.tells(spec.skill, spec.estimate_s):
        return False
    if step.at < _doubt_at(step, task, attempt):
        return False  # it was found out since that its inputs take longer
    estimate_s, old_s = _estimate_s(step, task, attempt.device), age_s(step, attempt)
    left_s = _lateness(step, task).left_s(estimate_s, old_s)
    fit = list(step.state.board.eligible(task, idle))
    readers = list(meant_for(step.state.board, task)) if fit else []
    found: list[tuple[float, int, float, Machine]] = []
    for machine in fit:
        fresh_s = _estimate_s(step, task, machine.card.device)
        there = arrival(step.state.board, task, machine.card.device, step.at)
        longer_s = detour_s(step.state.board, readers, attempt.device, machine.card.device)
        all_s = there - step.at + fresh_s + longer_s + step.tuning.hedge_margin_s
        if all_s < left_s and _may_take(step, task, machine) and _pays(step, run, fresh_s):
            found.append((all_s, machine.order, fresh_s, machine))
    if not found:
        return False
    _, _, fresh_s, machine = min(found, key=lambda each: each[:2])
    times = old_s / estimate_s if estimate_s > 0.0 else 0.0
    _place(step, task, machine, fresh_s, f.Hedge(attempt.id, old_s, times))
    return True


def _may_take(step: Step, task: Task, machine: Machine) -> bool:
    """Tell whether a copy may run there: harmless, stoppable, and no other one is there."""
    device = step.state.devices[machine.card.device]
    return (
        device.card.extension  # a plain agent may not stop
        and _effect(task, device) is not Effect.ONCE
        and all((a.run, a.task) != (task.run, task.spec.id) for a in device.attempts.values())
    )


def _pays(step: Step, run: Run, estimate_s: float) -> bool:
    within = run.hedged_s + estimate_s <= step.tuning.hedge_budget * run.worked_s
    return within or not run.hedges


def _place(step: Step, task: Task, machine: Machine, estimate_s: float, hedge: f.Hedge) -> None:
    run, device = step.state.runs[task.run], step.state.devices[machine.card.device]
    token = step.state.token + 1
    name = AttemptId(identifier(run.submitted.seed, f"{run.id}/attempt", token))
    due = step.at + min(step.tuning.repeat_offer_s, task.spec.limits.start_s)
    step.emit(
        f.TaskPlaced(
            run.id,
            task.spec.id,
            name,
            task.attempts + 1,
            device.card.device,
            token,
            _effect(task, device),
            estimate_s,
            step.at,
            due,
            hedge,
        )
    )
    offer_again(step, step.state.attempts[name])


def _effect(task: Task, device: Device) -> Effect:
    spec = task.spec
    return spec.effect if spec.effect is not None else device.skills[spec.skill].effect


def _doubt_at(step: Step, task: Task, attempt: Attempt) -> float:
    estimate_s = _estimate_s(step, task, attempt.device)
    after_s = _lateness(step, task).doubt_s(estimate_s, step.tuning.hedge_margin_s)
    return _began_at(step, task, attempt) + after_s


def _await(step: Step, attempt: Attempt, due: float) -> None:
    step.emit(f.DeadlineMoved((LATE, attempt.id), due))


def _lateness(step: Step, task: Task) -> Lateness:
    return step.state.lateness.get(task.spec.skill, UNKNOWN)


def age_s(step: Step, attempt: Attempt) -> float:
    """Return how long a live attempt may be expected to have worked, ≥ 0."""
    return max(0.0, step.at - _began_at(step, step.state.task(attempt), attempt))


def _began_at(step: Step, task: Task, attempt: Attempt) -> float:
    """Return when its inputs should have been there: who starts may still fetch them."""
    came = arrival(step.state.board, task, attempt.device, attempt.offered_at)
    return max(attempt.started_at or 0.0, came)


def _estimate_s(step: Step, task: Task, name: DeviceId) -> float:
    device, spec = step.state.devices[name], task.spec
    return step.state.estimates.seconds(
        spec.skill, device.card.device, speed=device.card.speed, declared=spec.estimate_s
    )
