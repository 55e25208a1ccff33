"""An agent that infers in one session again and again, and the devices that keep it warm."""

from orchestrator.core import facts as f
from orchestrator.core.model import Needs
from protocol.types import PinScope, Resource, ResourceNeed, RunId
from tests.support.world import RUN, World, edge, task

SESSION = Resource("kv", "s", RUN)
MODEL = Resource("kv", "model")


def infer(name, key="s", *, scope=PinScope.RUN, amount=1.0, **needs):
    """A task that needs the session of its run, or a shared one."""
    return task(
        name,
        "infer",
        needs=Needs(resources=(ResourceNeed("kv", key, amount, scope),), **needs),
    )


def shared(name, **rest):
    return infer(name, "model", scope=PinScope.SHARED, **rest)


def chain(turns, key="s", tool="search"):
    """An agent: it infers, calls a tool elsewhere, and infers again in the same session."""
    parts = [infer("t0", key)]
    for n in range(1, turns):
        parts += [task(f"tool{n}", tool), infer(f"t{n}", key)]
        parts += [edge(f"t{n - 1}", f"tool{n}"), edge(f"tool{n}", f"t{n}")]
    return parts


def fleet(*, slots=9, capacity=1.0, devices=("gpu",), **rest):
    world = World(**rest)
    for name in devices:
        world.device(name, "infer", slots=slots, capacity={"kv": capacity})
    world.device("phone", "search", slots=9, labels={"class": "phone"})
    return world


def where(world, name=SESSION, device="gpu"):
    return world.engine.state.devices[device].warm.state(name, world.at)


def granted(world):
    return world.happened(f.PinGranted)[-1]


def learned(gap_s, *, turns=22, load_s=4.0):
    """A world in which the tool has always taken so long."""
    world = fleet()
    world.pools.load_s = load_s
    world.submit(*chain(turns), run=RunId("before"))
    for n in range(turns):
        world.do(f"t{n}")
        if n + 1 < turns:
            world.wait(gap_s)
            world.finish(f"tool{n + 1}", run_s=gap_s)
    assert not world.pools.names("gpu")
    return world
