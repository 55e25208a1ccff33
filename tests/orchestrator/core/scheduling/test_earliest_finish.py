"""Placement by earliest finish, through the engine and on the board alone."""

import pytest

from orchestrator.core import events as e
from orchestrator.core.model import Needs
from orchestrator.core.scheduling import board as boards
from orchestrator.core.scheduling.policies import Policy
from protocol.types import DeviceId, ResourceNeed, Succeeded
from tests.support.world import World, edge, task


def test_the_quicker_device_is_chosen_ties_go_to_the_emptier_and_then_the_earlier():
    world = World(policy=Policy.EARLIEST_FINISH)
    world.device("slow", slots=2)
    world.device("fast", speed=2.0)
    world.device("also slow", slots=2)
    world.submit(*(task(f"t{n}", estimate_s=4.0) for n in range(5)))
    assert [offer.device for offer in world.offers.values()] == [
        "fast",
        "slow",
        "also slow",
        "slow",
    ]
    assert world.state("t1") == "ready"  # fast does it as soon as any


def test_a_task_waits_for_a_busy_device_that_finishes_it_earlier():
    world = World(policy=Policy.EARLIEST_FINISH)
    world.device("fast", speed=10.0)
    world.device("slow")
    world.submit(*(task(f"t{n}", estimate_s=100.0) for n in range(12)))
    # Fast finishes ten before slow finishes one: of these, the policy looks past eight.
    assert world.where("t0") == "fast"
    assert len(world.offers) <= 2
    for n in range(12):
        if world.state(f"t{n}") == "active":
            world.finish(f"t{n}", Succeeded(None), run_s=10.0)
    assert sum(offer.device == "fast" for offer in world.offers.values()) > 8


def test_a_device_takes_what_is_left_when_the_better_one_has_enough():
    world = World(policy=Policy.EARLIEST_FINISH)
    world.device("fast", speed=3.0)
    world.device("slow")
    world.submit(*(task(f"t{n}", estimate_s=30.0) for n in range(6)))
    # Fast does t0, then two more by the time that slow is done: slow takes the one after.
    assert world.where("t0") == "fast"
    assert [offer.task for offer in world.offers.values() if offer.device == "slow"] == ["t3"]


def test_a_running_task_counts_with_what_remains_of_it():
    world = World(policy=Policy.EARLIEST_FINISH)
    world.device("fast", speed=1.6)
    world.device("slow")
    world.submit(task("t0", estimate_s=16.0))
    world.start("t0")
    world.wait(9.5)
    world.edit(task("t1", estimate_s=16.0))
    assert world.state("t1") == "ready"
    world.do("t0")
    assert world.where("t1") == "fast"


def test_what_was_left_to_a_device_that_takes_longer_than_expected_goes_elsewhere():
    world = World(policy=Policy.EARLIEST_FINISH)
    world.device("fast", speed=2.0)
    world.device("slow")
    world.submit(task("t0", estimate_s=6.0), task("t1", estimate_s=6.0))
    world.start("t0")
    assert world.state("t1") == "ready"
    world.wait(11.0)
    assert world.state("t1") == "ready"
    world.wait(1.0)
    assert world.where("t1") == "slow"


def test_durations_are_learned_and_beat_what_is_declared_by_speed():
    world = World(policy=Policy.EARLIEST_FINISH)
    world.device("boaster", speed=2.0)
    world.device("honest")
    for n in range(8):
        bound = (task(name, needs=Needs(device=DeviceId(name))) for name in ("boaster", "honest"))
        world.submit(*bound, run=f"r{n}")
        for attempt in list(world.engine.state.attempts.values()):
            seconds = 30.0 if attempt.device == "boaster" else 1.0
            world.end(attempt.id, Succeeded(None), run_s=seconds)
    world.submit(task("t"))
    assert world.where("t") == "honest"


def test_labels_bound_devices_and_capacity_are_honoured():
    world = World(policy=Policy.EARLIEST_FINISH)
    world.device("d1", labels={"site": "lab", "os": "linux"})
    world.device("d2", labels={"site": "home", "os": "linux"})
    lab = Needs(labels={"os": "linux", "site": "home"})
    world.submit(task("a", needs=lab), task("b", needs=Needs(device=DeviceId("d1"))))
    assert (world.where("a"), world.where("b")) == ("d2", "d1")


def test_a_card_without_slots_takes_nothing():
    world = World(policy=Policy.EARLIEST_FINISH)
    world.device("none", slots=0, speed=9.0)
    world.device("d")
    world.submit(task("t"))
    assert world.where("t") == "d"


def test_demands_that_nobody_has_are_forgotten(monkeypatch):
    monkeypatch.setattr(boards, "EMPTY_DEMANDS", 4)
    world = World(policy=Policy.EARLIEST_FINISH)
    world.device("d", *(f"s{n}" for n in range(30)))
    for n in range(30):
        world.submit(task("t", f"s{n}"), run=f"r{n}")
        (attempt,) = world.engine.state.attempts
        world.end(attempt, Succeeded(None))
    assert len(world.engine.state.board._demands) <= 6


def test_demands_for_what_a_run_keeps_warm_are_forgotten(monkeypatch):
    monkeypatch.setattr(boards, "EMPTY_DEMANDS", 4)
    world = World(policy=Policy.EARLIEST_FINISH)
    world.device("d", capacity={"cache": 99.0})
    needs = Needs(resources=(ResourceNeed("cache", "c", 1.0),))
    for n in range(30):
        world.submit(task("t", needs=needs), run=f"r{n}")
        (attempt,) = world.engine.state.attempts
        world.end(attempt, Succeeded(None))
    board = world.engine.state.board
    assert len(board._demands) <= 6
    assert len(board._needing) <= 6


def test_room_is_looked_at_again_before_it_grows_without_bound():
    world = World(checked=False)
    world.device("d", slots=2)
    world.submit(*(task(f"t{n}") for n in range(300)))
    world.settle()
    (demand,) = world.engine.state.board._demands.values()
    assert len(demand.room) < 150


def test_what_tasks_declare_makes_no_queue_of_its_own():
    world = World(policy=Policy.EARLIEST_FINISH)
    world.device("d")
    world.submit(*(task(f"t{n}", estimate_s=float(n + 1)) for n in range(9)))
    assert len(world.engine.state.board._demands) == 1


@pytest.mark.parametrize("skill", ["work", "other"])
def test_capable_devices_are_those_that_have_what_it_takes(skill):
    world = World(policy=Policy.EARLIEST_FINISH)
    world.device("d")
    found = [device.card.device for device in world.engine.state.board.capable(task("t", skill))]
    assert found == (["d"] if skill == "work" else [])


def test_a_task_that_takes_no_time_is_placed_like_any_other():
    world = World(policy=Policy.EARLIEST_FINISH)
    world.device("d1")
    world.device("d2")
    world.submit(
        *(task(f"t{n}", estimate_s=estimate_s) for n, estimate_s in enumerate([3.0, 2.0, 0.0])),
        edge("t1", "t2"),
    )
    world.do("t1", "t2", "t0")
    assert {world.state(f"t{n}") for n in range(3)} == {"succeeded"}


def test_a_task_waits_for_the_better_device_whichever_joined_first():
    """Ten times as quick: t1 is done there in 20 s, and elsewhere in 100."""
    world = World(policy=Policy.EARLIEST_FINISH)
    for name, speed in (("slow", 1.0), ("also slow", 1.0), ("fast", 10.0)):
        world.device(name, speed=speed)
    world.submit(task("t0", estimate_s=100.0), task("t1", estimate_s=100.0))
    assert world.where("t0") == "fast"
    assert world.state("t1") == "ready"
    world.do("t0")
    assert world.where("t1") == "fast"


def test_a_task_waits_for_a_better_device_that_came_when_its_demand_was_known():
    world = World(policy=Policy.EARLIEST_FINISH)
    world.device("slow")
    world.submit(task("first", estimate_s=1.0), run="r0")
    world.device("fast", speed=10.0)
    world.submit(task("t0", estimate_s=100.0), task("t1", estimate_s=100.0), run="r1")
    (first, _) = world.offers
    world.end(first, Succeeded(None))
    assert [offer.device for offer in world.offers.values()] == ["slow", "fast"]


def test_the_ninth_quickest_counts_when_a_quicker_one_is_so_no_longer():
    world = World(policy=Policy.EARLIEST_FINISH)
    for n in range(10):
        world.device(f"d{n}", speed=20.0 - n)
    world.submit(task("t"))
    world.device("d0", speed=0.1)
    (demand,) = world.engine.state.board.demands()
    assert [m.card.device for _, m in demand.quickest] == [f"d{n}" for n in range(1, 9)]


def test_who_leaves_and_was_none_of_the_quickest_is_waited_for_by_nobody():
    world = World(policy=Policy.EARLIEST_FINISH)
    for n in range(10):
        world.device(f"d{n}", speed=20.0 - n)
    world.submit(task("t"))
    (demand,) = world.engine.state.board.demands()
    quickest = list(demand.quickest)
    world.tell(e.Unregistered(DeviceId("d9")))
    assert DeviceId("d9") not in demand.machines
    assert demand.quickest == quickest


def test_a_reload_that_was_learned_since_counts_for_who_finds_room():
    """Of the same kind, but of something else: what is known of it there is nothing new."""
    world = World(policy=Policy.EARLIEST_FINISH)
    world.device("d0", capacity={"model": 1.0})
    world.device("d1", capacity={"model": 1.0}, speed=0.8)
    needs = Needs(resources=(ResourceNeed("model", "a", 1.0),))
    world.submit(task("t", needs=needs, estimate_s=8.0))
    board = world.engine.state.board
    (demand,) = board._demands.values()
    before = board.best(demand, world.at)
    world.engine.state.warmth.loads.add("model", DeviceId("d1"), 60.0)
    after = board.best(demand, world.at)
    assert [room and (room[0], room[3].card.device) for room in (before, after)] == [
        (10.0, "d1"),
        (70.0, "d1"),
    ]
