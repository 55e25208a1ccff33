from collections import Counter

from orchestrator.core.scheduling.policies import Policy
from tests.orchestrator.core.scheduling.shelf.driving import fleet, world_of
from tests.support.world import task


def chosen(seed, count=400, slots=100):
    world = world_of(Policy.RANDOM, *fleet(4, slots=slots), checked=False)
    world.submit(*(task(f"t{n}") for n in range(count)), seed=seed)
    return [offer.device for offer in world.offers.values()]


def test_every_device_with_room_is_equally_likely():
    """200 tasks, a quarter each: 50, with a deviation of 6."""
    counts = Counter(chosen(1, count=200, slots=1000))
    assert set(counts) == {"d0", "d1", "d2", "d3"}
    assert all(26 <= count <= 74 for count in counts.values())


def test_the_same_seed_gives_the_same_choices_and_another_gives_others():
    assert chosen(1, 40) == chosen(1, 40)
    assert chosen(1, 40) != chosen(2, 40)
