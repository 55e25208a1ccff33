"""One judge of executed traces: whatever scheduled, the same rules hold.

Intervals are half-open. Times that differ by less than `TOLERANCE` of the makespan are equal:
they are sums of floating-point numbers in another order.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from benchmarks.scheduling.model import Execution, Problem, Trace

TOLERANCE: Final = 1e-9


class Rule(StrEnum):
    """What a trace can break."""

    UNKNOWN = "unknown"
    """There is no such task or device, or the execution ends before it starts."""
    ONCE = "once"
    """A task is done on one device, and on no second one."""
    COPIES = "copies"
    """No more executions of one task at a time than one and its hedges."""
    SKILL = "skill"
    """The device can do the task."""
    WINDOW = "window"
    """It lies within a window of the device, and between release and due time of the task."""
    DURATION = "duration"
    """What is done took as long as it takes there."""
    CAPACITY = "capacity"
    """A device executes no more at a time than it has slots."""
    PRECEDENCE = "precedence"
    """A task starts when its predecessors are done."""
    TRANSFER = "transfer"
    """… and when their data has come."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that is broken, and where."""

    rule: Rule
    task: int
    detail: str


Duration = Callable[[Execution], float]
"""How long an execution really takes if nothing stops it."""


def violations(
    problem: Problem, trace: Trace, *, duration: Duration | None = None, hedges: int = 0
) -> list[Violation]:
    """Return everything that is wrong with a trace; without `duration` costs are as estimated."""
    wrong = list(_unknown(problem, trace))
    if wrong:
        return wrong  # the rest would stumble over them
    slack = TOLERANCE * max((each.finish for each in trace), default=0.0)
    takes = duration or (lambda each: problem.costs[each.task][each.device])
    wrong += _once(problem, trace)
    wrong += _copies(trace, hedges + 1, slack)
    for each in trace:
        wrong += _alone(problem, each, takes, slack)
    wrong += _capacity(problem, trace, slack)
    wrong += _precedence(problem, trace, slack)
    return wrong


def _unknown(problem: Problem, trace: Trace) -> Iterator[Violation]:
    for each in trace:
        known = 0 <= each.task < len(problem.costs) and each.device in problem.devices
        if not known or not 0.0 <= each.start <= each.finish:
            yield Violation(Rule.UNKNOWN, each.task, f"{each}")


def _once(problem: Problem, trace: Trace) -> Iterator[Violation]:
    done: dict[int, list[int]] = defaultdict(list)
    for each in trace:
        if each.done:
            done[each.task].append(each.device)
    for task in range(len(problem.costs)):
        if len(done[task]) != 1:
            yield Violation(Rule.ONCE, task, f"done on devices {done[task]}")


def _copies(trace: Trace, allowed: int, slack: float) -> Iterator[Violation]:
    by_task: dict[int, list[Execution]] = defaultdict(list)
    for each in trace:
        by_task[each.task].append(each)
    for task, executions in by_task.items():
        if _peak(executions, slack) > allowed:
            yield Violation(Rule.COPIES, task, f"more than {allowed} at a time")


def _alone(
    problem: Problem, each: Execution, takes: Duration, slack: float
) -> Iterator[Violation]:
    """Judge what one execution shows by itself."""
    task, device = problem.instance.tasks[each.task], problem.fleet.devices[each.device]
    if not device.can(task):
        yield Violation(Rule.SKILL, each.task, f"device {each.device} has no {task.skill!r}")
        return
    if not any(a - slack <= each.start and each.finish <= b + slack for a, b in device.windows):
        yield Violation(Rule.WINDOW, each.task, f"device {each.device} is away")
    if each.start < task.release - slack or (each.done and each.finish > task.due + slack):
        yield Violation(Rule.WINDOW, each.task, f"not within {task.release} and {task.due}")
    if each.done and abs(each.finish - each.start - takes(each)) > slack:
        yield Violation(Rule.DURATION, each.task, f"{takes(each)} expected, in {each}")


def _capacity(problem: Problem, trace: Trace, slack: float) -> Iterator[Violation]:
    by_device: dict[int, list[Execution]] = defaultdict(list)
    for each in trace:
        by_device[each.device].append(each)
    for device, executions in by_device.items():
        slots, peak = problem.fleet.devices[device].slots, _peak(executions, slack)
        if peak > slots:
            yield Violation(Rule.CAPACITY, executions[0].task, f"{peak} at once on {device}")


def _precedence(problem: Problem, trace: Trace, slack: float) -> Iterator[Violation]:
    done = {each.task: each for each in trace if each.done}
    for each in trace:
        for source, size in problem.predecessors[each.task]:
            before = done.get(source)
            if before is None:
                continue  # that is a fault of its own
            if each.start < before.finish - slack:
                yield Violation(Rule.PRECEDENCE, each.task, f"starts before {source} is done")
            come = before.finish + problem.fleet.transfer(size, before.device, each.device)
            if before.finish - slack <= each.start < come - slack:
                yield Violation(Rule.TRANSFER, each.task, f"starts before {source}'s data came")


def _peak(executions: list[Execution], slack: float) -> int:
    """Return how many overlap at most; less than `slack` is no overlap."""
    ends = [
        end
        for each in executions
        if each.finish - each.start > slack
        for end in ((each.start + slack, 1), (each.finish, -1))
    ]
    peak = now = 0
    for _, change in sorted(ends):
        now += change
        peak = max(peak, now)
    return peak
