"""Which of several plans to take, without asking a model: by checks, history and expected time.

AOP (Li et al. 2024, arXiv 2410.02189, section 3.2) learns a reward model of how well an agent
solves a sub-task. Here that is the share of attempts of a skill on a device that succeeded, shrunk
to the skill's share on all devices, and that to the share of all.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from orchestrator.core.edits import EditBatch
from orchestrator.core.snapshot import RunSnapshot
from orchestrator.planner.checks.complete import Goal
from orchestrator.planner.checks.fleet import Fleet
from orchestrator.planner.checks.plan import Plan
from orchestrator.planner.checks.schedule import schedule
from orchestrator.planner.checks.whole import findings, hints
from orchestrator.planner.checks.work import NO_TIMES, Times, Work
from protocol.types import DeviceCard, DeviceId, TaskId

History: TypeAlias = Mapping[tuple[str, DeviceId], tuple[int, int]]
"""(skill, device) → attempts that succeeded, and all attempts."""

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
    """When all would be done, in seconds from now; inf: never."""

    @property
    def key(self) -> tuple[float, ...]:
        """Order plans: by checks, then by the time until one succeeds if failures start anew."""
        expected = self.finish_s / self.success if self.success else float("inf")
        return self.wrong, expected, self.doubts


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
    problem = Work(plan, fleet, times).problem()
    best = schedule(problem, restarts=0)
    share = _Shares(history or {})
    success = 1.0
    for activity, placed in zip(problem.activities, best.placed, strict=True):
        skill = plan.specs[TaskId(activity.name)].skill
        success *= share.of(skill, problem.machines[placed.machine].name)
    return Score(wrong, doubts, success, max(0.0, best.finish - times.now))


class _Shares:
    """Shares of attempts that succeed."""

    def __init__(self, history: History) -> None:
        self._here = history
        self._skill: dict[str, tuple[int, int]] = {}
        for (skill, _), (good, tries) in history.items():
            before = self._skill.get(skill, (0, 0))
            self._skill[skill] = before[0] + good, before[1] + tries
        good, tries = (sum(each) for each in zip((0, 0), *history.values(), strict=True))
        self._all = (good + PRIOR_WEIGHT) / (
            tries + PRIOR_WEIGHT
        )  # hopeful where nothing is known

    def of(self, skill: str, device: str) -> float:
        """Return the share of a skill on a device."""
        overall = _shrunk(self._skill.get(skill, (0, 0)), self._all)
        return _shrunk(self._here.get((skill, DeviceId(device)), (0, 0)), overall)


def _shrunk(seen: tuple[int, int], prior: float) -> float:
    good, tries = seen
    return (good + PRIOR_WEIGHT * prior) / (tries + PRIOR_WEIGHT)
