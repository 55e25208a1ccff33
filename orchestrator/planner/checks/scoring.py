"""Which of several plans to take, without asking a model: by checks, history and expected finish.

AOP (Li et al. 2024, arXiv 2410.02189, section 3.2) learns a reward model of how well an agent
solves a sub-task, so that no model need judge on the way. Here that is the share of attempts of a
skill on a device that succeeded: the mean of a Beta posterior with a prior of `PRIOR_WEIGHT`
attempts at the skill's share on all devices, whose prior is the share of all attempts, whose prior
is `HOPE`. A plan's reward is when it would be done. A task that fails is tried again, so it takes
its time 1/p times on average (a geometric number of tries); the schedule is made with that, and
goes around devices where a skill fails. So chance and time need no weights against each other.

The order is lexicographic: what the checks find comes first, since such a plan is refused; then
tasks that wait for a device to come, for nobody knows how long; then the expected finish; then
doubts, which rarely matter in the end; then the work, as the cost: cards name no prices, and what
keeps fewer devices busy leaves more to others.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from orchestrator.core.edits import EditBatch
from orchestrator.core.snapshot import RunSnapshot
from orchestrator.planner.checks.complete import Goal
from orchestrator.planner.checks.fleet import Fleet
from orchestrator.planner.checks.plan import Plan
from orchestrator.planner.checks.schedule import Activity, Options, Problem, schedule
from orchestrator.planner.checks.whole import findings, hints
from orchestrator.planner.checks.work import NO_TIMES, NOBODY, Times, Work
from protocol.types import DeviceCard, DeviceId, TaskId

History: TypeAlias = Mapping[tuple[str, DeviceId], tuple[float, float]]
"""(skill, device) → attempts that succeeded, and all attempts; those long past may count less."""

HOPE: Final = 0.9  # the share before anything is known: most attempts succeed
PRIOR_WEIGHT: Final = 4.0  # what is known of others counts like so many attempts


@dataclass(frozen=True, slots=True)
class Score:
    """What speaks for a plan; `sorted` puts the best one first by `key`."""

    wrong: int
    """Checks that found something or, in a cycle, could not be made."""
    doubts: int
    """Pieces of advice."""
    success: float
    """The chance that every task succeeds at its first attempt, if they are independent."""
    finish_s: float
    """When all is likely to be done, failed attempts included: seconds from now; inf: never."""
    work_s: float = 0.0
    """How long devices are likely to work, all together."""
    waiting: int = 0
    """Tasks that no device that is there can do; they are taken to be short."""

    @property
    def key(self) -> tuple[float, ...]:
        """Order plans; see the module."""
        return self.wrong, self.waiting, self.finish_s, self.doubts, self.work_s


def score(
    batch: EditBatch,
    cards: Iterable[DeviceCard],
    *,
    snapshot: RunSnapshot | None = None,
    times: Times = NO_TIMES,
    goal: Goal | None = None,
    history: History | None = None,
) -> Score:
    """Judge a plan; see `check` for the arguments. As `check`, and one more schedule."""
    plan, fleet = Plan.of(batch, snapshot), Fleet(cards)
    found = findings(plan, fleet, times, goal)
    wrong = sum(map(bool, found.values())) + 2 * plan.cyclic
    doubts = sum(1 for _ in hints(plan, fleet))
    if plan.cyclic or not plan.specs:
        return Score(wrong + (not plan.specs), doubts, 0.0, float("inf"))
    share = _Shares(history or {})
    problem = Work(plan, fleet, times).problem()
    names = [machine.name for machine in problem.machines]

    def tried(activity: Activity) -> Activity:
        skill = plan.specs[TaskId(activity.name)].skill
        options = [(n, s / share.of(skill, names[n])) for n, s in activity.durations]
        return activity._replace(durations=_quickest_first(options))

    best = schedule(Problem([*map(tried, problem.activities)], problem.machines), restarts=0)
    success, work_s, waiting = 1.0, 0.0, 0
    for activity, placed in zip(problem.activities, best.placed, strict=True):
        success *= share.of(plan.specs[TaskId(activity.name)].skill, names[placed.machine])
        work_s += placed.finish - placed.start if placed.machine >= 0 else 0.0  # never
        waiting += names[placed.machine] == NOBODY
    return Score(wrong, doubts, success, max(0.0, best.finish - times.now), work_s, waiting)


def _quickest_first(options: Iterable[tuple[int, float]]) -> Options:
    return tuple(sorted(options, key=lambda option: option[1]))


class _Shares:
    """Shares of attempts that succeed; never 0."""

    def __init__(self, history: History) -> None:
        self._here = history
        self._skill: dict[str, tuple[float, float]] = {}
        good = tries = 0.0
        for (skill, _), (here_good, here_tries) in history.items():
            before = self._skill.get(skill, (0.0, 0.0))
            self._skill[skill] = before[0] + here_good, before[1] + here_tries
            good, tries = good + here_good, tries + here_tries
        self._all = _shrunk((good, tries), HOPE)

    def of(self, skill: str, device: str) -> float:
        """Return the share of a skill on a device."""
        overall = _shrunk(self._skill.get(skill, (0.0, 0.0)), self._all)
        return _shrunk(self._here.get((skill, DeviceId(device)), (0.0, 0.0)), overall)


def _shrunk(seen: tuple[float, float], prior: float) -> float:
    good, tries = seen
    return (good + PRIOR_WEIGHT * prior) / (tries + PRIOR_WEIGHT)
