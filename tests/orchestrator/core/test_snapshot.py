"""What people are told of warm resources: where, in which state, how long and why."""

import pytest

from orchestrator.core.model import Needs
from orchestrator.core.retention.keeping import ByIndex, ByLease
from orchestrator.core.retention.keys import Utility
from orchestrator.core.retention.policies import Pinning, chosen
from orchestrator.core.retention.warm_set import PinState
from orchestrator.core.snapshot import fleet, snapshot, warm_of
from orchestrator.core.tuning import Tuning
from protocol.types import DeviceId, PinScope, ResourceNeed, RunId
from tests.support.world import RUN, World, edge, task


def infer(name, key="s", *, scope=PinScope.RUN):
    return task(name, "infer", needs=Needs(resources=(ResourceNeed("kv", key, 1.0, scope),)))


def world(*, slots=9):
    made = World()
    made.device("gpu", "infer", slots=slots, capacity={"kv": 4.0})
    made.device("phone", "search", slots=9, labels={"class": "phone"})
    return made


def turns(world, count=2, run=RUN):
    """An agent that infers, and searches on a phone in between."""
    parts = [infer("t0")]
    for n in range(1, count):
        parts += [task(f"tool{n}", "search"), infer(f"t{n}")]
        parts += [edge(f"t{n - 1}", f"tool{n}"), edge(f"tool{n}", f"t{n}")]
    world.submit(*parts, run=run)


def seen(world, key="s"):
    (gpu, _) = fleet(world.engine.state, world.at)
    (warm,) = [each for each in gpu.warm if each.key == key]
    return warm


def test_a_resource_is_loading_until_somebody_who_needs_it_has_started():
    made = world()
    turns(made)
    loading = seen(made)
    assert (loading.state, loading.users, loading.release_s) == (PinState.LOADING, 1, None)
    assert (loading.device, loading.run, loading.amount) == ("gpu", RUN, 1.0)
    made.start("t0")
    assert seen(made).state is PinState.IN_USE


def test_a_resource_between_two_uses_says_what_it_waits_for_and_how_long():
    made = world()
    turns(made)
    made.do("t0")
    made.wait(1.0)
    warm = seen(made)
    assert warm.state is PinState.PROTECTED
    assert (warm.awaits, warm.device_class) == ("search", "phone")
    assert (warm.age_s, warm.lease_s, warm.protected_s) == (1.0, 4.0, 3.0)
    assert warm.release_s == Tuning().pin_cap_s - 1.0
    assert (warm.reload_s, warm.index) == (4.0, 4.0)  # nothing is known: h = q / age
    made.wait(3.0)
    gone = seen(made)
    assert (gone.state, gone.protected_s, gone.index) == (PinState.EVICTABLE, 0.0, 1.0)


def test_what_waiting_pays_for_again_past_its_lease_is_said_to_be_protected():
    """Most tools answer after 1 s or after 30 s: who is not back by then comes soon."""
    made = world()
    made.pools.load_s = 6.0
    for before in range(10):
        turns(made, 5, RunId(f"before{before}"))
        for n in range(1, 5):
            made.do(f"t{n - 1}")
            made.start(f"tool{n}")
            made.wait(1.0 if n % 2 else 30.0)
            made.finish(f"tool{n}", run_s=None)
        made.do("t4")
    turns(made)
    made.do("t0")
    held = made.engine.state.devices["gpu"].warm
    (name,) = held.warm
    made.at += 2.0
    assert seen(made).state is PinState.EVICTABLE
    made.at += 25.0
    assert held.warm[name].protected_until < made.at
    warm = seen(made)
    assert warm.state is PinState.PROTECTED
    assert warm.lease_s == pytest.approx(30.0)
    assert warm.index > 1.0


def test_a_task_that_is_queued_for_it_keeps_it():
    made = world(slots=1)
    made.submit(infer("a", "model", scope=PinScope.SHARED), infer("b", "x"))
    made.submit(infer("c", "model", scope=PinScope.SHARED), run=RunId("later"))
    assert made.where("a") == "gpu"
    made.do("a")
    model = seen(made, "model")
    assert (model.users, model.queued, model.index, model.run) == (0, 1, None, None)
    assert model.state is PinState.PROTECTED


def test_a_shared_resource_of_no_known_use_is_evictable_and_says_so():
    made = world()
    made.submit(infer("a", "model", scope=PinScope.SHARED))
    made.do("a")
    warm = seen(made, "model")
    assert (warm.state, warm.index, warm.awaits) == (PinState.EVICTABLE, None, "")
    assert (warm.run, warm.lease_s) == (None, 0.0)


def test_a_run_is_told_its_own_resources_and_no_others():
    made = world()
    turns(made)
    turns(made, run=RunId("other"))
    made.submit(infer("a", "model", scope=PinScope.SHARED), run=RunId("third"))
    state = made.engine.state
    (own,) = warm_of(made.run(), state, made.at)
    assert (own.device, own.key, own.run) == ("gpu", "s", RUN)
    assert warm_of(made.run(RunId("third")), state, made.at) == ()
    made.submit(task("plain", "search"), run=RunId("cold"))
    assert warm_of(made.run(RunId("cold")), state, made.at) == ()
    assert snapshot(made.run(), state).warm == ()  # what planners see


def test_a_device_says_what_loading_was_good_for():
    made = world()
    turns(made)
    made.do("t0")
    loads = made.engine.state.warmth.loads
    before = loads.utility(DeviceId("gpu"))["kv"]
    assert before.load_s == 4.0
    loads.resume("kv", DeviceId("gpu"), Utility(10.0, 4.0))
    gpu, phone = fleet(made.engine.state, made.at)
    assert [(each.kind, each.busy_s, each.load_s, each.ratio) for each in gpu.utility] == [
        ("kv", 10.0, 4.0, 2.5)
    ]
    assert phone.utility == ()


@pytest.mark.parametrize(("pinning", "rule"), [("index", ByIndex), ("lease", ByLease)])
def test_a_rule_is_chosen_by_its_name(pinning, rule):
    keeping, tuning = chosen(Pinning(pinning), Tuning(pin_cap_s=9.0))
    assert isinstance(keeping, rule)
    assert tuning.pin_cap_s == 9.0


def test_no_pinning_is_a_cap_of_nothing():
    assert chosen(Pinning.NONE, Tuning(lease_s=9.0))[1] == Tuning(lease_s=9.0, pin_cap_s=0.0)


@pytest.mark.parametrize("cap_s", [-1.0, float("inf"), float("nan")])
def test_a_cap_that_is_no_duration_is_refused(cap_s):
    with pytest.raises(ValueError, match="pin_cap_s is a number of seconds"):
        chosen(Pinning.INDEX, Tuning(pin_cap_s=cap_s))


def test_a_rule_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(ValueError, match="pinning is 'index', 'lease', 'none', not 'lru'"):
        chosen("lru", Tuning())
