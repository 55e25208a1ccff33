"""Improving the plan of what has not started, beside the run that it is of.

What is left of a run is handed out as a problem of plain arrays; a search on it goes on wherever
there is time, and knows nothing of the run. Its answer counts only if the plan that it was made
from still stands (the same revision, the same devices, nothing planned since), and if it is better
for what is left by then, timed from the live state. What has started meanwhile is left out of it.

How long a search goes on is counted in tasks timed, so that the same run improves its plan in the
same way, however fast the machine is. Each second of the run pays for a share of a second. Most of
what a plan will pay is spent at once, before anything has started; another plan of the same time
is not paid for again. Where nothing better was found, the next search comes after four times as
long.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from orchestrator.core.facts import PlanAdopted
from orchestrator.core.scheduling import one_plan
from orchestrator.core.scheduling.board import Board
from orchestrator.core.scheduling.kept import Asked
from orchestrator.core.scheduling.outlook import Outlook, follow
from orchestrator.core.scheduling.portfolio import MOST, QUICK, cost, portfolio
from orchestrator.core.scheduling.search import improve

LEAST_S: Final = 5.0  # left of a plan: a worker takes half a second of a core to start
LEAST_TASKS: Final = 10  # unstarted: of fewer the first search has seen what there is
ROUND_S: Final = 1.0  # between two problems of a run: looking at `SMALL` cells takes some 5 ms
BACK_OFF: Final = 4.0  # times as long until the next one, after one that found nothing
SMALL: Final = 4096  # tasks times devices; larger problems are handed out less often
FRONT: Final = 0.8  # of all search is spent at once on a plan: nothing has started yet
SAVED_S: Final = 100.0  # of the run at most pays for what comes later: it may have been idle
LEAST_MOVES: Final = 20  # fewer are not worth looking at what is left
MOST_S: Final = 1.0  # that a search takes of a core: it has most of what it will find by then
MOVES: Final = 10_000  # of annealing: by then it has most of what it will find, too
TIMED_PER_S: Final = 800_000  # tasks that a search times in a second of a core, measured
LOOKS_TIMED: Final = 4  # of list schedules, that cost as much as timing a task, at the most
CLEARLY: Final = 0.995  # of what is left: less is worth no other plan, nor a row of the journal


@dataclass(frozen=True, slots=True)
class Problem:
    """What is left of a plan, and how long to look for a better one."""

    number: int
    """Of the problem, which its answer names; and where the search's chance begins."""
    outlook: Outlook
    order: tuple[int, ...]
    device: tuple[int, ...]
    timed: int
    """How many tasks a search may time."""
    looks: int = 0
    """What the lists cost that it begins with; 0: they were made already, or cost too much."""

    @property
    def annealed(self) -> int:
        """Return how many tasks annealing may time, after the lists."""
        return min(self.timed - self.looks // LOOKS_TIMED, MOVES * len(self.order))

    @property
    def takes_s(self) -> float:
        """Return how long annealing takes, in seconds of a core, with the lists before."""
        return (self.annealed + self.looks // LOOKS_TIMED) / TIMED_PER_S


class Answer(NamedTuple):
    """A better plan, or the same one."""

    order: Sequence[int]
    """All tasks of the problem."""
    device: Sequence[int]
    """By task."""


def solve(problem: Problem) -> Answer:
    """Return the best plan that a search finds, from the one that there is."""
    outlook = problem.outlook
    first = follow(outlook, problem.order, problem.device)
    if problem.looks:
        lists = portfolio(outlook, problem.order, most=MOST)
        first = min([first, *lists], key=lambda found: found.end)
    found = improve(outlook, first, tasks=problem.annealed, seed=problem.number)
    return Answer(tuple(found.order), tuple(found.device))


def ask(board: Board, now: float, share: float) -> Problem | None:
    """Return a problem if one is due, and none is out: O(1) if not.

    Args:
        board: with a plan.
        now: elapsed seconds.
        share: seconds of search for each second of the run.
    """
    plan = board.plan
    count = len(plan.intended)
    if plan.asked is not None or count <= LEAST_TASKS or plan.end - now < LEAST_S:
        return None
    round_s = ROUND_S * max(1.0, count * len(board.machines) / SMALL)
    since_s = now - plan.asked_at
    if since_s < round_s * BACK_OFF**plan.fruitless:
        return None
    paid_s = FRONT * max(0.0, plan.end - max(now, plan.paid_until))
    paid_s += (1.0 - FRONT) * min(since_s, SAVED_S)
    timed = int(min(share * paid_s, MOST_S) * TIMED_PER_S)
    if timed < LEAST_MOVES * count:
        return None
    rest = one_plan.rest(board, now)
    if rest is None or len({task.run for task in rest[0].tasks}) != 1:
        return None  # the runs of several go one after the other, whatever is sooner done
    seen, left = rest
    plan.problems += 1
    plan.asked_at, plan.paid_until = now, max(plan.paid_until, plan.end)
    plan.asked = Asked(plan.basis, seen.tasks, [m.card.device for m in seen.machines])
    looks = 0
    if not plan.searched and cost(seen.outlook, MOST) > cost(seen.outlook, QUICK):
        looks = cost(seen.outlook, MOST)  # the first plan had no time for all of them
    if looks // LOOKS_TIMED > timed:
        looks = 0
    plan.searched = True
    order, device = tuple(left.order), tuple(left.device)
    return Problem(plan.problems, seen.outlook, order, device, timed, looks)


def take(board: Board, number: int, answer: Answer, now: float) -> PlanAdopted | None:
    """Go on with an answer if it is better; return what happened then."""
    plan = board.plan
    if plan.asked is None or number != plan.problems:
        return None  # that of an earlier life
    (basis, tasks, devices), plan.asked = plan.asked, None
    rest = one_plan.rest(board, now)
    if rest is None or plan.basis != basis:
        return None
    seen, kept = rest
    place = {id(task): number for number, task in enumerate(seen.tasks)}
    column = {machine.card.device: number for number, machine in enumerate(seen.machines)}
    order = [place[id(tasks[n])] for n in answer.order if id(tasks[n]) in place]
    if len(order) != len(place):  # there is more to plan by now
        return None
    device = [0] * len(order)
    for n, where in enumerate(answer.device):
        if id(tasks[n]) in place:
            device[place[id(tasks[n])]] = column[devices[where]]
    found = follow(seen.outlook, order, device)
    # What runs may be late, as far as anybody knows, and end when it was planned to all the same.
    if found.end >= CLEARLY * min(kept.end, one_plan.promised_s(board, now)):
        plan.fruitless += 1
        return None
    one_plan.adopt(board, seen, found, now)
    plan.fruitless = 0
    run = board.runs[seen.tasks[0].run]
    names = tuple(seen.tasks[number].spec.id for number in order)
    places = tuple(seen.machines[device[number]].card.device for number in order)
    return PlanAdopted(run.submitted.run, run.revision, names, places)
