"""Everybody acts in one world, without and with noise, with a device lost, and with stragglers.

Each trace is judged; a single violation ends the benchmark.
"""

from collections.abc import Iterator
from math import inf
from typing import Final, NamedTuple

from benchmarks.frame import BenchmarkError
from benchmarks.scheduling import optimum
from benchmarks.scheduling.bound import lower_bound
from benchmarks.scheduling.drive import drive
from benchmarks.scheduling.figures import ALONE, EXACT, LATE, NO_HEDGE, OURS, Costs, Outcome
from benchmarks.scheduling.model import Problem, Trace, makespan, problem
from benchmarks.scheduling.noise import Loss, Noise, actual
from benchmarks.scheduling.plan import Plan
from benchmarks.scheduling.policies import SCHEDULERS
from benchmarks.scheduling.replay import replay
from benchmarks.scheduling.validator import violations
from benchmarks.scheduling.worlds import World
from orchestrator.core.scheduling.policies import Policy

SIGMAS: Final = (0.0, 0.3, 0.5)
ROUGH: Final = 0.3  # sigma where a device is lost, and with stragglers
LOST_AT: Final = 0.4  # of the makespan of HEFT's plan
STRAGGLERS: Final = 0.05  # of all tries

ALWAYS: Final = (Policy.FIFO, Policy.EARLIEST_FINISH, Policy.ONE_PLAN)
"""The rest of the shelf acts in some worlds."""
ARMS: Final = {each: f"{each}, online" if each in SCHEDULERS else each.value for each in Policy}
"""A static schedule and the policy of that name are two arms."""
SINGLE: Final = frozenset({*SCHEDULERS, NO_HEDGE, EXACT})
"""Arms that may not have a second copy of a task."""


class Raced(NamedTuple):
    """What came of one world."""

    outcomes: tuple[Outcome, ...]
    costs: Costs


def race(world: World) -> Raced:
    """Let everybody act.

    Raises:
        BenchmarkError: a trace is not valid.
    """
    return _Race(world).run()


class _Race:
    """One world, the static schedules in it, and what our decisions cost so far."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._there = problem(world.instance, world.fleet)
        self._planned = {
            name: make(Plan(self._there)).executions() for name, make in SCHEDULERS.items()
        }
        self._costs = Costs()

    def run(self) -> Raced:
        outcomes = []
        for case, noise in self._cases().items():
            real = actual(self._there, noise)
            bound = lower_bound(real)
            for policy, trace in self._traces(case, noise):
                self._judge(real, trace, noise=noise, policy=policy, case=case)
                world, length = self._world, makespan(trace)
                outcomes.append(
                    Outcome(
                        policy,
                        case,
                        world.instance.name,
                        world.name,
                        world.kind,
                        length,
                        bound,
                        world.ccr,
                    )
                )
        return Raced(tuple(outcomes), self._costs)

    def _cases(self) -> dict[str, Noise]:
        """Return noise by case; a device is lost only where the others can do all."""
        seed = self._world.seed
        cases = {f"sigma{sigma:g}": Noise(sigma, seed=seed) for sigma in SIGMAS}
        cases["stragglers"] = Noise(ROUGH, STRAGGLERS, seed=seed)
        victim = seed % self._world.devices
        if all(min([*row[:victim], *row[victim + 1 :], inf]) < inf for row in self._there.costs):
            loss = Loss(victim, LOST_AT * makespan(self._planned["heft"]))
            cases["device_lost"] = Noise(ROUGH, seed=seed, loss=loss)
        return cases

    def _traces(self, case: str, noise: Noise) -> Iterator[tuple[str, Trace]]:
        there = self._there
        for policy in Policy if self._world.shelf else ALWAYS:
            driven = drive(there, policy, noise, improves=policy.value == OURS)
            yield ARMS[policy], driven.trace
            if policy.value == OURS:
                improve_ms = driven.improve_ms + driven.asking_ms + driven.search_ms
                self._costs.add(
                    Costs(
                        len(there.costs),
                        driven.plan_ms,
                        driven.decisions_ms,
                        improve_ms,
                        driven.asking_ms,
                    )
                )
        if self._world.shelf:
            yield LATE, drive(there, Policy(OURS), noise, ahead=False).trace
            yield ALONE, drive(there, Policy(OURS), noise, improves=False).trace
        if case == "stragglers":
            yield NO_HEDGE, drive(there, Policy(OURS), noise, hedges=False).trace
        for name, executions in self._planned.items():
            yield name, replay(there, SCHEDULERS[name], noise, planned=executions)
        if case == "sigma0" and self._world.exact_s:
            yield EXACT, self._exact()

    def _exact(self) -> Trace:
        """Execute what CP-SAT finds, from the best of the others on."""
        known = min(self._planned.values(), key=makespan)
        found = optimum.solve(
            self._there, known, limit_s=self._world.exact_s, seed=self._world.seed
        )
        return replay(self._there, SCHEDULERS["heft"], Noise(), planned=found)

    def _judge(self, real: Problem, trace: Trace, *, noise: Noise, policy: str, case: str) -> None:
        wrong = violations(
            real,
            trace,
            duration=lambda each: noise.seconds(self._there, each),
            hedges=0 if policy in SINGLE else 1,
        )
        if wrong:
            who = f"{policy} in {self._world.name}, {case}"
            raise BenchmarkError(f"{who}: {len(wrong)} violations, first {wrong[0]}")
