"""Where tasks go while a hedge runs beside what they may wait for, and where hedges go."""

import pytest

from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.model import Dependency, Limits, Needs
from orchestrator.core.scheduling.policies import Policy
from protocol.types import Cancelled, Effect, TaskId
from tests.support.hedging import attempts
from tests.support.world import World, card, edge, task

LIMITS = Limits(start_s=100.0, run_s=2000.0)
LAB = {"site": "lab"}

# A task that may wait for the device of one that is late


def late(bandwidth, speed):
    """`t` runs on `d` for 20 s of 10, and from now on on `e`, outside the lab; `slow` is there."""
    world = World(policy=Policy.EARLIEST_FINISH)
    world.device("d", speed=2.0, labels=LAB, bandwidth=bandwidth)
    chain = edge("a", "t"), task("end", "other"), edge("t", "end")
    late_one = task("t", estimate_s=20.0, limits=LIMITS)
    world.submit(task("a", estimate_s=2.0), late_one, *chain)
    world.finish("a", run_s=1.0)
    world.start("t")
    world.wait(20.0)
    world.device("e", speed=speed, bandwidth=bandwidth)
    assert world.row("t").hedge is not None
    world.start("t")
    world.device("slow", labels=LAB, bandwidth=bandwidth)
    return world


def in_the_lab(world, estimate_s):
    """Add `u`, which takes half as long on `d` as on `slow`, and reads a little that `a` made."""
    reads = Dependency(TaskId("a"), TaskId("u"), size_bytes=1.0)
    world.edit(task("u", estimate_s=estimate_s, needs=Needs(labels=LAB)), reads)


@pytest.mark.parametrize("bandwidth", [None, 1e3])
def test_a_task_waits_for_a_late_one_s_device_if_its_hedge_is_about_to_end(bandwidth):
    world = late(bandwidth, speed=2.0)
    world.wait(9.9)
    in_the_lab(world, 20.0)
    assert world.state("u") == "ready"  # 0.1 s and 10 s; alone, `t` might take another 20 s
    _, hedge = attempts(world)
    world.end(hedge, Cancelled())
    world.wait(21.0)
    assert world.where("u") == "slow"


@pytest.mark.parametrize("bandwidth", [None, 1e3])
def test_it_waits_for_a_late_one_that_may_end_before_its_hedge(bandwidth):
    world = late(bandwidth, speed=1.0)
    in_the_lab(world, 36.0)
    assert world.state("u") == "ready"  # 10 s and 18 s; 20 s, says the hedge


@pytest.mark.parametrize("bandwidth", [None, 1e3])
def test_it_does_not_wait_for_one_that_lost_and_has_not_stopped(bandwidth):
    world = late(bandwidth, speed=2.0)
    world.wait(9.9)
    world.finish("t", run_s=9.9)
    in_the_lab(world, 20.0)
    assert world.where("u") == "slow"


# The tier of a hedge


def tiered(*others, **own):
    """`t` is late on `d`, a `device`, and others idle."""
    world = World(policy=Policy.TIERED)
    world.device("d", labels={"tier": "device"}, **own)
    world.submit(task("t", estimate_s=10.0, limits=LIMITS))
    world.start("t")
    for name, tier, rest in others:
        joins(world, name, tier, **rest)
    world.wait(20.0)
    return world


def joins(world, name, tier, **rest):
    if rest.get("extension", True):
        world.device(name, labels={"tier": tier}, **rest)
    else:
        world.tell(e.Announced(card(name, labels={"tier": tier}, **rest), online=True))


def where(world):
    return [fact.device for fact in world.happened(f.TaskPlaced, task="t")]


CLOUD = ("c", "cloud", {"speed": 5.0})
EDGE = ("m", "edge", {"speed": 4.0})
SAME = ("s", "device", {})


@pytest.mark.parametrize(
    ("others", "taker"), [([CLOUD, SAME], "s"), ([CLOUD, EDGE], "m"), ([CLOUD], "c")]
)
def test_a_hedge_goes_no_higher_than_it_must(others, taker):
    assert where(tiered(*others)) == ["d", taker]


@pytest.mark.parametrize(
    "full",
    [
        ("s", "device", {"slots": 0}),
        ("s", "device", {"effect": Effect.ONCE}),
        ("s", "device", {"extension": False}),  # nobody can be sure that it stops
    ],
)
def test_a_tier_without_room_for_a_hedge_holds_none_back(full):
    assert where(tiered(CLOUD, full)) == ["d", "c"]


def test_the_late_one_s_own_device_has_no_room_for_its_hedge():
    assert where(tiered(CLOUD, slots=2)) == ["d", "c"]


def test_a_device_that_gets_idle_leaves_a_hedge_to_a_lower_tier_with_room():
    world = tiered(("s", "device", {"speed": 0.33}))
    assert where(world) == ["d"], "too slow, as it seems yet"
    joins(world, "c", "cloud")
    assert where(world) == ["d"]
    world.wait(140.0)
    assert where(world) == ["d", "s"]
