"""What a seed makes of a world before anything happens in it: fleet, plan, people and weather."""

import random
from dataclasses import dataclass, replace
from typing import Final

from benchmarks.simulation import plans
from benchmarks.simulation.kinds import COSTS_SUCCESS, Kind
from orchestrator.core.edits import EditBatch, ReplaceTask
from orchestrator.core.model import Limits, RunLimits, TaskSpec
from orchestrator.core.scheduling.policies import Policy
from orchestrator.planner import PlanningError, PlanRequest, RevisionRequest
from orchestrator.planner.scripted import ScriptedPlanner
from protocol.types import DeviceCard, DeviceId

CHECKED: Final = 1 / 12  # share of the worlds whose engine is checked after every decision
LYING: Final = 0.15  # share of the worlds in which devices lie about their own work
MIN_FAULTS: Final = 3
USUAL: Final = (Policy.EARLIEST_FINISH, Policy.FIFO, Policy.ONE_PLAN)


@dataclass(frozen=True, slots=True)
class Setting:
    """One world, as drawn."""

    seed: int
    cards: tuple[DeviceCard, ...]
    down_s: tuple[float, ...]
    """How long each device is away after a crash."""
    shape: str
    once: float
    """Share of the tasks whose effect may happen once."""
    limits: Limits
    planned: bool
    """A planner makes the plan; else it comes with the request."""
    wrong: float
    """How often the planner errs."""
    mends: bool
    """The planner revises what failed."""
    steered: bool
    """People edit, pause, cancel and answer."""
    policy: Policy
    kinds: tuple[Kind, ...]
    """The kinds of faults of this world: few at a time go further than all at once."""
    warm: float
    """The share of tasks that need something warm."""
    storm_s: float
    gap_s: float
    """Between faults, on average."""
    checked: bool

    @property
    def ample(self) -> bool:
        """Whether the limits are more than any storm can use up."""
        return self.limits is plans.AMPLE

    def batch(self, number: int) -> EditBatch:
        """Return the plan of the world's nth run."""
        chance = random.Random(f"{self.seed}/plan/{number}")
        asks = 0.1 if self.steered else 0.0
        return plans.plan(
            chance, self.shape, once=self.once, asks=asks, warm=self.warm, limits=self.limits
        )

    def specs(self, number: int) -> list[TaskSpec]:
        """Return the tasks of the world's nth run."""
        return list(plans.tasks(self.batch(number)))

    def run_limits(self) -> RunLimits:
        """Return the bounds of its runs."""
        return RunLimits(plan_s=400.0, revisions=6 if self.mends else 0)

    def planner(self) -> ScriptedPlanner:
        """Return its planner: slow, and wrong at its rate."""
        return ScriptedPlanner(self._propose, _mend, delay_s=1.5, wrong=self.wrong, seed=self.seed)

    def _propose(self, request: PlanRequest) -> EditBatch:
        return self.batch(request.seed - self.seed)


def draw(seed: int) -> Setting:
    """Draw a world."""
    chance = random.Random(f"{seed}/setting")
    count = chance.randint(3, 5)
    planned = chance.random() < 0.25  # noqa: PLR2004
    return Setting(
        seed,
        cards=tuple(
            DeviceCard(
                DeviceId(f"d{n}"),
                slots=chance.randint(1, 3),
                speed=chance.choice([0.5, 1.0, 2.0]),
                capacity={plans.SESSION: 2.0, plans.MODEL: 1.0},
            )
            for n in range(count)
        ),
        down_s=tuple(chance.choice([0.5, 2.0, 12.0, 30.0]) for _ in range(count)),
        shape=chance.choice(list(plans.SHAPES)),
        once=chance.choice([0.0, 0.0, 0.15, 0.3]),
        limits=chance.choice([plans.AMPLE] * 8 + [plans.TIGHT]),
        planned=planned,
        wrong=chance.choice([0.0, 0.0, 0.5]) if planned else 0.0,
        mends=chance.random() < 0.3,  # noqa: PLR2004
        steered=chance.random() < 0.1,  # noqa: PLR2004
        policy=_policy(seed, chance),
        kinds=_kinds(chance),
        warm=random.Random(f"{seed}/warm").choice([0.0, 0.3, 0.6]),
        storm_s=chance.uniform(20.0, 45.0),
        gap_s=chance.uniform(2.0, 5.0),
        checked=chance.random() < CHECKED,
    )


def _policy(seed: int, chance: random.Random) -> Policy:
    """Draw who places tasks: in every fourth world somebody from the shelf."""
    usual = chance.choice(USUAL)
    if seed % 4 != 1:
        return usual
    return random.Random(f"{seed}/shelf").choice([each for each in Policy if each not in USUAL])


def _kinds(chance: random.Random) -> tuple[Kind, ...]:
    """Draw what goes wrong; where devices lie about their own work little can be demanded."""
    liars = chance.random() < LYING
    kinds = [kind for kind in Kind if liars or kind not in COSTS_SUCCESS]
    return tuple(chance.sample(kinds, chance.randint(3, 8)))


def _mend(request: RevisionRequest) -> EditBatch:
    """Try a failed task afresh, except one whose effect may have happened."""
    snapshot = request.snapshot
    failed = next(task for task in snapshot.tasks if task.spec.id == request.task)
    if failed.spec.skill == "act" or failed.parent is not None:
        raise PlanningError("this cannot be mended by trying again")
    return EditBatch(snapshot.revision, (ReplaceTask(replace(failed.spec, title="again")),))
