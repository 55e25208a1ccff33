"""Warm resources in the engine: kept while the graph says that it pays, and not past that."""

import pytest

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.edits import EditBatch, RemoveTask
from orchestrator.core.model import Needs
from orchestrator.core.retention.warm_set import PinState
from orchestrator.core.tuning import Tuning
from protocol.types import DeviceId, Failed, FailureKind, PinScope, ResourceNeed, RunId
from tests.support.pins import MODEL, SESSION, chain, fleet, granted, infer, learned, shared, where
from tests.support.world import RUN, edge, task


def test_what_the_graph_will_use_again_is_kept_and_let_go_after_its_last_use():
    world = fleet()
    world.submit(*chain(2))
    assert where(world) is PinState.LOADING

    world.do("t0")
    assert where(world) is PinState.PROTECTED
    pin = granted(world)
    assert (pin.awaits, pin.device_class) == ("search", "phone")
    assert pin.reload_s == 4.0
    assert pin.protected_until - pin.since == 4.0  # ski rental: nothing is known of the gap

    world.wait(3.0)
    world.do("tool1")
    assert world.happened(f.GapObserved)[-1].gap_s == 3.0
    assert world.offer("t1").pins[0].protected_s == 0.0  # nobody comes after it
    world.do("t1")
    assert where(world) is None
    assert world.pools.names("gpu") == set()
    assert len(world.pools.loads) == 1


@pytest.mark.parametrize(
    ("gap_s", "state"), [(3.0, PinState.PROTECTED), (9.0, PinState.EVICTABLE)]
)
def test_it_is_protected_only_if_that_pays(gap_s, state):
    world = learned(gap_s)
    world.submit(*chain(2))
    world.do("t0")
    assert where(world) is state
    assert granted(world).awaits == "search"


def test_the_gap_is_composed_of_what_runs_and_goes_on_with_its_age():
    world = learned(3.0)
    world.submit(*chain(2))
    world.do("t0")
    world.wait(2.0)
    world.start("tool1")  # 3 s from now on: the curve of former gaps knows nothing of the delay
    pin = granted(world)
    assert 3.0 <= pin.protected_until - world.at < 4.0
    assert pin.since == world.at - 2.0


def test_peer_23_a_protected_session_makes_a_cold_task_wait_and_takes_no_reload():
    world = fleet()
    world.submit(*chain(2))
    world.do("t0")
    world.submit(*chain(1, key="other"), run=RunId("late"))
    assert world.state("t0", RunId("late")) == "ready"
    world.do("tool1")
    world.do("t1")
    assert world.state("t0", RunId("late")) == "active"
    assert [name.key for _, name in world.pools.loads] == ["s"]


def test_who_waits_for_memory_gets_it_when_protection_ends():
    world = fleet()
    world.submit(*chain(2))
    world.do("t0")
    world.submit(*chain(1, key="other"), run=RunId("late"))
    world.wait(3.9)
    assert world.state("t0", RunId("late")) == "ready"
    world.wait(0.1)
    assert world.state("t0", RunId("late")) == "active"
    assert world.happened(f.ResourceReleased)[-1].cause is f.Cause.EVICTED
    assert world.ordered(c.GrantPins)[-1].pins[0].release_s == 0.0
    world.do("tool1")
    assert world.happened(f.GapObserved)[-1].gap_s == 4.0  # early release does not censor


def test_memory_goes_to_the_earlier_run_although_the_later_needs_less():
    world = fleet(capacity=2.0)
    world.submit(*chain(2))
    world.do("t0")
    world.submit(infer("big", "big", amount=2.0), run=RunId("early"))
    world.submit(infer("small", "small", amount=1.0), run=RunId("late"))
    assert world.state("small", RunId("late")) == "ready"
    world.wait(4.0)
    assert world.state("big", RunId("early")) == "active"
    assert world.state("small", RunId("late")) == "ready"
    world.do("big")
    assert world.state("small", RunId("late")) == "active"


def test_a_chain_stays_where_it_is_warm():
    world = fleet(devices=("gpu", "gpu2"), slots=2)
    world.submit(*chain(3))
    for name in ("t0", "tool1", "t1", "tool2", "t2"):
        world.do(name)
    assert {world.where(f"t{n}") for n in range(3)} == {"gpu"}
    assert len(world.pools.loads) == 1


def test_a_chain_moves_where_waiting_costs_more_than_loading():
    world = fleet(devices=("gpu", "gpu2"), slots=1)
    world.submit(*chain(2))
    world.do("t0")
    assert world.where("t0") == "gpu"
    world.submit(task("long", "infer", estimate_s=100.0, needs=Needs(device=DeviceId("gpu"))),
                 run=RunId("other"))  # fmt: skip
    world.do("tool1")
    assert world.where("t1") == "gpu2"


def test_a_shared_resource_outlives_its_last_known_use_and_is_found_warm_by_the_next_run():
    world = fleet()
    world.submit(shared("a"))
    world.do("a")
    assert where(world, MODEL) is PinState.EVICTABLE
    world.submit(shared("b"), run=RunId("next"))
    assert where(world, MODEL) is PinState.IN_USE
    world.do("b")
    assert len(world.pools.loads) == 1
    world.wait(3600.0)
    assert where(world, MODEL) is None
    assert world.happened(f.ResourceReleased)[-1].cause is f.Cause.EXPIRED
    assert world.pools.names("gpu") == set()


def test_one_load_serves_all_who_use_it_at_once():
    world = fleet()
    world.submit(shared("a"), shared("b"), shared("c"))
    assert list(world.states().values()) == ["active"] * 3
    assert world.engine.state.devices["gpu"].warm.charged == {"kv": 1.0}
    world.do("a", "b")
    assert where(world, MODEL) is PinState.IN_USE
    world.do("c")
    assert where(world, MODEL) is PinState.EVICTABLE


def test_what_has_a_consumer_queued_is_kept_for_it():
    world = fleet(slots=1)
    world.submit(shared("a"), shared("b"))
    world.submit(infer("cold", "cold"), run=RunId("other"))
    assert world.offer("a").pins[0].protected_s == Tuning().pin_cap_s
    world.do("a")
    assert world.state("b") == "active"
    assert len(world.pools.loads) == 1


def test_i14_an_edit_that_removes_the_next_use_releases_at_once_and_cuts_the_gap():
    world = fleet()
    world.submit(*chain(2))
    world.do("t0")
    world.wait(1.0)
    world.edit(RemoveTask("t1"))
    assert where(world) is None
    gap = world.happened(f.GapObserved)[-1]
    assert (gap.gap_s, gap.cut) == (1.0, True)
    assert world.happened(f.ResourceReleased)[-1].cause is f.Cause.LAST_USE
    assert world.pools.names("gpu") == set()


def test_an_edit_that_adds_a_use_keeps_it_and_does_not_restart_the_age():
    world = fleet()
    world.submit(*chain(2))
    world.do("t0")
    world.wait(1.0)
    world.start("tool1")
    world.edit(infer("again"), edge("tool1", "again"), RemoveTask("t1"))
    assert where(world) is PinState.PROTECTED
    assert granted(world).since == 0.0


def test_a_cancelled_run_lets_everything_go():
    world = fleet()
    world.submit(*chain(2))
    world.do("t0")
    world.tell(e.CancelRun(RUN, "enough"))
    assert where(world) is None
    assert world.happened(f.GapObserved)[-1].cut


def test_another_life_of_the_device_has_nothing_warm_and_the_next_use_loads_again():
    world = fleet()
    world.submit(*chain(2))
    world.do("t0")
    world.wiped("gpu")
    assert where(world) is None
    assert world.happened(f.WarmSetVoided)
    assert world.happened(f.GapObserved)[-1].cut
    world.do("tool1", "t1")
    assert len(world.pools.loads) == 2


@pytest.mark.parametrize("rows", [False, True])
@pytest.mark.parametrize("elapsed", [None, 5.0])
def test_i11_leases_gaps_and_what_was_learned_survive_a_restart(rows, elapsed):
    world = learned(3.0)
    world.submit(*chain(2))
    world.do("t0")
    world.start("tool1")
    world.wait(1.0)
    left_s = granted(world).protected_until - world.at
    world.restart(rows=rows, elapsed=elapsed)
    warm = world.engine.state.devices["gpu"].warm.warm[SESSION]
    assert warm.protected_until - world.at == pytest.approx(left_s)
    assert warm.outlook is not None
    world.hello("gpu")
    assert where(world) is PinState.PROTECTED
    world.finish("tool1", run_s=1.0)
    assert world.happened(f.GapObserved)[-1].gap_s == pytest.approx(1.0)


def test_without_pinning_nothing_outlives_its_use():
    world = fleet(tuning=Tuning(pin_cap_s=0.0))
    world.submit(*chain(2))
    world.do("t0")
    assert where(world) is None
    assert world.offer("t0").pins[0].release_s == 0.0
    world.do("tool1", "t1")
    assert len(world.pools.loads) == 2


def test_where_nothing_runs_the_head_of_the_queue_gets_the_memory():
    world = fleet()
    world.submit(*chain(2))
    world.do("t0")
    world.silence("phone")
    world.tell(e.Unregistered(DeviceId("phone")))
    assert not world.engine.state.attempts
    world.submit(*chain(1, key="other"), run=RunId("late"))
    assert world.state("t0", RunId("late")) == "active"


def test_tasks_without_warm_resources_leave_no_trace():
    world = fleet()
    world.submit(task("a", "infer"), task("b", "search"), edge("a", "b"))
    world.do("a", "b")
    assert not world.run().pins
    assert world.offer("a").pins == ()
    names = {type(fact).__name__ for fact in world.facts}
    assert not names & {"PinGranted", "GapObserved", "RunTimeObserved", "ResourceLoaded"}


@pytest.mark.timeout(60)
def test_what_went_cold_counts_as_cold_for_who_comes_later():
    world = fleet(devices=("gpu",))
    world.device("slow", "infer", slots=9, speed=0.5, capacity={"kv": 1.0})
    world.submit(shared("a", device=DeviceId("slow")))
    world.do("a")
    world.submit(shared("b"), run=RunId("warm"))
    assert world.where("b") == "slow"
    world.do("b")
    world.wait(3600.0)
    world.submit(shared("c"), run=RunId("cold"))
    assert world.where("c") == "gpu"


def test_the_next_use_is_the_first_on_the_path_however_the_plan_lists_it():
    world = fleet()
    world.device("lab", "measure")
    last, between = infer("t2"), task("lab", "measure")
    world.submit(*chain(2), last, between, edge("t1", "lab"), edge("lab", "t2"))
    listed = [last, between, *reversed(chain(2)), edge("t1", "lab"), edge("lab", "t2")]
    world.submit(*sorted(listed, key=lambda part: hasattr(part, "predecessor")), run=RunId("r2"))
    world.do("t0")
    assert granted(world).awaits == "search"


def test_a_coordinator_that_is_to_keep_nothing_lets_go_of_what_its_former_life_kept():
    world = fleet()
    world.submit(*chain(2))
    world.do("t0")
    world.tuning = Tuning(pin_cap_s=0.0)
    world.restart()
    assert where(world) is None
    assert world.happened(f.ResourceReleased)[-1].cause is f.Cause.EXPIRED


def test_i11_run_times_go_with_their_device():
    world = learned(1.0, turns=3)
    world.tell(e.Unregistered(DeviceId("phone")))
    world.restart(rows=True)
    assert set(world.engine.state.warmth.durations) == {"gpu"}


def test_what_does_not_fit_beside_its_own_warm_state_waits():
    world = fleet(capacity=2.0)
    world.submit(infer("a", "model", scope=PinScope.SHARED, amount=1.5))
    world.do("a")
    model = ResourceNeed("kv", "model", 1.0, PinScope.SHARED)
    both = Needs(resources=(model, ResourceNeed("kv", "s", 1.0)))
    world.submit(task("b", "infer", needs=both), run=RunId("next"))
    assert world.state("b", RunId("next")) == "ready"


@pytest.mark.parametrize("failing", [False, True])
def test_in_a_long_chain_the_next_use_is_the_next_turn(failing):
    world = fleet()
    world.submit(*chain(40))
    for n in range(4):
        world.do(f"t{n}")
        world.wait(1.0)
        world.finish(f"tool{n + 1}")
        assert world.happened(f.GapObserved)[-1].gap_s == 1.0
    if failing:
        world.finish("t4", Failed(FailureKind.TRANSIENT, "no luck"))
        world.wait(2.0)
    warm = world.engine.state.devices["gpu"].warm.warm[SESSION]
    assert warm.users == 1
    assert len(world.happened(f.GapObserved)) == 4 + failing
    assert len(world.pools.loads) == 1


@pytest.mark.parametrize("rows", [False, True])
def test_i11_seconds_of_work_and_of_loading_survive_a_restart(rows):
    world = fleet()
    world.submit(*chain(2))
    world.do("t0", "tool1", "t1")
    world.restart(rows=rows)
    used = world.engine.state.warmth.loads.utility(DeviceId("gpu"))["kv"]
    assert (used.busy_s, used.load_s) == (2.0, 4.0)


def test_a_refused_edit_changes_no_use():
    world = fleet()
    world.submit(*chain(2))
    world.do("t0")
    world.tell(e.EditRequested(RUN, "x", EditBatch(0, (RemoveTask("t0"),))))
    assert where(world) is PinState.PROTECTED
