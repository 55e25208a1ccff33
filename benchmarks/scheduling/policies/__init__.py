"""Static list schedulers, each from its paper: a problem in, a whole schedule out.

A `Scheduler` fills the plan that it is given, which may hold executions that are fixed already;
the schedule is for one task at a time on each device, and knows no release times and windows.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from benchmarks.scheduling.plan import Plan
from benchmarks.scheduling.policies import cpop, dls, heft, immediate, lookahead, peft

Scheduler: TypeAlias = Callable[[Plan], Plan]

SCHEDULERS: Mapping[str, Scheduler] = {
    "heft": heft.schedule,
    "lookahead": lookahead.schedule,
    "peft": peft.schedule,
    "cpop": cpop.schedule,
    "dls": dls.schedule,
    "minmin": immediate.minmin,
    "maxmin": immediate.maxmin,
    "mct": immediate.mct,
}
"""The list schedulers by name."""

__all__ = ["SCHEDULERS", "Scheduler"]
