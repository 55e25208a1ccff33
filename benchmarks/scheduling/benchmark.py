"""The benchmark `scheduling`: our policies and the list schedulers on public task graphs.

Every instance runs on 4, 8 and 16 heterogeneous devices. A **world** is an instance, a fleet and
a seed; in it everybody meets the same durations. A makespan's ratio is over the lower bound for
the durations that came; figures are geometric means over worlds. Every trace is judged by the
one validator, and a single violation ends the benchmark.

Everybody knows works, speeds and transfers, and sends data as soon as it is made to where it is
planned to go. Our devices do not do that yet, but fetch what a task needs when it is offered: what
that costs is shown beside it (`LATE`). Policies without a plan always send with the offer.

Two instances, `gpt2_tensor_sh12_*`, send for 500 to 3,000 times as long as they compute: the sizes
seem to be in another unit than the links. They are kept as published: everybody ends up on the
quickest device there, and the ratio is 1.

What a first plan costs is CPU time too: `plan_ms_mean` is that of the submission, per task, which
reads the graph and plans it; `decision_ms_mean` is that of all decisions after it.
"""

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.frame import Benchmark, BenchmarkError, Figures, Goal, Item, Options, Progress, Row
from benchmarks.scheduling import fleets
from benchmarks.scheduling.bound import lower_bound
from benchmarks.scheduling.drive import Driven, drive
from benchmarks.scheduling.generators import GENERATORS
from benchmarks.scheduling.instances import public
from benchmarks.scheduling.model import Execution, Instance, Problem, Trace, makespan, problem
from benchmarks.scheduling.noise import Loss, Noise, actual
from benchmarks.scheduling.plan import Plan
from benchmarks.scheduling.policies import SCHEDULERS
from benchmarks.scheduling.replay import replay
from benchmarks.scheduling.validator import violations
from orchestrator.core.scheduling.policies import Policy

SIGMAS: Final = (0.0, 0.3, 0.5)
LOST_AT: Final = 0.4  # of the makespan of HEFT's plan
LOST_SIGMA: Final = 0.3
OURS: Final = Policy.ONE_PLAN
"""The policy that goals are about."""
LATE: Final = "one_plan, sent late"
"""The same where inputs are fetched only when a task is offered."""

QUICK_TASKS: Final = 100  # larger instances take most of the time
SEEDS: Final = 5
CONFIDENCE: Final = 1.96  # standard errors to either side: 95 %

GOALS: dict[str, Goal] = {
    "vs_best_list.sigma0": ("<=", 0.94),
    "vs_heft.sigma0.3": ("<=", 0.95),
    "vs_heft.sigma0.5": ("<=", 0.935),
    "vs_heft.device_lost": ("<=", 0.88),
    "worst_vs_fifo": ("<=", 1.02),
    "decision_ms_mean": ("<=", 0.1),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One policy in one world."""

    policy: str
    case: str
    """`sigma0`, `sigma0.3`, … or `device_lost`."""
    instance: str
    world: str
    makespan: float
    bound: float


def measure(options: Options) -> Iterator[Item]:
    """Measure all worlds, one by one."""
    outcomes: list[Outcome] = []
    decisions = Decisions()
    worlds = list(_worlds(options))
    for done, (instance, devices, seed) in enumerate(worlds):
        yield Progress(done / len(worlds), f"{instance.name} on {devices} devices")
        there = problem(instance, fleets.fleet(instance, devices, seed))
        for outcome in _outcomes(there, f"{instance.name}/{devices}/{seed}", seed, decisions):
            outcomes.append(outcome)
            yield Row(
                {
                    "policy": outcome.policy,
                    "case": outcome.case,
                    "instance": outcome.instance,
                    "devices": devices,
                    "seed": seed,
                    "makespan": outcome.makespan,
                    "bound": outcome.bound,
                }
            )
    yield Figures({**figures(outcomes), **decisions.figures()})


def _worlds(options: Options) -> Iterator[tuple[Instance, int, int]]:
    """Yield instance, devices and seed; an instance of one task has nothing to schedule."""
    count = options.settings.get("seeds", 1 if options.quick else SEEDS)
    limit = options.settings.get("tasks", QUICK_TASKS if options.quick else 10_000)
    made = (make(60, options.seed) for make in GENERATORS.values())
    for instance in (*public(), *made):
        if 1 < len(instance.tasks) <= limit:
            for devices in fleets.SIZES:
                for seed in range(options.seed, options.seed + count):
                    yield instance, devices, seed


def _outcomes(there: Problem, world: str, seed: int, decisions: "Decisions") -> Iterator[Outcome]:
    """Let everybody act in one world, without and with noise, and with a device lost."""
    planned = {name: make(Plan(there)).executions() for name, make in SCHEDULERS.items()}
    length = makespan(planned["heft"])
    victim = seed % len(there.devices)
    cases = {f"sigma{sigma:g}": Noise(sigma, seed=seed) for sigma in SIGMAS}
    loss = Loss(victim, LOST_AT * length)
    cases["device_lost"] = Noise(LOST_SIGMA, seed=seed, loss=loss)
    for case, noise in cases.items():
        real = actual(there, noise)
        bound = lower_bound(real)
        for policy, trace in _traces(there, noise, planned, decisions):
            _judge(real, trace, there, noise, f"{policy} in {world}, {case}")
            yield Outcome(policy, case, there.instance.name, world, makespan(trace), bound)


def _traces(
    there: Problem,
    noise: Noise,
    planned: dict[str, tuple[Execution, ...]],
    decisions: "Decisions",
) -> Iterator[tuple[str, Trace]]:
    for policy in Policy:
        driven = drive(there, policy, noise)
        if policy is OURS:
            decisions.add(driven, len(there.costs))
            yield LATE, drive(there, policy, noise, ahead=False).trace
        yield policy.value, driven.trace
    for name, make in SCHEDULERS.items():
        yield name, replay(there, make, noise, planned=planned[name])


def _judge(real: Problem, trace: Trace, there: Problem, noise: Noise, who: str) -> None:
    wrong = violations(real, trace, duration=lambda each: noise.seconds(there, each))
    if wrong:
        raise BenchmarkError(f"{who}: {len(wrong)} violations, first {wrong[0]}")


def figures(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Return every figure that follows from makespans."""
    by = {(each.case, each.policy, each.world): each for each in outcomes}
    cases = dict.fromkeys(each.case for each in outcomes)
    found: dict[str, float] = {}
    for case in cases:
        ours = [each for each in outcomes if (each.case, each.policy) == (case, OURS.value)]
        found |= _vs_heft(case, ours, by)
        late = [each for each in outcomes if (each.case, each.policy) == (case, LATE)]
        found[f"late_vs_heft.{case}"] = _vs_heft(case, late, by)[f"vs_heft.{case}"]
        for policy in dict.fromkeys(each.policy for each in outcomes):
            those = (by[case, policy, each.world] for each in ours)
            found[f"ratio.{policy}.{case}"] = geometric_mean(o.makespan / o.bound for o in those)
    best = min(found[f"ratio.{name}.sigma0"] for name in SCHEDULERS)
    found["vs_best_list.sigma0"] = found[f"ratio.{OURS.value}.sigma0"] / best
    found["worst_vs_fifo"] = max(_vs_fifo(outcomes).values())
    return found


def _vs_heft(
    case: str, ours: Iterable[Outcome], by: Mapping[tuple[str, str, str], Outcome]
) -> dict[str, float]:
    """Return our makespan over that of HEFT, and where its mean lies with 95 % confidence.

    Worlds of one instance resemble each other: the interval is that of the means by instance.
    """
    quotients: dict[str, list[float]] = defaultdict(list)
    for each in ours:
        heft = by[case, "heft", each.world].makespan
        quotients[each.instance].append(each.makespan / heft)
    logs = [math.log(geometric_mean(found)) for found in quotients.values()]
    half = CONFIDENCE * statistics.stdev(logs) / len(logs) ** 0.5 if len(logs) > 1 else 0.0
    mean = geometric_mean(each for found in quotients.values() for each in found)
    name = f"vs_heft.{case}"
    return {
        name: mean,
        f"{name}.low": mean * math.exp(-half),
        f"{name}.high": mean * math.exp(half),
    }


def _vs_fifo(outcomes: Iterable[Outcome]) -> dict[str, float]:
    """Return, by instance, our makespan over that of `fifo`: the mean over worlds and cases."""
    by = {(each.case, each.policy, each.world): each.makespan for each in outcomes}
    quotients: dict[str, list[float]] = defaultdict(list)
    for each in outcomes:
        if each.policy == OURS.value:
            fifo = by[each.case, Policy.FIFO.value, each.world]
            quotients[each.instance].append(each.makespan / fifo)
    return {instance: geometric_mean(found) for instance, found in quotients.items()}


def geometric_mean(values: Iterable[float]) -> float:
    """Return the geometric mean of positive numbers."""
    return math.exp(statistics.fmean(map(math.log, values)))


class Decisions:
    """CPU times of our policy's decisions."""

    def __init__(self) -> None:
        self._ms: list[float] = []
        self._plan_ms = 0.0
        self._tasks = 0

    def add(self, driven: Driven, tasks: int) -> None:
        """Take all decisions of one run of so many tasks."""
        self._ms += driven.decisions_ms
        self._plan_ms += driven.plan_ms
        self._tasks += tasks

    def figures(self) -> dict[str, float]:
        """Return the mean of all decisions per task, and what 1 % of single ones exceed."""
        p99 = statistics.quantiles(self._ms, n=100)[98]
        return {
            "decision_ms_mean": sum(self._ms) / self._tasks,
            "decision_ms_p99": p99,
            "plan_ms_mean": self._plan_ms / self._tasks,
        }


BENCHMARK = Benchmark(
    name="scheduling",
    goals=GOALS,
    parts=(measure,),
    settings={
        "seeds": f"fleets and noises for each instance, {SEEDS} unless told",
        "tasks": "leave out larger instances",
    },
)

__all__ = ["BENCHMARK", "GOALS"]
