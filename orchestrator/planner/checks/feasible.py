"""Feasible: everything can be done in time, by the plan's estimates, on the known devices.

The constraints of R-ConstraintBench (Jain & Wetter 2025, arXiv 2508.15204), judged by serial
schedule generation; see `schedule` for how, `work` for what is assumed.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from orchestrator.core.edits import Reason
from orchestrator.planner.checks.fleet import Fleet
from orchestrator.planner.checks.plan import Plan
from orchestrator.planner.checks.schedule import Problem, Schedule, schedule
from orchestrator.planner.checks.work import NO_TIMES, Times, Work
from protocol.types import TaskId

SHOWN: Final = 4  # tasks that a sentence names


def feasible(plan: Plan, fleet: Fleet, times: Times = NO_TIMES) -> Iterator[Reason]:
    """Yield the tasks that miss, by how much, and what to change; the plan has no cycle."""
    work = Work(plan, fleet, times)
    for spec in plan.news:
        if (least := work.least(spec)) > spec.limits.run_s:
            detail = f"task {spec.id!r} takes {least:g} s where it is quickest, but may run for"
            detail += f" {spec.limits.run_s:g} s: raise limits.run_s, or split the task"
            yield Reason("limit", spec.id, detail)
    if times.bind:
        problem = work.problem()
        found = schedule(problem)
        for n in _first(problem, found, times):
            yield _reason(n, problem, found, times)


def _first(problem: Problem, found: Schedule, times: Times) -> Sequence[int]:
    """Return what is late, but for what is late since it waits for that.

    Past the run's deadline it is the last task that says by how much.
    """
    late = dict(found.late)
    overrun = [n for n in late if _rule(n, problem, found, times) == "deadline"]
    worst = max(overrun, key=lambda n: (late[n], -n), default=None)
    late = {n: by for n, by in late.items() if n not in overrun or n == worst}
    return [n for n in late if not late.keys() & set(problem.activities[n].predecessors)]


def _rule(n: int, problem: Problem, found: Schedule, times: Times) -> str:
    if found.placed[n].machine < 0:
        return "downtime"
    return "deadline" if problem.activities[n].due == times.due else "window"


def _reason(n: int, problem: Problem, found: Schedule, times: Times) -> Reason:
    rule, activity = _rule(n, problem, found, times), problem.activities[n]
    task = TaskId(activity.name)
    if rule == "downtime":
        detail = f"task {task!r}: no device that can run it is there for as long as it takes"
        return Reason(rule, task, f"{detail}: allow other devices, or split it")
    by, left = found.late[n], activity.due - times.now
    whose = "the run's deadline" if rule == "deadline" else "the end of its window"
    if rule == "deadline" and times.margin_s:
        whose = f"{times.margin_s:g} s before {whose}"
    detail = f"task {task!r} would end {by:g} s after {whose}, which is {left:g} s from now"
    if n in found.hopeless:
        mend = f"even on idle devices {_chain(n, problem)} takes too long: shorten that"
    else:
        machine, start, _ = found.placed[n]
        first = sum(each.machine == machine and each.start < start for each in found.placed)
        mend = f"{problem.machines[machine].name!r} does {first} before it: spread the work"
        if activity.exclusive:
            mend = f"it waits its turn for {', '.join(activity.exclusive)}: share less"
    return Reason(rule, task, f"{detail}; {mend}, or allow {by:g} s more")


def _chain(n: int, problem: Problem) -> str:
    """Return what a task waits for the longest, itself last."""
    chain = [problem.activities[n].name]
    while before := problem.activities[n].predecessors:
        n = max(before, key=lambda k: (problem.alone[k].finish, -k))
        chain.append(problem.activities[n].name)
    chain.reverse()
    return " → ".join(chain if len(chain) <= SHOWN else [chain[0], "…", *chain[-SHOWN + 1 :]])
