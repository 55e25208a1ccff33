"""A static schedule, executed: devices and orders as planned, times as they really come.

Each device does its tasks in the planned order; a task starts when its device is free and its
data is there, which is sent as soon as it is made, since everybody knows where it goes.

When a device is lost, the same scheduler plans again on the rest what had not started and what
was lost there: once, at that moment, from what it then knows (finish times of what runs are as
estimated, or now if they are late). Outputs that were made are not lost, but to where nobody knew
that they would be needed they are sent only then.
"""

from collections.abc import Iterable, Sequence

from benchmarks.scheduling.model import Execution, Problem, Trace
from benchmarks.scheduling.noise import Loss, Noise
from benchmarks.scheduling.plan import Plan
from benchmarks.scheduling.policies import Scheduler


def replay(
    problem: Problem,
    scheduler: Scheduler,
    noise: Noise,
    *,
    planned: Sequence[Execution] | None = None,
) -> Trace:
    """Execute what is `planned` (or is planned now), and plan again if a device is lost."""
    schedule = scheduler(Plan(problem)).executions() if planned is None else planned
    trace = _execute(problem, schedule, noise, before=())
    if noise.loss is None:
        return trace
    kept, lost = _at_loss(problem, trace, noise.loss)
    meant = {each.task: each.device for each in schedule}
    closed = frozenset({noise.loss.device})
    plan = Plan(problem, not_before=noise.loss.at, closed=closed, meant=meant)
    for each in kept:
        plan.take(_as_known(problem, each, noise.loss.at))
    begun = {each.task for each in kept}
    again = [each for each in scheduler(plan).executions() if each.task not in begun]
    tried = {each.task for each in lost}
    later = [
        Execution(e.task, e.device, e.start, e.finish, attempt=int(e.task in tried)) for e in again
    ]
    return (*lost, *_execute(problem, later, noise, before=kept, again=plan))


def _execute(
    problem: Problem,
    planned: Iterable[Execution],
    noise: Noise,
    *,
    before: Iterable[Execution],
    again: Plan | None = None,
) -> tuple[Execution, ...]:
    """Execute in planned order, which every device and every edge agrees with."""
    done = {each.task: each for each in before}
    plan = again or Plan(problem)
    free = dict.fromkeys(problem.devices, plan.not_before)
    for each in done.values():
        free[each.device] = max(free[each.device], each.finish)
    for each in planned:
        start = free[each.device]
        for source, size in problem.predecessors[each.task]:
            there = done[source]
            transfer = problem.fleet.transfer(size, there.device, each.device)
            start = max(start, plan.sent(there, each.task, each.device) + transfer)
        finish = start + noise.seconds(problem, each)
        done[each.task] = Execution(each.task, each.device, start, finish, attempt=each.attempt)
        free[each.device] = finish
    return tuple(done.values())


def _at_loss(
    problem: Problem, trace: Trace, loss: Loss
) -> tuple[list[Execution], list[Execution]]:
    """Split what had started into what goes on, in topological order, and what is lost."""
    started = {each.task: each for each in trace if each.start < loss.at or each.finish <= loss.at}
    lost = [
        Execution(each.task, each.device, each.start, loss.at, done=False)
        for each in started.values()
        if each.device == loss.device and each.finish > loss.at
    ]
    gone = {each.task for each in lost}
    kept = [started[task] for task in problem.order if task in started and task not in gone]
    return kept, lost


def _as_known(problem: Problem, each: Execution, now: float) -> Execution:
    """Return an execution as it looks while it runs: it ends when estimated, or now."""
    if each.finish <= now:
        return each
    expected = max(now, each.start + problem.costs[each.task][each.device])
    return Execution(each.task, each.device, each.start, expected)
