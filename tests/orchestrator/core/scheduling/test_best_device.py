"""Which device a demand is told to be best: the minimum over all, whatever happened to them."""

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core import events as e
from orchestrator.core.scheduling.board import Board
from orchestrator.core.scheduling.policies import Policy
from protocol.types import DeviceId, Succeeded
from tests.support.world import World, task

DEVICES = ("a", "b", "c")
SKILLS = ("work", "rest")
ASKED = []


class Judged(Board):
    """A board that looks at every device whenever it is asked for the best."""

    __slots__ = ()

    def best(self, demand, now):
        found = super().best(demand, now)
        rooms = [
            (self.seconds(demand, each), len(each.attempts), each.order)
            for each in demand.machines.values()
            if each.free > 0 and each.available
        ]
        assert (found[:3] if found else None) == min(rooms, default=None)
        ASKED.append(demand.key)
        return found


def joins(world, device, speed):
    world.device(device, *SKILLS, speed=speed, slots=2)


def leaves(world, device, _speed):
    world.tell(e.Unregistered(DeviceId(device)))


def finishes(world, device, _speed):
    """Nothing is learned: what was learned since, rooms know later."""
    for name in [each for each, offer in world.offers.items() if offer.device == device]:
        if name in world.engine.state.attempts:
            world.end(name, Succeeded(None), run_s=None)
            return


def asks(world, _device, speed):
    if world.run().status != "running":
        return
    number = len(world.run().tasks)
    world.edit(task(f"t{number}", SKILLS[number % 2], estimate_s=speed))


EVENTS = st.tuples(
    st.sampled_from([joins, leaves, finishes, asks, asks]),
    st.sampled_from(DEVICES),
    st.sampled_from([0.5, 1.0, 4.0]),
)


@settings(max_examples=150, deadline=None)
@given(events=st.lists(EVENTS, max_size=25))
def test_no_device_that_has_room_is_passed_over(events):
    ASKED.clear()
    world = World(policy=Policy.EARLIEST_FINISH)
    world.engine.state.board.__class__ = Judged
    joins(world, "a", 1.0)
    world.submit(task("t0", "work", estimate_s=60.0))
    for happens, device, speed in events:
        happens(world, device, speed)
    assert ASKED
