"""What the scheduler does not see: how long tasks really take, and what gets lost.

Common random numbers: a task's factor follows from the seed, the task and which try it is, and
from nothing that a policy decides, so that all policies meet the same luck.
"""

import math
import random
from dataclasses import dataclass, field, replace
from typing import Final

from benchmarks.scheduling.model import Execution, Problem

SLOW_FROM: Final = 3.0
SLOW_TO: Final = 10.0


@dataclass(frozen=True, slots=True)
class Loss:
    """A device that is gone for good from `at` on. What it had finished is kept elsewhere."""

    device: int
    at: float


@dataclass(frozen=True)
class Noise:
    """Log-normal factors with mean 1 on all durations, and stragglers.

    Attributes:
        sigma: standard deviation of the factors' logarithm.
        stragglers: share of tries that take 3 to 10 times as long as they would.
        seed: of all of it.
        loss: a device that is lost on the way.
    """

    sigma: float = 0.0
    stragglers: float = 0.0
    seed: int = 0
    loss: Loss | None = None
    _known: dict[tuple[int, int], float] = field(default_factory=dict, compare=False, repr=False)

    def factor(self, task: int, attempt: int = 0) -> float:
        """Return by what a task's cost is multiplied in a try of it."""
        known = self._known.get((task, attempt))
        if known is None:
            chance = random.Random(f"noise/{self.seed}/{task}/{attempt}")
            z, slow, by = chance.gauss(0.0, 1.0), chance.random(), chance.random()
            known = math.exp(self.sigma * z - self.sigma**2 / 2)
            if slow < self.stragglers:
                known *= SLOW_FROM + (SLOW_TO - SLOW_FROM) * by
            self._known[task, attempt] = known
        return known

    def seconds(self, problem: Problem, execution: Execution) -> float:
        """Return how long an execution really takes if nothing stops it."""
        cost = problem.costs[execution.task][execution.device]
        return cost * self.factor(execution.task, execution.attempt)


def actual(problem: Problem, noise: Noise) -> Problem:
    """Return a problem with the costs that first tries really have: what to bound from below.

    With a device's loss its window ends then.
    """
    costs = tuple(
        tuple(cost * noise.factor(task) for cost in row) for task, row in enumerate(problem.costs)
    )
    devices = list(problem.fleet.devices)
    if noise.loss is not None:
        lost = noise.loss.device
        devices[lost] = replace(devices[lost], windows=((0.0, noise.loss.at),))
    return Problem(problem.instance, replace(problem.fleet, devices=tuple(devices)), costs)
