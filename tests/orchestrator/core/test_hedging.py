"""When a late attempt gets a hedge (a second one beside it), and where."""

from dataclasses import replace

import pytest

from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.model import Limits, Needs
from orchestrator.core.scheduling.policies import Policy
from orchestrator.core.tuning import Tuning
from protocol.types import DeviceId, Effect, Failed, FailureKind, ResourceNeed, Succeeded
from tests.support.hedging import LATE_S, LIMITS, attempts, late, live
from tests.support.world import RUN, World, card, edge, task


def test_an_attempt_at_twice_its_estimate_gets_one_hedge_on_an_idle_device():
    world = late()
    world.wait(LATE_S - 0.1)
    assert len(attempts(world)) == 1
    world.wait(0.1)
    first, second = attempts(world)
    assert live(world) == [first, second]
    assert world.where("t") == "e"
    assert world.happened(f.TaskPlaced)[-1].hedge == f.Hedge(first, 20.0, 2.0)
    world.end(second, Failed(FailureKind.TRANSIENT, "no"))
    world.wait(100.0)
    assert len(attempts(world)) == 2


@pytest.mark.parametrize(
    "rest",
    [
        {"effect": Effect.ONCE},
        {"tuning": Tuning(hedge_budget=0.0)},
        {"estimate_s": None},  # nobody knows how long it takes
        {"needs": Needs(device=DeviceId("d"))},
        {"needs": Needs(labels={"site": "lab"})},
        {"needs": Needs(resources=(ResourceNeed("memory", "m", 1.0),))},
    ],
)
def test_what_may_not_or_cannot_be_hedged_is_not(rest):
    world = late(**rest)
    world.wait(150.0)
    assert len(attempts(world)) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"effect": Effect.ONCE},
        {"extension": False},  # nobody can be sure that it stops
        {"speed": 0.2},  # too slow: the late one will be done before
        {"slots": 0},
    ],
)
def test_a_device_that_is_not_fit_for_a_hedge_gets_none(other):
    world = World()
    world.device("d")
    world.submit(task("t", estimate_s=10.0, limits=LIMITS))
    world.start("t")
    if other.get("extension", True):
        world.device("e", **other)
    else:
        world.tell(e.Announced(card("e", **other), online=True))
    world.wait(150.0)
    assert len(attempts(world)) == 1


def test_a_second_slot_of_its_own_device_is_no_place_for_a_hedge():
    world = World()
    world.device("d", slots=2)
    world.submit(task("t", estimate_s=10.0, limits=LIMITS))
    world.start("t")
    world.wait(150.0)
    assert len(attempts(world)) == 1


def test_a_slower_device_gets_the_hedge_when_the_late_one_is_expected_to_need_longer_still():
    world = World()
    world.device("d")
    world.submit(task("t", estimate_s=10.0, limits=LIMITS))
    world.start("t")
    world.device("e", speed=0.33)  # 30.3 s there; three estimates are believed to be left
    world.wait(159.0)
    assert len(attempts(world)) == 1
    world.wait(1.0)  # a fifth of its age is 32 s: it is looked at when its age has doubled
    assert len(attempts(world)) == 2


def test_inputs_that_have_to_be_sent_count():
    world = World()
    world.device("d")
    result = {"$artifact": {"sha256": "0" * 64, "size_bytes": 100}}
    world.submit(
        task("a", estimate_s=1.0),
        task("t", estimate_s=10.0, limits=LIMITS),
        edge("a", "t"),
        replace(edge("a", "t"), predecessor="a", successor="t", size_bytes=None),
    )
    world.finish("a", Succeeded(result))
    world.start("t")
    world.device("e")
    world.engine.state.estimates.links.declare(DeviceId("e"), {DeviceId("d"): 5.0})
    world.wait(LATE_S)
    assert len(attempts(world)) == 1  # 10 s, and 20 s for 100 bytes
    world.engine.state.estimates.links.declare(DeviceId("e"), {DeviceId("d"): 50.0})
    world.wait(LATE_S)
    assert len(attempts(world)) == 2


def read_on(device, *, size_bytes=100.0, estimate_s=1.0, rate=5.0):
    """`t` is late on `d`; its result is read on a device. The link from there to `e` is slow."""
    world = World()
    world.device("d", "work", "other")
    world.device("e", "other")
    reader = task("r", "other", estimate_s=estimate_s, needs=Needs(device=DeviceId(device)))
    reads = replace(edge("t", "r"), size_bytes=size_bytes)
    world.submit(task("t", estimate_s=10.0, limits=LIMITS), reader, reads)
    world.start("t")
    world.engine.state.estimates.links.declare(DeviceId("e"), {DeviceId("d"): rate})
    world.device("e", "work", "other")
    world.wait(LATE_S)
    return world


def test_a_hedge_is_not_made_where_its_result_would_come_later_than_it_saves():
    """Twice its estimate may be left; a fresh run and 100 bytes take 10 s and 20 s, or 2 s."""
    world = read_on("d")
    assert len(attempts(world)) == 1
    world.engine.state.estimates.links.declare(DeviceId("e"), {DeviceId("d"): 50.0})
    world.wait(LATE_S)
    assert len(attempts(world)) == 2


@pytest.mark.parametrize(
    "rest",
    [
        {"device": "e"},
        {"device": "d", "rate": 50.0},
        {"device": "d", "size_bytes": None},  # nobody knows how much it is
        {"device": "d", "estimate_s": None},  # nothing is planned
    ],
)
def test_a_hedge_is_made_where_its_result_comes_soon_as_far_as_is_known(rest):
    assert len(attempts(read_on(**rest))) == 2


def fetching():
    """`t` starts on `d` at once, and fetches for 15 s what was made elsewhere."""
    world = World()
    world.device("s", "make")
    world.device("d")
    linked(world, 10.0)
    reads = replace(edge("a", "t"), size_bytes=150.0)
    world.submit(task("a", "make"), task("t", estimate_s=10.0, limits=LIMITS), reads)
    world.finish("a")
    world.start("t")
    return world


def linked(world, bytes_per_s):
    """Let `d` fetch as fast from `s`, and `e` a lot faster."""
    known = {DeviceId("d"): bytes_per_s, DeviceId("e"): 1000.0}
    world.engine.state.estimates.links.declare(DeviceId("s"), known)


def test_the_time_in_which_inputs_come_is_no_lateness():
    world = fetching()
    world.device("e")
    world.wait(15.0 + LATE_S - 0.5)
    assert len(attempts(world)) == 1
    world.wait(0.5)
    first, second = attempts(world)
    assert world.happened(f.TaskPlaced)[-1].hedge == f.Hedge(first, 20.0, 2.0)
    world.wait(5.0)
    world.end(second, Succeeded("new"), run_s=4.0)
    assert world.happened(f.AttemptOutrun)[0].ran_s == 25.0


def test_who_was_late_is_no_longer_when_its_inputs_are_found_to_take_longer():
    world = fetching()
    world.wait(15.0 + LATE_S)
    linked(world, 5.0)  # half a minute, then
    world.device("e")
    assert len(attempts(world)) == 1
    world.wait(LATE_S)
    assert len(attempts(world)) == 2


@pytest.mark.parametrize(
    ("own", "low", "high"), [("cloud", "device", "cloud"), ("edge", "device", "edge")]
)
def test_a_hedge_goes_no_lower_than_its_task(own, low, high):
    """Where the fleet has nothing high enough, the highest that is there will do."""
    world = World(policy=Policy.TIERED)
    world.device("d", labels={"tier": own})
    limits = replace(LIMITS, run_s=2000.0)
    world.submit(task("t", estimate_s=100.0, limits=limits))
    world.start("t")
    world.wait(10.0 * LATE_S)
    world.device("low", labels={"tier": low})
    world.wait(10.0 * LATE_S)
    assert len(attempts(world)) == 1
    world.device("e", labels={"tier": high})
    assert len(attempts(world)) == 2
    assert world.where("t") == "e"


def test_labels_that_a_task_needs_hold_for_its_hedge():
    world = World(policy=Policy.PARETO)
    world.device("d", labels={"zone": "home"})
    world.device("out")
    home = Needs(labels={"zone": "home"})
    world.submit(task("t", estimate_s=10.0, limits=LIMITS, needs=home))
    world.start("t")
    world.wait(LATE_S + 1.0)
    assert len(attempts(world)) == 1
    world.device("e", labels={"zone": "home"})
    assert world.where("t") == "e"


def crowd():
    """Many are late, of whom `e` could help only the last one."""
    world = World()
    world.device("d", "work", "rare", slots=25)
    names = [f"t{n}" for n in range(24)]
    tasks = [task(name, estimate_s=10.0, limits=LIMITS) for name in names]
    world.submit(*tasks, task("last", "rare", estimate_s=10.0, limits=LIMITS))
    for name in (*names, "last"):
        world.start(name)
    world.wait(LATE_S)
    world.device("e", "rare")
    assert len(attempts(world, "last")) == 1  # a step looks at a few
    return world


def test_a_device_that_idles_looks_at_all_that_are_late():
    world = crowd()
    world.wait(0.01)
    assert world.where("last") == "e"
    assert world.engine.state.seekers == {}


def test_a_device_that_goes_while_it_looks_at_who_is_late_takes_nothing():
    world = crowd()
    del world.alive[DeviceId("e")]
    world.tell(e.Unregistered(DeviceId("e")))
    world.wait(0.01)
    assert len(attempts(world, "last")) == 1
    assert world.engine.state.seekers == {}


def test_ready_tasks_go_first_and_a_hedge_takes_what_gets_idle():
    world = World()
    world.device("d")
    world.submit(task("t", estimate_s=10.0, limits=LIMITS))
    world.start("t")
    world.device("e")
    long = Limits(run_s=900.0)
    world.submit(task("u", limits=long), task("v", limits=long), edge("u", "v"), run="other")
    world.start("u")
    world.wait(LATE_S + 5.0)
    assert len(attempts(world)) == 1  # nobody idles
    world.finish("u")
    assert world.where("v") == "e"
    assert len(attempts(world)) == 1
    world.finish("v")
    assert len(attempts(world)) == 2


def test_a_device_that_a_ready_task_could_take_but_leaves_idle_is_not_taken():
    """Late binding may yet give it to the task; what is planned is decided (`test_one_plan`)."""
    world = World(policy=Policy.EARLIEST_FINISH)
    world.device("d")
    world.submit(task("t", estimate_s=10.0, limits=LIMITS))
    world.start("t")
    world.device("fast", speed=10.0)
    bound = Needs(device=DeviceId("fast"))
    world.submit(task("before", estimate_s=300.0, needs=bound), run="other")
    world.start("before")
    world.device("e", speed=0.5)
    world.wait(15.0)
    world.submit(task("u", estimate_s=100.0), run="more")  # 200 s on `e`
    world.wait(LATE_S - 15.0)
    assert len(attempts(world)) == 1
    world.finish("before", run_s=20.0)
    assert world.where("u") == "fast"
    world.start("u")
    world.wait(LATE_S)  # it is looked at again when its age has doubled
    assert world.where("t") == "e"


def test_a_skill_that_was_seen_often_needs_no_declared_estimate():
    world = World()
    world.device("d")
    for n in range(4):
        world.submit(task("t"), run=f"before{n}")
        world.end(world.offer("t").attempt, Succeeded(None), run_s=10.0)
    world.submit(task("t", limits=LIMITS))
    world.start("t")
    world.device("e")
    world.wait(LATE_S)
    assert world.row("t").hedge is not None


def test_a_run_that_is_paused_gets_no_hedge():
    world = late()
    world.tell(e.PauseRun(RUN))
    world.wait(LATE_S)
    assert len(attempts(world)) == 1
    world.tell(e.ResumeRun(RUN))
    world.wait(LATE_S)
    assert len(attempts(world)) == 2


def test_hedges_after_the_first_take_a_twentieth_of_the_work_that_their_run_has_done():
    world = World()
    for name in ("d0", "d1"):
        world.device(name)
    world.submit(*(task(f"t{n}", estimate_s=10.0, limits=LIMITS) for n in range(2)), task("done"))
    for name in ("t0", "t1"):
        world.start(name)
    for name in ("e0", "e1", "e2"):
        world.device(name)
    world.start("done")
    world.wait(LATE_S)
    assert [len(attempts(world, name)) for name in ("t0", "t1")] == [2, 1]
    world.submit(task("done"), run="another")
    world.end(world.offer("done").attempt, Succeeded(None), run_s=1000.0)
    world.wait(LATE_S)
    assert len(attempts(world, "t1")) == 1  # what another run did is nothing to this one
    mine = world.happened(f.TaskPlaced, run=RUN, task="done")[0].attempt
    world.end(mine, Succeeded(None), run_s=200.0)
    assert len(attempts(world, "t1")) == 2


def test_an_estimate_of_next_to_nothing_does_not_keep_the_clock_busy():
    world = World(tuning=Tuning(hedge_margin_s=0.0))
    world.at = 1e9  # where 2e-9 s round to nothing
    world.device("d")
    world.submit(task("t", estimate_s=1e-9, limits=LIMITS))
    world.start("t")
    world.tell(e.TimePassed())
    assert world.engine.next_deadline() > world.at


@pytest.mark.parametrize("policy", Policy)
def test_every_policy_may_be_hedged(policy):
    world = World(policy=policy)
    world.device("d")
    world.submit(task("t", estimate_s=10.0, limits=LIMITS))
    world.start("t")
    world.device("e")
    world.wait(LATE_S)
    assert len(live(world)) == 2
    world.settle()
    assert world.run().status == "succeeded"
