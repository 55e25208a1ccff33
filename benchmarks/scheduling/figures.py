"""What follows from outcomes: ratios to the bound, and to each other on the same worlds."""

import math
import statistics
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from benchmarks.scheduling.fleets import CCR, CLUSTER
from benchmarks.scheduling.policies import SCHEDULERS
from orchestrator.core.scheduling.policies import Policy

OURS: Final = Policy.ONE_PLAN.value
"""The policy that goals are about."""
LATE: Final = f"{OURS}, sent late"
"""The same where inputs are fetched only when a task is offered."""
ALONE: Final = f"{OURS}, not improved"
"""The same where nobody searches for a better plan while the run goes on."""
NO_HEDGE: Final = f"{OURS}, no hedge"
"""The same where no straggler gets a second copy."""
EXACT: Final = "cpsat"
BEST: Final = "best list of each world"
"""Whichever static list schedule is the shortest there: nobody knows beforehand which it is."""

CONFIDENCE: Final = 1.96  # standard errors to either side: 95 %


@dataclass(frozen=True, slots=True)
class Outcome:
    """One arm in one world."""

    policy: str
    case: str
    """`sigma0`, `sigma0.3`, …, `device_lost` or `stragglers`."""
    instance: str
    world: str
    fleet: str
    """Its kind."""
    makespan: float
    bound: float
    ccr: float | None = None


@dataclass(slots=True)
class Costs:
    """CPU times of our policy, in milliseconds, over so many tasks."""

    tasks: int = 0
    plan_ms: float = 0.0
    """Of submissions, which make the first plan."""
    decisions_ms: "array[float]" = field(default_factory=lambda: array("d"))
    """Of every decision after."""
    improve_ms: float = 0.0
    """Of those of all of them that made a plan anew, and of the searches for better ones."""
    asking_ms: float = 0.0
    """Of those that ask for such a search or take its answer."""

    def add(self, other: "Costs") -> None:
        """Count another's too."""
        self.tasks += other.tasks
        self.plan_ms += other.plan_ms
        self.decisions_ms.extend(other.decisions_ms)
        self.improve_ms += other.improve_ms
        self.asking_ms += other.asking_ms

    def figures(self) -> dict[str, float]:
        """Return means per task, and what 1 % of single decisions exceed."""
        return {
            "decision_ms_mean": sum(self.decisions_ms) / self.tasks,
            "loop_ms_mean": (sum(self.decisions_ms) + self.asking_ms) / self.tasks,
            "decision_ms_p99": statistics.quantiles(self.decisions_ms, n=100)[98],
            "plan_ms_mean": self.plan_ms / self.tasks,
            "improve_cpu_ms": self.improve_ms / self.tasks,
        }


def figures(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Return every figure that follows from makespans; those of clusters by themselves."""
    clusters = [each for each in outcomes if each.fleet == CLUSTER]
    others = [each for each in outcomes if each.fleet != CLUSTER]
    return {
        **(_figures(others) if others else {}),
        **({f"{CLUSTER}.{n}": v for n, v in _figures(clusters).items()} if clusters else {}),
    }


def _figures(outcomes: Sequence[Outcome]) -> dict[str, float]:
    ratios: dict[tuple[str, str], list[float]] = defaultdict(list)
    for each in outcomes:
        ratios[each.policy, each.case].append(each.makespan / each.bound)
    found = {
        f"ratio.{policy}.{case}": geometric_mean(values)
        for (policy, case), values in ratios.items()
    }
    beside = _Beside([*outcomes, *_best_lists(outcomes)])
    for case in dict.fromkeys(each.case for each in outcomes):
        found |= beside.figure(f"vs_heft.{case}", case, OURS, "heft")
        found |= beside.figure(f"vs_lookahead.{case}", case, OURS, "lookahead")
        found |= beside.figure(f"late_vs_heft.{case}", case, LATE, "heft")
        found |= beside.figure(f"improved.{case}", case, OURS, ALONE)
    for ccr in CCR:
        slow = _Beside([each for each in outcomes if each.ccr == ccr])
        found |= slow.figure(f"vs_heft.sigma0.ccr{ccr:g}", "sigma0", OURS, "heft")
        found |= slow.figure(f"hedge.stragglers.ccr{ccr:g}", "stragglers", OURS, NO_HEDGE)
    found |= beside.figure("vs_cpsat.sigma0", "sigma0", OURS, EXACT)
    found |= beside.figure("hedge.stragglers", "stragglers", OURS, NO_HEDGE)
    best = min(SCHEDULERS, key=lambda name: found[f"ratio.{name}.sigma0"])
    found |= beside.figure("vs_best_list.sigma0", "sigma0", OURS, best)
    found |= beside.figure("vs_each_best_list.sigma0", "sigma0", OURS, BEST)
    found |= beside.figure("cpsat_vs_best_list.sigma0", "sigma0", EXACT, best)
    found["worst_vs_fifo"] = max(beside.means(OURS, Policy.FIFO.value).values())
    return found


def _best_lists(outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    """Yield the shortest of the static list schedules in each world and case."""
    found: dict[tuple[str, str], Outcome] = {}
    for each in outcomes:
        key = each.world, each.case
        if each.policy in SCHEDULERS:
            found[key] = min(found.get(key, each), each, key=lambda one: one.makespan)
    return (replace(each, policy=BEST) for each in found.values())


class _Beside:
    """Quotients of the makespans of two arms in the same worlds."""

    def __init__(self, outcomes: Iterable[Outcome]) -> None:
        self._by = {(each.policy, each.case, each.world): each for each in outcomes}

    def figure(self, name: str, case: str, arm: str, other: str) -> dict[str, float]:
        """Return the mean, and where it lies with 95 % confidence; nothing without a world.

        Worlds of one instance resemble each other: the interval is that of instances' means.
        """
        quotients = list(self._quotients(arm, other, case))
        if not quotients:
            return {}
        by_instance = _by_instance(quotients).values()
        mean, logs = geometric_mean(by_instance), [math.log(each) for each in by_instance]
        half = CONFIDENCE * statistics.stdev(logs) / len(logs) ** 0.5 if len(logs) > 1 else 0.0
        return {
            name: mean,
            f"{name}.low": mean * math.exp(-half),
            f"{name}.high": mean * math.exp(half),
        }

    def means(self, arm: str, other: str) -> Mapping[str, float]:
        """Return the means over worlds and cases, by instance."""
        return _by_instance(self._quotients(arm, other))

    def _quotients(
        self, arm: str, other: str, only: str | None = None
    ) -> Iterator[tuple[str, float]]:
        for (policy, case, world), each in self._by.items():
            base = self._by.get((other, case, world))
            if policy == arm and base is not None and only in (None, case):
                yield each.instance, each.makespan / base.makespan


def _by_instance(quotients: Iterable[tuple[str, float]]) -> dict[str, float]:
    found: dict[str, list[float]] = defaultdict(list)
    for instance, quotient in quotients:
        found[instance].append(quotient)
    return {instance: geometric_mean(each) for instance, each in found.items()}


def geometric_mean(values: Iterable[float]) -> float:
    """Return the geometric mean of positive numbers."""
    return math.exp(statistics.fmean(map(math.log, values)))
