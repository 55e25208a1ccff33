"""What devices say and do: their word corrects what the engine takes to be warm."""

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.retention.warm_set import PinState
from protocol.types import DeviceId, Load, Rejected, RunId, WarmResource
from tests.support.pins import MODEL, chain, fleet, shared, where
from tests.support.world import RUN, card


def test_a_device_that_left_takes_all_that_is_known_of_it():
    world = fleet()
    world.submit(*chain(2))
    world.do("t0")
    world.tell(e.Unregistered(DeviceId("gpu")))
    assert not world.engine.state.warmth.at
    assert not world.engine.state.warmth.gaps
    assert not world.engine.state.warmth.loads.of(DeviceId("gpu"))


def test_a_device_that_gives_it_up_corrects_the_ledger_once_its_word_can_know():
    world = fleet()
    world.submit(*chain(2))
    world.do("t0")
    world.pools.lost("gpu")
    world.beat("gpu")
    assert where(world) is not None  # that beat may be older than the use
    world.wait(6.0)
    assert where(world) is None
    assert world.happened(f.ResourceEvicted)
    world.do("tool1")
    assert not world.happened(f.GapObserved)[-1].cut


def test_a_load_that_failed_is_not_counted_as_warm():
    world = fleet(devices=("gpu", "gpu2"))
    world.submit(*chain(2))
    world.finish("t0", Rejected("no memory for kv s"))
    assert where(world) is None
    assert world.happened(f.ResourceEvicted)[-1].reason


def test_a_refusal_leaves_what_was_warm_before():
    world = fleet()
    world.submit(shared("a"))
    world.do("a")
    world.submit(shared("b"), run=RunId("next"))
    offer = world.offer("b")
    world.tell(e.AttemptFinished(offer.device, offer.attempt, Rejected("busy"), None, offer.run))
    assert where(world, MODEL) is PinState.PROTECTED  # it comes again
    assert not world.happened(f.ResourceEvicted)


def test_what_a_device_announces_is_adopted_where_somebody_may_want_it():
    world = fleet(capacity=2.0)
    world.submit(*chain(2))
    foreign = WarmResource("kv", "x", 1.0, RunId("unknown"))
    big = WarmResource("kv", "big", 3.0)
    said = (WarmResource("kv", "model", 1.0), foreign, big)
    world.tell(e.Beat(DeviceId("gpu"), world.alive["gpu"], Load(warm=said), (), connected=False))
    assert where(world, MODEL) is PinState.EVICTABLE
    assert where(world, big.name) is None
    assert not world.happened(f.ResourceReleased)  # what is not ours is not ours to let go
    world.submit(shared("a"), run=RunId("next"))
    assert not [name for _, name in world.pools.loads if name == MODEL]


def test_a_session_that_outlived_the_coordinators_memory_of_it_is_let_go():
    world = fleet()
    world.submit(*chain(1))
    world.do("t0")
    said = (WarmResource("kv", "s", 1.0, RUN),)
    world.tell(e.Beat(DeviceId("gpu"), world.alive["gpu"], Load(warm=said), (), connected=False))
    assert where(world) is None
    assert world.ordered(c.GrantPins)[-1].pins[0].release_s == 0.0


def test_a_card_that_shrinks_has_idle_resources_let_go_and_those_in_use_at_their_end():
    world = fleet(capacity=2.0)
    world.submit(*chain(2))
    world.do("t0")
    world.submit(shared("a"), run=RunId("next"))
    small = card("gpu", "infer", slots=9, capacity={"kv": 0.5})
    world.tell(e.Announced(small, online=True))
    assert where(world) is None
    assert where(world, MODEL) is not None
    world.do("a")
    assert where(world, MODEL) is None


def test_a_long_load_is_not_taken_for_a_device_that_does_not_start():
    world = fleet()
    world.submit(*chain(1))
    world.accept("t0")
    world.wait(100.0)
    assert world.state("t0") == "active"
    assert not world.happened(f.AttemptLapsed)
