"""One plan, kept, repaired and improved from the live state.

A list schedule, improved by annealing, is the first plan; each device takes its tasks in the
planned order. What has drifted is repaired: from the live state, started tasks fixed and their
ends conditional on their age, the plan as it is competes with rescheduling what has not started,
and yields only to something clearly better. What the plan does not hold, because too much is
unstarted or nobody knows how long it takes, is bound late (`earliest_finish`).

Sources: HEFT and PEFT as in `listing`, the search as in `search`; repair with hysteresis after
partial rescheduling (Vieira, Herrmann, Lin: Rescheduling manufacturing systems, Journal of
Scheduling 6, 2003, section 4). Budgets count evaluations, not seconds: so decisions are
deterministic.
"""

from collections import deque
from collections.abc import Iterator
from math import inf
from typing import Final

from orchestrator.core.scheduling import Placement, earliest_finish
from orchestrator.core.scheduling.adopted import adopted
from orchestrator.core.scheduling.board import Board
from orchestrator.core.scheduling.demand import Machine
from orchestrator.core.scheduling.kept import Basis, Plan, Queue, Unstarted
from orchestrator.core.scheduling.listing import by_rank
from orchestrator.core.scheduling.outlook import Schedule, by_start, dues, follow, soonest
from orchestrator.core.scheduling.portfolio import portfolio
from orchestrator.core.scheduling.search import improve
from orchestrator.core.scheduling.survey import (
    UNSTARTED,
    Survey,
    basis_of,
    runs_in_turn,
    survey,
    unstarted,
)
from orchestrator.core.scheduling.transfers import arrival
from orchestrator.core.scheduling.urgency import in_turn

FIRST_SEARCH: Final = 3000  # tasks timed for a first plan, some 3 ms: thrice as many gain 0.07 %
NEXT_SEARCH: Final = 1000  # and for another one, when the fleet or the graph has changed
CREDIT: Final = 24.0  # tasks and dependencies of a plan whose repair one step pays for
REPAIRED: Final = 8192  # at most: more take over 30 ms, and are followed as they were planned
WORTH_PLANNING_S: Final = 0.04  # a slot: else planning, 0.4 ms a task, takes over 1 % of a core
CLEARLY: Final = 0.97  # of what is left: a plan that is not so much better is not adopted
DRIFT: Final = 0.1  # of what is left: a start that is off by less calls for no repair
BACKFILL: Final = 4  # tasks behind the first of a device that may fill the time until it starts


def place(board: Board, now: float) -> Iterator[Placement]:
    """Yield what the plan starts now: O(devices), and repairs of O(1) amortised."""
    plan = board.plan
    basis = basis_of(board)
    if basis is None:
        plan.abandon()
        plan.forget_ended(board.live)
    elif basis != plan.basis or (not plan.possible and plan.learned != board.estimates.learned):
        _renew(board, basis, now)
    elif plan.possible:
        repair = _repair_takes(plan)
        plan.credit = min(plan.credit + CREDIT, repair)
        if plan.credit >= repair and repair <= REPAIRED and _has_drifted(board, now):
            _repair(board, now)
    if plan.possible:
        asked = list(board.changed.values())
        board.changed.clear()
        yield from sorted(_starts(board, now), key=lambda each: -each.task.rank)
        left = [demand for demand in asked if demand.waiting]
        if plan.end > now and not board.deadlocked:
            until = _look_at(plan, now)
            for demand in left:
                board.leave(demand, until)
            return
        board.changed |= {demand.key: demand for demand in left}
    yield from earliest_finish.place(board, now)


def _starts(board: Board, now: float) -> Iterator[Placement]:
    for device, queue in board.plan.queues.items():
        machine = board.machines[device]
        for _ in range(machine.free):
            placement = _next(board, machine, queue, now)
            if placement is None:
                break
            yield placement


def _renew(board: Board, basis: Basis, now: float) -> None:
    """Make the first plan on another basis."""
    plan = board.plan
    tasks_timed = NEXT_SEARCH if plan.possible else FIRST_SEARCH
    plan.clear()
    plan.basis, plan.credit = basis, 0.0
    plan.searched, plan.fruitless = False, 0
    plan.learned = board.estimates.learned
    plan.forget_ended(board.live)
    runs = runs_in_turn(board)
    tasks = [task for run in runs for task in unstarted(run)]
    takers = [machine for machine in board.machines.values() if machine.available]
    plan.ahead = all(machine.card.prefetches for machine in takers)
    least_s = WORTH_PLANNING_S * sum(machine.card.slots for machine in takers)
    plan.possible = bool(tasks) and all(_is_known(board, task, least_s) for task in tasks)
    if not plan.possible:
        return
    seen = survey(board, tasks, now)
    outlook = seen.outlook
    if not outlook.cost:
        plan.possible = False
        return
    if len(runs) > 1:
        order = in_turn(
            outlook, seen.tasks, board.runs, order=by_rank(outlook, outlook.tasks), now=now
        )
        _keep(plan, seen, by_start(outlook, soonest(outlook, order)), now)
        return
    starts = [*portfolio(outlook, outlook.tasks), *adopted(runs[0], seen)]
    first = min(starts, key=lambda found: found.end)
    found = improve(outlook, first, tasks=tasks_timed)
    _keep(plan, seen, by_start(outlook, found), now)


def _is_known(board: Board, task: Unstarted, least_s: float) -> bool:
    """Tell whether it is known how long a task takes, and it needs nothing warm.

    That is declared; or learned, where its skill takes long enough to be worth a plan.
    """
    if task.spec.needs.resources:
        return False
    if task.spec.estimate_s is not None:
        return True
    return (board.estimates.usual(task.spec.skill) or 0.0) >= least_s


def _has_drifted(board: Board, now: float) -> bool:
    """Tell whether some device has not what is due, or could do what was planned for later."""
    plan = board.plan
    slack = DRIFT * (plan.end - now)
    early = waits = False
    for device, queue in plan.queues.items():
        slot = plan.idle[device]
        if queue:
            due, _, task = queue[0]
            slot = plan.slot[task.run, task.spec.id]
            waits |= task.demand is not None
            if due < now - slack:
                return True
        early |= board.machines[device].free > 0 and slot > now + slack
    return early and waits


def _repair_takes(plan: Plan) -> float:
    """Return how many tasks and dependencies a repair looks at."""
    return plan.each * len(plan.intended)


def _look_at(plan: Plan, now: float) -> float:
    """Return when something that is ready will be clearly overdue, or all should be done."""
    if _repair_takes(plan) > REPAIRED:
        return plan.end
    heads = [queue[0] for queue in plan.queues.values() if queue]
    due = min((due for due, _, task in heads if task.demand is not None), default=plan.end)
    return min(max(due, now) + DRIFT * (plan.end - now), plan.end)


def _repair(board: Board, now: float) -> None:
    """Let the plan compete with others for what has not started."""
    plan = board.plan
    plan.credit = 0.0
    seen, kept = _rest(board, now)
    outlook = seen.outlook
    one_run = len({task.run for task in seen.tasks}) == 1
    other = soonest(outlook, by_rank(outlook, outlook.tasks) if one_run else outlook.tasks)
    best = kept
    if other.end < CLEARLY * kept.end:
        best, plan.fruitless = other, 0
    _keep(plan, seen, by_start(outlook, best), now)


def _rest(board: Board, now: float) -> tuple[Survey, Schedule]:
    plan = board.plan
    seen = survey(board, (task for task in plan.order if _is_meant(plan, task)), now)
    place = {machine.card.device: number for number, machine in enumerate(seen.machines)}
    device = [place[plan.intended[task.run, task.spec.id]] for task in seen.tasks]
    return seen, follow(seen.outlook, seen.outlook.tasks, device)


def rest(board: Board, now: float) -> tuple[Survey, Schedule] | None:
    """Return what is left of the plan, timed from the live state; None if it stands no more."""
    plan = board.plan
    return _rest(board, now) if plan.possible and plan.basis == basis_of(board) else None


def promised_s(board: Board, now: float) -> float:
    """Return what the plan still takes as it was made; `inf` if it is not followed as it was."""
    return inf if _has_drifted(board, now) else board.plan.end - now


def adopt(board: Board, seen: Survey, found: Schedule, now: float) -> None:
    """Go on with another plan of the same tasks."""
    _keep(board.plan, seen, by_start(seen.outlook, found), now)


def _is_meant(plan: Plan, task: Unstarted) -> bool:
    return task.state in UNSTARTED and (task.run, task.spec.id) in plan.intended


def _keep(plan: Plan, seen: Survey, found: Schedule, now: float) -> None:
    """Mean to do what was found."""
    tasks, machines, outlook = seen.tasks, seen.machines, seen.outlook
    plan.order = [tasks[number] for number in found.order]
    plan.queues = {machine.card.device: deque() for machine in machines}
    intended = {}
    slot, due, idle = dues(outlook, found)
    plan.idle = {m.card.device: now + at for m, at in zip(machines, idle, strict=True)}
    plan.slot = {(task.run, task.spec.id): now + at for task, at in zip(tasks, slot, strict=True)}
    for number in found.order:
        task, where = tasks[number], found.device[number]
        device = machines[where].card.device
        intended[task.run, task.spec.id] = device
        begin = found.finish[number] - outlook.cost[number][where]
        plan.queues[device].append((now + due[number], now + begin, task))
        if plan.ahead:
            plan.since.setdefault((task.run, task.spec.id), {}).setdefault(device, now)
    if intended != plan.intended:
        for name, device in intended.items():
            if plan.intended.get(name) != device:
                plan.moved[name] = None
        plan.intended = intended
        plan.version += 1
    plan.end = now + found.end
    work = sum(1 + len(task.incoming) for task in tasks)
    plan.each = work / len(tasks) if tasks else 0.0


def _next(board: Board, machine: Machine, queue: Queue, now: float) -> Placement | None:
    """Take what a device starts now out of its queue, if anything."""
    plan = board.plan
    device = machine.card.device
    while queue and not _is_meant(plan, queue[0][2]):
        _, _, gone = queue.popleft()  # it was skipped, cancelled or placed elsewhere
        plan.intended.pop((gone.run, gone.spec.id), None)
    for number in range(min(len(queue), 1 + BACKFILL)):
        task = queue[number][2]
        demand = task.demand
        if demand is not None:
            estimate_s = board.seconds(demand, machine) * board.scale(demand, task)
            begin = arrival(board, task, device, now)
            if number == 0 or begin + estimate_s <= queue[0][0]:
                del queue[number]
                name = (task.run, task.spec.id)
                del plan.intended[name]
                plan.offered[name] = begin, begin + estimate_s
                return Placement(task, machine, estimate_s)
    return None
