"""The closed form of the sustainable load, against a simulated device that is never idle."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from benchmarks.frame import Figures, Item, Options, Progress, Row
from benchmarks.pinning import closed_form
from benchmarks.pinning.arms import fixed
from benchmarks.pinning.device import SLOTS, Device
from benchmarks.pinning.workloads import WORKLOADS, draw
from benchmarks.workers import spread

TTLS_S: Final = (0.0, 0.5, 2.0, 8.0)
RUNS: Final = {"swe": 400, "bfcl": 3_000, "crossdevice": 1_200}
SKIPPED: Final = 0.2
"""Until then the device fills, and its runs are out of step with their age."""


class Case(NamedTuple):
    """What is compared."""

    workload: str
    ttl_s: float
    seed: int
    runs: int


def measure(options: Options) -> Iterator[Item]:
    """Compare them for every workload and fixed TTL; all runs are there from the beginning."""
    cases = [Case(name, ttl_s, options.seed, RUNS[name]) for name in WORKLOADS for ttl_s in TTLS_S]
    errors = []
    for case, (form, simulated) in spread(options, compare, cases):
        errors.append(abs(simulated / form - 1.0))
        yield Progress(len(errors) / len(cases), f"sustainable load: {case.workload}")
        yield Row(
            {
                "part": "sustained",
                "workload": case.workload,
                "ttl_s": case.ttl_s,
                "closed_form": form,
                "simulated": simulated,
            }
        )
    yield Figures({"closed_form_error_max": max(errors)})


def compare(case: Case) -> tuple[float, float]:
    """Return the share of memory-seconds that do work: as the closed form says, and simulated.

    The closed form takes its expectations from the same runs; the simulation counts while runs
    still wait for their first turn.
    """
    workload = WORKLOADS[case.workload]
    drawn = draw(workload, case.seed, case.runs)
    held_s = closed_form.held_s(workload, drawn, lambda _: case.ttl_s)
    outcome = Device(drawn, fixed(case.ttl_s)(workload.reload_s), between_s=0.0).run()
    return closed_form.work_s(drawn) / held_s, outcome.busy_share(SLOTS, SKIPPED)
