import pytest

from orchestrator.core.scheduling.policies import Parameters, Policy, chosen
from orchestrator.core.scheduling.shelf.tiered import Bounds
from protocol.types import Failed, FailureKind
from tests.orchestrator.core.scheduling.shelf.driving import world_of
from tests.support.world import task

EASY, HARD, HARDEST = 1.0, 20.0, 100.0


def tier(name, **rest):
    return {"labels": {"tier": name}, **rest}


def fleet(*tiers, slots=1):
    devices = [
        (name, tier(name, slots=slots, speed=1.0 + 10.0 * (name == "cloud"))) for name in tiers
    ]
    return world_of(Policy.TIERED, *devices)


@pytest.mark.parametrize(
    ("seconds", "where"), [(EASY, "device"), (HARD, "edge"), (HARDEST, "cloud")]
)
def test_how_hard_a_task_is_says_where_it_goes_however_fast_others_are(seconds, where):
    world = fleet("cloud", "edge", "device")
    world.submit(task("t", estimate_s=seconds))
    assert world.where("t") == where


def test_a_task_that_failed_a_check_goes_a_tier_higher_each_time():
    world = fleet("device", "edge", "cloud")
    world.submit(task("t", estimate_s=EASY))
    world.device("device2", labels={"tier": "device"})
    seen = [world.where("t")]
    for _ in range(2):
        world.finish("t", Failed(FailureKind.BAD_OUTPUT, "the check failed"))
        seen.append(world.where("t"))
    assert seen == ["device", "edge", "cloud"]


def test_a_full_tier_gives_to_the_next_and_a_hard_task_waits_rather_than_go_lower():
    world = fleet("device", "edge")
    world.submit(*(task(name, estimate_s=EASY) for name in ("a", "b", "c")))
    assert [offer.device for offer in world.offers.values()] == ["device", "edge"]
    world.submit(task("hard", estimate_s=HARD), run="other")
    world.finish("a")
    assert world.where("c") == "device"
    world.finish("c")
    assert world.state("hard", "other") == "ready"  # the device is idle, and too low
    world.finish("b")
    assert world.where("hard") == "edge"


def test_an_easy_task_is_not_held_up_by_a_hard_one_before_it():
    world = fleet("device", "cloud")
    world.submit(task("h1", estimate_s=HARDEST), task("h2", estimate_s=HARDEST))
    world.submit(task("easy", estimate_s=EASY), run="other")
    assert world.state("h2") == "ready"
    assert world.where("easy") == "device"


def test_where_the_fleet_has_nothing_high_enough_the_highest_will_do():
    world = fleet("device", "edge")
    world.submit(task("t", estimate_s=HARDEST))
    assert world.where("t") == "edge"


def test_a_task_goes_lower_once_the_higher_tier_is_gone():
    world = fleet("device", "cloud")
    world.submit(task("h1", estimate_s=HARDEST), task("h2", estimate_s=HARDEST))
    world.silence("cloud")
    world.wait(10.0)
    assert world.where("h1") == "device"


def test_bounds_may_be_set_and_who_says_no_tier_is_a_device():
    world = world_of(Policy.TIERED, ("plain", {}), ("edge", tier("edge")), ("odd", tier("moon")))
    world.engine._place = chosen(Policy.TIERED, Parameters(tiered=Bounds(device_s=0.5)))
    world.submit(task("t", estimate_s=EASY), task("u", estimate_s=0.1))
    assert (world.where("t"), world.where("u")) == ("edge", "plain")


def test_other_policies_take_no_parameters():
    assert chosen(Policy.FIFO, Parameters()) is not None
