"""Hedges: a second attempt beside one that is late. The first result wins, and nothing is lost."""

from dataclasses import replace

import pytest

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.edits import CancelTask
from orchestrator.core.model import Limits, Needs, Op, Predicate, RunLimits
from orchestrator.core.scheduling.policies import Policy
from orchestrator.core.tuning import Tuning
from orchestrator.journal.codec import decode, encode
from protocol.types import (
    Cancelled,
    DeviceId,
    Effect,
    Failed,
    FailureKind,
    Incarnation,
    Load,
    Rejected,
    ResourceNeed,
    Succeeded,
)
from tests.support.world import RUN, World, card, edge, task

LATE_S = 20.0  # twice the estimate of `t`
LIMITS = Limits(start_s=5.0, run_s=200.0, input_s=30.0)


def late(*, effect=Effect.PURE, other=Effect.PURE, tuning=None, **rest):
    """`t` runs on `d` since the start, and `e` idles."""
    world = World(tuning=tuning)
    world.device("d", effect=effect, labels={"site": "lab"}, capacity={"memory": 4.0})
    world.submit(task("t", **{"estimate_s": 10.0, "limits": LIMITS, **rest}))
    world.start("t")
    world.device("e", effect=other, capacity={"memory": 4.0})
    return world


def hedged(**rest):
    """Return the world once `t` is hedged on `e`, and both attempts."""
    world = late(**rest)
    world.wait(LATE_S)
    return world, *attempts(world)


def attempts(world, name="t"):
    return [fact.attempt for fact in world.happened(f.TaskPlaced, task=name)]


def live(world, name="t"):
    return [one for one in (world.row(name).live, world.row(name).hedge) if one is not None]


# When, and where


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


# What comes of it


def test_a_hedge_that_is_first_wins_and_the_other_is_told_to_stop():
    world, first, second = hedged()
    world.wait(5.0)
    world.end(second, Succeeded("new"), run_s=4.0)
    assert world.row("t").output == "new"
    assert world.row("t").where == "e"
    assert world.ordered(c.CancelAttempt, attempt=first)
    (outrun,) = world.happened(f.AttemptOutrun)
    assert (outrun.attempt, outrun.hedge, outrun.ran_s) == (first, False, 25.0)
    assert list(world.engine.state.attempts) == [first]  # charged until it says that it stopped
    world.end(first, Cancelled())
    assert world.engine.state.attempts == {}
    assert world.happened(f.AttemptCancelled, attempt=first)
    assert world.run().status == "succeeded"


def test_an_attempt_that_is_first_after_all_stops_its_hedge():
    world, first, second = hedged()
    world.end(first, Succeeded("old"), run_s=20.0)
    assert world.row("t").output == "old"
    assert world.ordered(c.CancelAttempt, attempt=second)
    (outrun,) = world.happened(f.AttemptOutrun)
    assert (outrun.attempt, outrun.hedge, outrun.ran_s) == (second, True, None)
    world.end(second, Succeeded("new"), run_s=4.0)  # it was done before it heard of that
    assert world.row("t").output == "old"


@pytest.mark.parametrize("rows", [True, False])
def test_what_was_outrun_does_not_answer_for_the_planner_that_looks_at_the_first_result(rows):
    world = World()
    world.device("d")
    three = Predicate((), Op.EQ, 3)
    world.submit(task("t", estimate_s=10.0, limits=LIMITS, expect=three), limits=RunLimits())
    world.start("t")
    world.device("e")
    world.wait(LATE_S)
    first, second = attempts(world)
    world.end(second, Succeeded(4), run_s=4.0)
    assert world.state("t") == "recovering"
    world.restart(rows=rows)
    before = len(world.ordered(c.CancelAttempt, attempt=first))
    world.tell(e.Beat(DeviceId("d"), Incarnation("1"), Load(), (first,), connected=False))
    assert len(world.ordered(c.CancelAttempt, attempt=first)) == before + 1
    world.end(first, Succeeded(5))  # it was done before it heard of that
    assert (world.state("t"), world.row("t").output) == ("recovering", 4)
    assert world.ordered(c.Acknowledge, attempt=first)
    assert world.engine.state.attempts == {}
    world.tell(e.PlanFailed(RUN, world.ordered(c.AskPlanner)[-1].ask, "no idea"))
    assert (world.state("t"), world.row("t").output) == ("succeeded", 4)


@pytest.mark.parametrize(
    "outcome", [Failed(FailureKind.SKILL_ERROR, "broken"), Cancelled("not my day")]
)
def test_if_the_attempt_fails_its_hedge_takes_its_place_and_nothing_is_charged(outcome):
    world, first, second = hedged()
    world.end(first, outcome)
    assert live(world) == [second]
    assert (world.state("t"), world.row("t").charged) == ("active", 0)
    assert not world.happened(f.TaskRecovering)
    assert world.engine.state.timers.get(world.row("t").key) is not None
    world.end(second, Failed(FailureKind.TRANSIENT, "no"))
    assert world.row("t").charged == 1


@pytest.mark.parametrize("outcome", [Failed(FailureKind.BAD_INPUT, "no"), Rejected("busy")])
def test_if_the_hedge_fails_it_is_gone(outcome):
    world, first, second = hedged()
    world.end(second, outcome)
    assert live(world) == [first]
    assert (world.state("t"), world.row("t").charged) == ("active", 0)
    world.end(first, Succeeded(1))
    assert world.run().status == "succeeded"


def test_a_task_that_asks_a_person_is_not_hedged():
    world = late()
    world.ask("t")
    world.tell(e.AnswerInput(RUN, "t", "this", "me"))
    world.wait(150.0)
    assert len(attempts(world)) == 1


def test_an_attempt_that_asks_stops_its_hedge():
    world, first, second = hedged()
    world.tell(e.AttemptAsked(DeviceId("d"), first, "which?"))
    assert world.state("t") == "input_required"
    assert live(world) == [first]
    assert world.ordered(c.CancelAttempt, attempt=second)


def test_a_hedge_that_asks_is_stopped():
    world, first, second = hedged()
    event = e.AttemptAsked(DeviceId("e"), second, "which?")
    world.tell(event)
    world.retell(event)
    assert (world.state("t"), live(world)) == ("active", [first])
    assert world.ordered(c.CancelAttempt, attempt=second)


@pytest.mark.parametrize("how", ["run", "task"])
def test_a_cancelled_task_stops_both(how):
    world, first, second = hedged()
    if how == "run":
        world.tell(e.CancelRun(RUN, "enough"))
    else:
        world.edit(CancelTask("t"))
    assert {order.attempt for order in world.ordered(c.CancelAttempt)} == {first, second}
    world.end(first, Cancelled())
    assert world.state("t") == "cancelled"
    world.end(second, Cancelled())
    assert world.engine.state.attempts == {}


@pytest.mark.parametrize(("lost", "stays"), [("d", 1), ("e", 0)])
def test_a_lost_device_leaves_the_attempt_on_the_other(lost, stays):
    world, *both = hedged()
    world.start("t")  # the hedge
    world.silence(lost)
    world.wait(7.0 + 20.0)  # its leases are over
    assert live(world) == [both[stays]]
    assert (world.state("t"), world.row("t").charged) == ("active", 0)
    world.end(both[stays], Succeeded("done"), run_s=1.0)
    world.beat(lost)
    assert world.row("t").output == "done"


def test_a_hedge_that_was_not_taken_goes_with_its_device_at_once():
    world, first, _ = hedged()
    world.silence("e")
    world.wait(7.0)
    assert live(world) == [first]


def test_a_device_without_its_ledger_leaves_the_attempt_on_the_other():
    world, _, second = hedged()
    world.wiped("d")
    assert live(world) == [second]


def test_an_unregistered_device_leaves_the_attempt_on_the_other():
    world, _, second = hedged()
    del world.alive[DeviceId("d")]
    world.tell(e.Unregistered(DeviceId("d")))
    assert live(world) == [second]


def test_a_lapsed_attempt_that_succeeds_stops_the_one_that_replaced_it_and_its_hedge():
    world = late(estimate_s=12.0)
    world.device("x")
    first = world.offer("t").attempt
    world.silence("d")
    world.wait(20.0)  # its lease is over
    world.start("t")
    world.wait(24.0)
    both = live(world)
    assert [first, *both] == attempts(world)
    world.end(first, Succeeded("at last"))
    assert world.row("t").output == "at last"
    assert [order.attempt for order in world.ordered(c.CancelAttempt)][-2:] == [both[1], both[0]]


def test_another_coordinator_takes_both():
    world, first, _ = hedged()
    world.tell(e.Superseded(DeviceId("d"), first, world.run().epoch + 1))
    assert world.engine.state.attempts == {}
    assert live(world) == []


# Time


def test_a_hedge_that_is_not_answered_is_offered_again_and_then_taken_back():
    world, first, second = hedged()
    world.wait(5.9)
    assert len(world.ordered(c.Offer, attempt=second)) == 3
    world.wait(0.1)  # the limit, and no sooner than the next repeat
    assert world.ordered(c.RefuseAttempts)
    assert (world.state("t"), live(world)) == ("active", [first])


def test_a_hedge_that_does_not_end_in_time_is_stopped_alone():
    world, first, second = hedged(limits=replace(LIMITS, run_s=30.0))
    world.accept("t")
    world.start("t")
    world.wait(10.0)  # the other one's time is over
    assert live(world) == [second]
    world.wait(20.0)
    assert {order.attempt for order in world.ordered(c.CancelAttempt)} == {first, second}
    assert world.row("t").charged == 1


@pytest.mark.parametrize("rows", [True, False])
def test_a_restart_keeps_hedges_and_their_limits_and_knows_who_is_late(rows):
    world, first, second = hedged()
    world.restart(rows=rows)
    assert live(world) == [first, second]
    world.wait(10.0)
    assert live(world) == [first]  # nobody answered for `start_s`

    world = late()
    world.wait(5.0)
    world.restart(rows=rows)
    world.wait(LATE_S - 5.0)
    assert len(live(world)) == 2


def test_an_estimate_of_next_to_nothing_does_not_keep_the_clock_busy():
    world = World(tuning=Tuning(hedge_margin_s=0.0))
    world.at = 1e9  # where 2e-9 s round to nothing
    world.device("d")
    world.submit(task("t", estimate_s=1e-9, limits=LIMITS))
    world.start("t")
    world.tell(e.TimePassed())
    assert world.engine.next_deadline() > world.at


def test_hedges_are_in_the_journal_and_what_was_written_before_them_is_read():
    world, first, _ = hedged()
    placed = world.happened(f.TaskPlaced)
    rows = [encode(fact) for fact in placed]
    assert [decode(row) for row in rows] == placed
    kind, run, name, body = rows[0]
    old = body.replace(',"hedge":null', "")
    assert old != body
    assert decode((kind, run, name, old)).attempt == first


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
