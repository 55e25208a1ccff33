from itertools import product

import pytest

from orchestrator.core.model import Needs
from orchestrator.core.scheduling.policies import Parameters, Policy, chosen
from orchestrator.core.scheduling.shelf.pareto import Weights
from tests.orchestrator.core.scheduling.shelf.driving import drawn, world_of
from tests.support.world import task


def machine(speed=1.0, watts=0.0, price=0.0, **labels):
    said = {"watts": str(watts), "price": str(price), **labels}
    return {"speed": speed, "labels": said}


def weighed(weights, *devices):
    world = world_of(Policy.PARETO, *devices)
    world.engine._place = chosen(Policy.PARETO, Parameters(pareto=weights))
    return world


@pytest.mark.parametrize(
    ("weights", "where"),
    [
        (Weights(time=1.0, energy=1e-9, money=1e-9), "fast"),
        (Weights(time=1e-9, energy=1.0, money=1e-9), "frugal"),
        (Weights(time=1e-9, energy=1e-9, money=1.0), "cheap"),
    ],
)
def test_the_weights_say_what_counts(weights, where):
    world = weighed(
        weights,
        ("fast", machine(4.0, watts=400.0, price=9.0)),
        ("frugal", machine(1.0, watts=5.0, price=9.0)),
        ("cheap", machine(1.0, watts=400.0, price=0.1)),
    )
    world.submit(task("t", estimate_s=10.0))
    assert world.where("t") == where


@pytest.mark.parametrize("seed", range(20))
def test_no_other_device_with_room_is_better_in_one_and_no_worse_in_the_others(seed):
    said = {
        f"d{n}": (
            drawn(seed, 3 * n, 1, 3),
            drawn(seed, 3 * n + 1, 0, 3),
            drawn(seed, 3 * n + 2, 0, 3),
        )
        for n in range(6)
    }
    world = world_of(
        Policy.PARETO,
        *((name, machine(v, watts=100.0 * w, price=float(p))) for name, (v, w, p) in said.items()),
    )
    world.submit(task("t", estimate_s=60.0))

    def costs(name):
        speed, watts, price = said[name]
        return (1 / speed, watts / speed, price / speed)

    taken = costs(world.where("t"))
    better = [n for n in said if costs(n) != taken and all(map(float.__le__, costs(n), taken))]
    assert better == []


def test_privacy_is_a_hard_constraint():
    world = world_of(
        Policy.PARETO,
        ("cloud", machine(100.0, zone="cloud")),
        ("home", machine(0.1, watts=999.0, price=99.0, zone="home")),
    )
    world.submit(task("t", estimate_s=1.0, needs=Needs(labels={"zone": "home"})))
    world.submit(task("u", estimate_s=1.0), run="other")
    assert (world.where("t"), world.where("u")) == ("home", "cloud")


@pytest.mark.parametrize(
    ("watts", "price"), [*product(["much", "-5", "nan", "inf"], ["", "1e999"])]
)
def test_what_is_no_number_from_0_on_counts_as_nothing(watts, price):
    odd = {"labels": {"watts": watts, "price": price}}
    world = world_of(Policy.PARETO, ("usual", machine(watts=1.0)), ("odd", odd))
    world.submit(task("t", estimate_s=1.0))
    assert world.where("t") == "odd"
