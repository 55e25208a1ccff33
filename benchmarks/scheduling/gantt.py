"""The part `gantt`: one world, with what was executed where, to be drawn."""

from collections.abc import Iterator
from typing import Final

from benchmarks.frame import Item, Options, Row
from benchmarks.scheduling.drive import drive
from benchmarks.scheduling.figures import OURS
from benchmarks.scheduling.model import Problem, Trace, problem
from benchmarks.scheduling.noise import Noise
from benchmarks.scheduling.plan import Plan
from benchmarks.scheduling.policies import SCHEDULERS
from benchmarks.scheduling.replay import replay
from benchmarks.scheduling.worlds import World, worlds
from orchestrator.core.scheduling.policies import Policy

SHOWN: Final = "estee-pegasus-montage"
TASKS: Final = 100  # more cannot be told from each other
SIGMA: Final = 0.3


def measure(options: Options) -> Iterator[Item]:
    """Yield the executions of our policy and of HEFT, in a world that everybody knows."""
    world = _world(options)
    if world is None:
        return
    there = problem(world.instance, world.fleet)
    noise = Noise(SIGMA, seed=world.seed)
    heft = SCHEDULERS["heft"]
    yield _row(there, OURS, drive(there, Policy(OURS), noise).trace)
    yield _row(there, "heft", replay(there, heft, noise, planned=heft(Plan(there)).executions()))


def _world(options: Options) -> World | None:
    """Return that of `SHOWN` on the fewest devices, or of the largest that can be shown."""
    small = [each for each in worlds(options) if len(each.instance.tasks) <= TASKS]
    return max(
        small,
        key=lambda each: (
            each.instance.name == SHOWN,
            len(each.instance.tasks),
            -each.devices,
            -each.seed,
        ),
        default=None,
    )


def _row(there: Problem, policy: str, trace: Trace) -> Row:
    return Row(
        {
            "part": "gantt",
            "policy": policy,
            "instance": there.instance.name,
            "sigma": SIGMA,
            "executions": [
                [each.device, each.start, each.finish, there.instance.tasks[each.task].skill]
                for each in trace
            ],
        }
    )
