from collections import Counter

from orchestrator.core.scheduling.policies import Policy
from tests.orchestrator.core.scheduling.shelf.driving import fleet, play, world_of
from tests.support.world import task


def test_devices_with_room_take_turns_and_the_first_follows_the_last():
    world = world_of(Policy.ROUND_ROBIN, *fleet(3, slots=4))
    world.submit(*(task(f"t{n}") for n in range(7)))
    assert [offer.device for offer in world.offers.values()] == [
        *("d0", "d1", "d2", "d0", "d1", "d2", "d0")
    ]


def test_the_turn_goes_on_where_it_was_in_the_last_step():
    world = world_of(Policy.ROUND_ROBIN, *fleet(3, slots=4))
    for n in range(4):
        world.submit(task(f"t{n}"), run=f"r{n}")
    assert [offer.device for offer in world.offers.values()] == ["d0", "d1", "d2", "d0"]


def test_equal_devices_get_counts_that_differ_by_one_at_most():
    world = world_of(Policy.ROUND_ROBIN, *fleet(4, slots=2))
    world.submit(*(task(f"t{n}", estimate_s=1.0) for n in range(30)))
    counts = Counter(span.device for span in play(world))
    assert max(counts.values()) - min(counts.values()) <= 1


def test_who_has_no_room_is_passed_over():
    world = world_of(Policy.ROUND_ROBIN, ("small", {"slots": 1}), ("large", {"slots": 3}))
    world.submit(*(task(f"t{n}") for n in range(4)))
    assert [offer.device for offer in world.offers.values()] == [
        *("small", "large", "large", "large")
    ]
