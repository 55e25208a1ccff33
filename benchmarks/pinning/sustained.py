"""The closed form of the sustainable load, against a simulated device that is never idle."""

from collections.abc import Iterator
from typing import Final

from benchmarks.frame import Figures, Item, Options, Progress, Row
from benchmarks.pinning import closed_form
from benchmarks.pinning.arms import fixed
from benchmarks.pinning.device import SLOTS, Device
from benchmarks.pinning.workloads import WORKLOADS, Workload, draw

TTLS_S: Final = (0.0, 0.5, 2.0, 8.0)
RUNS: Final = {"swe": 400, "bfcl": 3_000, "crossdevice": 1_200}
SKIPPED: Final = 0.2
"""Until then the device fills, and its runs are out of step with their age."""


def measure(options: Options) -> Iterator[Item]:
    """Compare them for every workload and fixed TTL; all runs are there from the beginning."""
    errors = []
    for done, workload in enumerate(WORKLOADS.values()):
        yield Progress(done / len(WORKLOADS), f"sustainable load: {workload.name}")
        for ttl_s in TTLS_S:
            form, simulated = compare(workload, ttl_s, options.seed, RUNS[workload.name])
            errors.append(abs(simulated / form - 1.0))
            yield Row(
                {
                    "part": "sustained",
                    "workload": workload.name,
                    "ttl_s": ttl_s,
                    "closed_form": form,
                    "simulated": simulated,
                }
            )
    yield Figures({"closed_form_error_max": max(errors)})


def compare(workload: Workload, ttl_s: float, seed: int, runs: int) -> tuple[float, float]:
    """Return the share of memory-seconds that do work: as the closed form says, and simulated.

    The closed form takes its expectations from the same runs; the simulation counts while runs
    still wait for their first turn.
    """
    drawn = draw(workload, seed, runs)
    form = closed_form.work_s(drawn) / closed_form.held_s(workload, drawn, lambda _: ttl_s)
    outcome = Device(drawn, fixed(ttl_s)(workload.reload_s), between_s=0.0).run()
    end = outcome.last_first_s
    begin = SKIPPED * end
    work_s = sum(work for at, work in outcome.work if begin < at <= end)
    return form, work_s / (SLOTS * (end - begin))
