import pytest

from orchestrator.core.model import Needs
from orchestrator.core.scheduling.demand import Demand
from orchestrator.core.scheduling.policies import Policy
from orchestrator.core.scheduling.shelf.affinity import main_of, pair_of
from protocol.types import PinScope, Resource, ResourceNeed, RunId
from tests.orchestrator.core.scheduling.shelf.driving import fleet, play, world_of
from tests.support.world import task

SESSIONS = [Resource("cache", f"s{n}") for n in range(600)]


def devices(count):
    return [f"device{n}" for n in range(count)]


@pytest.mark.parametrize("count", [8, 20])
def test_one_more_device_changes_the_pair_of_2_in_n_plus_1_and_only_in_its_favour(count):
    before = {name: pair_of(name, devices(count)) for name in SESSIONS}
    after = {name: pair_of(name, devices(count + 1)) for name in SESSIONS}
    moved = [name for name in SESSIONS if before[name] != after[name]]
    expected = 2 / (count + 1)
    assert 0.75 * expected <= len(moved) / len(SESSIONS) <= 1.25 * expected
    assert all(f"device{count}" in after[name] for name in moved)


def test_resources_are_spread_evenly():
    pairs = [device for name in SESSIONS for device in pair_of(name, devices(10))]
    assert all(80 <= pairs.count(device) <= 160 for device in devices(10))  # 120 each


def test_the_largest_resource_says_where_to_go():
    key = ("work", None, (), (), frozenset(), None)
    asks = Demand(key, needs={Resource("m", "big"): 4.0, Resource("m", "small"): 1.0})
    assert main_of(asks).key == "big"


def needs(key, amount=1.0):
    return Needs(resources=(ResourceNeed("cache", key, amount, PinScope.SHARED),))


def test_what_uses_the_same_resource_meets_on_two_devices_and_loads_it_there_alone():
    """12 resources, ten rounds of all of them; a device holds 4 of the 12."""
    world = world_of(Policy.AFFINITY, *fleet(8, slots=2, capacity={"cache": 6.0}), checked=False)
    for n in range(10):
        rounds = (task(f"t{n}-{k}", estimate_s=1.0, needs=needs(f"k{k}")) for k in range(12))
        world.submit(*rounds, run=RunId(f"r{n}"))
        play(world)
    where = {}
    for offer in world.offers.values():
        where.setdefault(offer.task.split("-")[1], set()).add(offer.device)
    assert all(len(each) <= 2 for each in where.values())
    assert len(world.pools.loads) <= 24


def busy_home(work_s):
    """A session is warm on one device, which is busy for so long; the other of its pair is too."""
    world = world_of(Policy.AFFINITY, *fleet(8, capacity={"cache": 6.0}))
    world.pools.load_s = 4.0
    world.submit(task("first", estimate_s=1.0, needs=needs("k")), run="r0")
    world.start("first")
    world.wait(5.0)
    world.finish("first", run_s=1.0)
    pair = pair_of(Resource("cache", "k"), list(world.engine.state.devices))
    for n, name in enumerate(pair):
        world.submit(task(f"b{n}", estimate_s=work_s, needs=Needs(device=name)), run=f"b{n}")
        world.start(f"b{n}")
    world.submit(task("again", estimate_s=1.0, needs=needs("k")), run="r1")
    return world, pair


def test_a_task_waits_for_its_busy_home_while_that_is_sooner_than_a_reload():
    world, pair = busy_home(2.0)
    assert world.state("again", "r1") == "ready"
    world.finish("b0")
    world.finish("b1")
    assert world.where("again") in pair
    assert world.where("again") == world.where("first")


def test_a_task_goes_elsewhere_when_its_home_is_busy_for_longer():
    world, pair = busy_home(60.0)
    assert world.where("again") not in pair


def test_a_home_that_is_late_is_not_waited_for_for_ever():
    world, pair = busy_home(2.0)
    world.wait(40.0)
    assert world.where("again") not in pair


def test_what_needs_nothing_warm_goes_where_it_ends_soonest():
    world = world_of(Policy.AFFINITY, ("slow", {}), ("fast", {"speed": 2.0}))
    world.submit(task("t", estimate_s=1.0))
    assert world.where("t") == "fast"
