"""A task that is late, and what is tried beside it."""

from orchestrator.core import facts as f
from orchestrator.core.model import Limits
from protocol.types import Effect
from tests.support.world import World, task

LATE_S = 20.0  # twice the estimate of `t`
LIMITS = Limits(start_s=5.0, run_s=200.0, input_s=30.0)


def late(*, effect=Effect.PURE, other=Effect.PURE, tuning=None, **rest):
    """`t` runs on `d` since the start, and `e` idles."""
    world = World(tuning=tuning)
    world.device("d", effect=effect, labels={"site": "lab"}, capacity={"memory": 4.0})
    world.submit(task("t", **{"estimate_s": 10.0, "limits": LIMITS, **rest}))
    world.start("t")
    world.device("e", effect=other, capacity={"memory": 4.0})
    return world


def attempts(world, name="t"):
    return [fact.attempt for fact in world.happened(f.TaskPlaced, task=name)]


def live(world, name="t"):
    return [one for one in (world.row(name).live, world.row(name).hedge) if one is not None]
