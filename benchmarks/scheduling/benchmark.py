"""The benchmark `scheduling`: our policies and the list schedulers on public task graphs.

Every instance runs on 4, 8 and 16 heterogeneous devices, of two kinds of fleets (`fleets`):
`unrelated`, where a device has skills of its own and links are slow, and clusters, `related`. The
goals are those of the first; clusters have figures beside them, but hardly anything to gain: there
HEFT's schedules are within 6 % of the lower bound. A **world** is an instance, a fleet and a seed;
in it everybody meets the same durations. A makespan's ratio is over the lower bound for the
durations that came; figures are geometric means over worlds. Every trace is judged by the one
validator, and a single violation ends the benchmark.

Who acts (`race`): our default policy, `fifo` and `earliest_finish`; the static list schedulers;
with the first seed also the rest of the shelf, ours where inputs are sent late, and ours without
improvement, for up to 200 tasks, and CP-SAT, for up to 100 and ten seconds (`--exact`), if the
extra `ortools` is installed; with `--quick` in small worlds only. Their ratios are over fewer
worlds and stand beside others only there; without `ortools` there is no `vs_cpsat`, nor its goal.
`heft` is the static schedule; `heft, online` is the policy, which decides at dispatch.

Everybody knows works, speeds and transfers, and sends data as soon as it is made to where it is
planned to go; `LATE` shows what it costs to fetch only what is offered. Policies without a plan
always send with the offer.

Two instances, `gpt2_tensor_sh12_*`, send for 500 to 3,000 times as long as they compute, where
links are those that were published: the sizes seem to be in another unit. They are kept so:
everybody ends up on the quickest device of the cluster, and the ratio is 1.

CPU times are per task. `decision_ms_mean` is that of all decisions but the submission, which reads
the graph and plans it (`plan_ms_mean`), and but for those that ask for a better plan or take it;
with these it is `loop_ms_mean`: what the event loop spends. `improve_cpu_ms` is that of these, of
all decisions that make a plan anew (the submission, and what follows a device's loss), and of the
searches while the run goes on: `drive.IMPROVE_CPU` seconds of a core for each second of the run,
which is the instance's unit of time, and of 20 more, at the most, and less where they find
nothing. What those gain is `improved.*`. `cpsat_vs_best_list` says what is left.

How long transfers take beside tasks (CCR) was drawn: `vs_heft.sigma0.ccr*` and
`hedge.stragglers.ccr*` are of the worlds that drew it. A second copy of a task needs its data
again: so hedging saves much where that is quick, and nothing where it takes ten times as long.

`vs_best_list` is to the list schedule that is best on the mean; `vs_each_best_list` to that which
is best in each world, which nobody knows beforehand. `vs_cpsat` is to what CP-SAT finds in the
time that it has, which on a shared core is not much and depends on the machine. `worst_vs_fifo` is
the worst mean of an instance.

The bound is that of first tries: where a second copy has better luck a ratio can fall below 1.
"""

import statistics
from collections.abc import Iterator
from typing import Final

from benchmarks.frame import Benchmark, BenchmarkError, Figures, Goal, Item, Options, Progress, Row
from benchmarks.scheduling import gantt, optimum
from benchmarks.scheduling.charts import charts
from benchmarks.scheduling.figures import Costs, Outcome, figures
from benchmarks.scheduling.race import race
from benchmarks.scheduling.worlds import EXACT_S, SEEDS, World, worlds
from benchmarks.workers import spread

GOALS: dict[str, Goal] = {
    "vs_best_list.sigma0": ("<=", 0.94),
    "vs_heft.sigma0.3": ("<=", 0.95),
    "vs_heft.sigma0.5": ("<=", 0.935),
    "vs_heft.device_lost": ("<=", 0.88),
    "hedge.stragglers": ("<=", 0.86),
    "worst_vs_fifo": ("<=", 1.02),
    "decision_ms_mean": ("<=", 0.1),
}
if optimum.installed():
    GOALS["vs_cpsat.sigma0"] = ("<=", 1.01)

QUANTILES: Final = 100  # shown of the times of decisions


def measure(options: Options) -> Iterator[Item]:
    """Measure all worlds, as many at once as there are cores."""
    outcomes: list[Outcome] = []
    costs = Costs()
    every = list(worlds(options))
    if not every:
        raise BenchmarkError("there is no instance with two tasks or more that is small enough")
    for done, (world, raced) in enumerate(spread(options, race, every)):
        yield Progress(done / len(every), f"{world.instance.name} on {world.devices} devices")
        outcomes += raced.outcomes
        costs.add(raced.costs)
        yield from (_row(world, outcome) for outcome in raced.outcomes)
        yield _costs(world, raced.costs)
    yield from _decisions(costs)
    yield Figures({**figures(outcomes), **costs.figures()})


def _row(world: World, outcome: Outcome) -> Row:
    return Row(
        {
            "part": "race",
            "policy": outcome.policy,
            "case": outcome.case,
            "instance": outcome.instance,
            "fleet": outcome.fleet,
            "ccr": outcome.ccr,
            "devices": world.devices,
            "seed": world.seed,
            "makespan": outcome.makespan,
            "bound": outcome.bound,
        }
    )


def _costs(world: World, costs: Costs) -> Row:
    return Row(
        {
            "part": "costs",
            "instance": world.instance.name,
            "fleet": world.kind,
            "devices": world.devices,
            "seed": world.seed,
            "tasks": len(world.instance.tasks),
            **costs.figures(),
        }
    )


def _decisions(costs: Costs) -> Iterator[Row]:
    """Yield quantiles, one by one."""
    for number, ms in enumerate(statistics.quantiles(costs.decisions_ms, n=QUANTILES), 1):
        yield Row({"part": "decisions", "share": number / QUANTILES, "ms": ms})


BENCHMARK = Benchmark(
    name="scheduling",
    goals=GOALS,
    parts=(measure, gantt.measure),
    charts=charts,
    settings={
        "seeds": f"fleets and noises for each instance, {SEEDS} unless told",
        "tasks": "leave out larger instances",
        "exact": f"seconds that CP-SAT may search in a world, {EXACT_S} unless told; 0: no CP-SAT",
        "recipes": "run workflows of about so many tasks, of the recipes of wfcommons, instead",
        "jobs": "in how many processes at once; as many as there are cores if left out",
    },
    paths={
        "instances": "run what is in this file or folder instead: WfFormat, the compact form,"
        " PSPLIB's .sm, job shops (.jss, .txt)",
    },
)

__all__ = ["BENCHMARK", "GOALS"]
