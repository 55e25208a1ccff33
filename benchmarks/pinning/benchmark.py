"""The benchmark `pinning`: its parts and its goals. The names of the figures are a contract.

A simulation of one device whose memory is scarce (`device`), over the product's own rule and
ledger, on runs that are the same for every policy (`workloads`). Its policies are in `arms`.

* `sustained`: the closed form of the load that such a device sustains, against simulation.
* `race`: every policy at 60 to 105 % of capacity, where 100 % is the closed form's for the best
  leases. Judged are mean completion times: ours with Continuum's keys against every form of
  Continuum, pair by pair, and ours with finer keys against the clairvoyant.
* `threshold`, `estimation`: whether to keep while `R·h` is at least 1, and not something else.
* `estimator`: what it costs.
* `live`: real agents over mosquitto, with and without pinning, and one left alone.

What may be claimed: on these workloads, with one device and one kind of resource, the rule comes
so close and is so much better. What may not: that it is so with real agents (the live part is for
that), with several devices, or where gaps depend on each other: they are drawn independently,
log-normal, without drift. Continuum is our reading of its paper, on our simulator and without its
batching; its authors' system is not measured.
"""

from benchmarks.frame import Benchmark, Goal
from benchmarks.pinning import estimation, estimator, race, sustained, threshold
from benchmarks.pinning.charts import charts
from benchmarks.pinning.live import part as live
from benchmarks.pinning.workloads import WORKLOADS

GOALS: dict[str, Goal] = {
    "closed_form_error_max": ("<=", 0.03),
    "paired_wins_share": (">=", 0.90),
    "worst_ratio_continuum": ("<=", 1.01),
    **{f"clairvoyant_ratio.{name}": ("<=", 1.07) for name in WORKLOADS},
    "threshold_distance": ("<=", 0.1001),  # of the best threshold from 1, on a grid of 0.1
    "estimator.add_us": ("<=", 5.0),
    "estimator.query_us": ("<=", 2.0),
    "estimator.rebuild_us": ("<=", 300.0),
    "live.saving": (">=", 0.25),
    "live.lease_error_s": ("<=", 1.5),
}

SIMULATED = (
    estimator.measure,
    estimation.measure,
    sustained.measure,
    threshold.measure,
    race.measure,
)

BENCHMARK = Benchmark(
    name="pinning",
    goals=GOALS,
    parts=(*SIMULATED, live.measure),
    charts=charts,
    settings={
        "seeds": f"how many seeds, from --seed on; {race.SEEDS} in the race if left out",
        "jobs": "in how many processes at once; as many as there are cores if left out",
    },
)

__all__ = ["BENCHMARK", "GOALS"]
