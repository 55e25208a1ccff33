"""Devices that join, leave, fall silent and come back, and what becomes of their work."""

import pytest

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.model import Limits, Needs
from orchestrator.core.scheduling.policies import Policy
from orchestrator.core.snapshot import fleet
from orchestrator.core.state import LOW_BATTERY
from protocol.types import (
    Cancelled,
    DeviceId,
    Effect,
    Failed,
    FailureKind,
    Load,
    ResourceNeed,
    Succeeded,
)
from tests.support.two_devices import two
from tests.support.world import RUN, World, card, task


def test_peer_6_a_task_that_was_only_offered_moves_at_once_when_its_device_drops():
    world = two()
    world.tell(e.Announced(card("d1"), online=False))
    assert world.where("t") == "d2"
    assert world.row("t").charged == 1


def test_peer_6_tasks_queued_for_a_device_wait_for_it_and_none_fails():
    world = World()
    world.device("d1")
    bound = Needs(device=DeviceId("d1"))
    world.submit(*(task(f"t{n}", needs=bound) for n in range(5)))
    world.start("t0")
    world.silence("d1")
    world.wait(15.0)
    assert world.states() == {"t0": "active"} | dict.fromkeys(["t1", "t2", "t3", "t4"], "ready")
    world.beat("d1", connected=True)
    world.do("t0", "t1", "t2", "t3", "t4")
    assert world.run().status == "succeeded"


@pytest.mark.parametrize(
    "leaves",
    [
        lambda world: world.tell(e.Announced(card("fast", speed=10.0), online=False)),
        lambda world: world.beat("fast", load=Load(draining=True)),
        lambda world: world.tell(e.Unregistered(DeviceId("fast"))),
        lambda world: world.tell(e.Announced(card("fast", "other"), online=True)),
    ],
    ids=["dropped", "draining", "unregistered", "changed"],
)
def test_peer_6_tasks_left_to_a_better_device_go_elsewhere_when_it_takes_no_more(leaves):
    world = World()
    world.device("fast", speed=10.0)
    world.device("slow")
    world.submit(task("t", estimate_s=10.0), task("u", estimate_s=10.0))
    world.start("t")
    assert world.where("t") == "fast"
    assert world.state("u") == "ready"

    leaves(world)

    assert "slow" in {offer.device for offer in world.offers.values()}


def test_i3_a_started_attempt_keeps_its_lease_while_its_device_is_away_for_a_moment():
    world = two()
    world.start("t")
    world.silence("d1")
    world.wait(15.0)
    assert world.happened(f.DeviceLost)
    assert world.state("t") == "active"
    assert world.where("t") == "d1"
    decision = world.beat("d1", connected=True)
    assert {type(order) for order in decision.commands} == {c.SayHello, c.RenewLeases}
    world.wait(60.0)
    world.do("t")
    assert world.run().status == "succeeded"


def test_i3_a_lease_that_ran_out_lets_the_task_move_and_the_device_stays_charged():
    world = two()
    first = world.start("t")
    world.silence("d1")
    world.wait(20.0)
    assert world.where("t") == "d2"
    assert first in world.engine.state.devices["d1"].attempts
    assert fleet(world.engine.state, world.at)[0].attempts == ((RUN, "t"),)

    world.end(first, Failed(FailureKind.SKILL_ERROR, "late"))
    assert first not in world.engine.state.devices["d1"].attempts
    assert world.state("t") == "active"


def test_i3_what_was_placed_after_a_restart_keeps_its_lease_though_no_heartbeat_came_yet():
    world = World()
    world.device("d1")
    world.wait(60)
    world.restart()
    world.wait(1)
    world.submit(task("t"))
    world.start("t")
    world.silence("d1")
    world.tell(e.Announced(card("d1"), online=False))
    world.wait(19)
    assert world.state("t") == "active"
    world.wait(2)
    assert world.state("t") != "active"


def test_i5_what_lapsed_before_its_device_was_lost_stays_charged():
    world = World()
    world.device("d", slots=2)
    world.submit(task("t", limits=Limits(run_s=5.0, attempts=1)), task("u"))
    world.start("t")
    world.start("u")
    world.wait(6.0)
    world.silence("d")
    world.wait(25.0)
    assert {a.state for a in world.engine.state.attempts.values()} == {"lapsed"}
    assert len(world.happened(f.AttemptLapsed)) == 2


def test_i4_a_lapsed_attempt_that_comes_through_first_wins_and_the_other_is_cancelled():
    world = two()
    first = world.start("t")
    world.silence("d1")
    world.wait(20.0)
    second = world.start("t")
    world.end(first, Succeeded("first"))
    assert world.row("t").output == "first"
    assert world.ordered(c.CancelAttempt, attempt=second)
    assert world.engine.state.attempts[second].state == "lapsed", "charged until it has stopped"
    world.end(second, Succeeded("second"))
    assert world.row("t").output == "first"
    assert world.engine.state.attempts == {}


def test_a_device_that_lost_its_ledger_frees_what_it_was_charged_with():
    world = two()
    world.start("t")
    world.wiped("d1")
    assert world.where("t") == "d2"
    assert world.engine.state.devices["d1"].attempts == {}


def test_i13_a_once_task_on_a_device_without_its_ledger_is_unknown():
    world = two(Effect.ONCE)
    world.start("t")
    world.wiped("d1")
    assert world.state("t") == "unknown"
    assert len(world.offers) == 1


def test_i13_a_once_offer_to_a_lost_device_is_not_moved():
    world = two(Effect.ONCE)
    world.silence("d1")
    world.wait(12.0)
    assert world.happened(f.DeviceLost)
    assert len(world.offers) == 1


def test_an_unregistered_device_loses_its_work_to_others():
    world = two()
    world.start("t")
    world.tell(e.Unregistered(DeviceId("d1")))
    assert world.where("t") == "d2"
    assert list(world.engine.state.devices) == ["d2"]
    world.retell(e.Unregistered(DeviceId("d1")))


def test_devices_that_follow_one_that_left_are_told_apart():
    world = World()
    for name in ("d1", "d2", "d3"):
        world.device(name)
    world.tell(e.Unregistered(DeviceId("d1")))
    world.device("d4")
    world.submit(*(task(f"t{n}") for n in range(3)))
    assert sorted(world.where(f"t{n}") for n in range(3)) == ["d2", "d3", "d4"]


def test_peer_17_i5_no_device_is_offered_more_than_its_slots():
    world = World()
    world.device("d", slots=2)
    world.submit(*(task(f"t{n}") for n in range(40)))
    assert len(world.offers) == 2
    world.do("t0", "t1")
    assert len(world.offers) == 4
    assert all(len(row.attempts) <= 2 for row in world.engine.state.devices.values())


def test_i5_no_device_is_charged_more_than_its_capacity():
    world = World()
    world.device("d", slots=9, capacity={"memory": 5.0})
    needs = [Needs(resources=(ResourceNeed("memory", f"m{n}", 2.0),)) for n in range(3)]
    world.submit(*(task(f"t{n}", needs=needs[n]) for n in range(3)))
    assert list(world.states().values()) == ["active", "active", "ready"]
    world.do("t0")
    assert world.state("t2") == "active"


def test_a_card_that_shrinks_leaves_what_runs_and_takes_no_more():
    world = World()
    world.device("d", slots=3)
    world.submit(*(task(f"t{n}") for n in range(4)))
    world.tell(e.Announced(card("d", slots=1), online=True))
    world.do("t0", "t1")
    assert world.state("t3") == "ready"
    world.do("t2", "t3")
    assert world.run().status == "succeeded"


def test_a_draining_device_takes_no_more_until_it_is_open_again():
    world = World()
    world.device("d")
    world.beat("d", load=Load(draining=True))
    world.submit(task("t"))
    assert world.state("t") == "ready"
    world.beat("d")
    assert world.state("t") == "active"


@pytest.mark.parametrize("policy", ["one_plan", "earliest_finish"])
def test_with_a_low_battery_what_has_started_ends_and_what_waits_moves(policy):
    world = World(policy=Policy(policy))
    world.device("phone", speed=4.0)
    world.device("laptop")
    world.submit(*(task(f"t{n}", estimate_s=4.0) for n in range(6)))
    first = next(name for name, offer in world.offers.items() if offer.device == "phone")
    world.start(world.offers[first].task)
    world.beat("phone", load=Load(battery=LOW_BATTERY - 0.01))
    world.end(first, Succeeded(None))
    world.settle()
    assert sum(offer.device == "phone" for offer in world.offers.values()) == 1
    assert world.run().status == "succeeded"


def test_a_battery_that_is_not_low_is_as_good_as_none():
    world = World()
    world.device("d")
    world.beat("d", load=Load(battery=0.0))
    world.submit(task("t"))
    assert world.state("t") == "ready"
    world.beat("d", load=Load(battery=LOW_BATTERY))
    assert world.state("t") == "active"


def test_a_plain_agent_is_a_device_that_needs_no_heartbeat():
    world = World()
    world.tell(e.Announced(card("plain", extension=False), online=True))
    world.submit(task("t", limits=Limits(start_s=900.0)))
    world.wait(60.0)
    assert world.where("t") == "plain"
    world.restart(away_s=5.0, elapsed=0.0)
    world.wait(60.0)
    assert not world.happened(f.DeviceLost)
    world.finish("t", run_s=None)
    assert world.run().status == "succeeded"


def test_a_device_that_is_lost_for_good_does_not_hang_the_run():
    world = World()
    world.device("d")
    world.submit(task("t", limits=Limits(queue_s=100.0)))
    world.start("t")
    world.silence("d")
    world.wait(200.0)
    assert world.run().status == "failed"
    reason = "t: no device became free for 'work' in time; before that, it failed on d: "
    assert world.run().reason == reason + "d was lost while it held the task"


def test_i9_tokens_rise_with_every_offer_and_epochs_with_every_coordinator():
    world = two()
    world.finish("t", Failed(FailureKind.SKILL_ERROR, "bad"))
    assert [offer.token for offer in world.offers.values()] == [1, 2]
    world.restart()
    world.beat("d2")
    world.hello("d2", {})
    assert world.offer("t").epoch == 2
    world.end(world.offer("t").attempt, Cancelled())


def test_a_device_that_is_over_its_lease_but_back_is_left_alone():
    world = two()
    world.silence("d1")
    world.wait(7.0)
    world.beat("d1")
    world.silence("d1")
    world.engine.state.timers.set(("lease", "d1"), world.at)
    world.tell(e.TimePassed())
    assert world.engine.state.devices["d1"].online
    world.engine.state.timers.set(("device", "gone"), world.at)
    world.engine.state.timers.set(("lease", "gone"), world.at)
    assert world.tell(e.TimePassed()).facts == ()


def test_device_that_lies_about_its_time_does_not_spoil_the_estimates():
    world = two()
    world.end(world.start("t"), Succeeded(None), run_s=1e308)
    (learned,) = world.happened(f.AttemptSucceeded)
    assert learned.run_s == Limits().run_s


@pytest.mark.parametrize("rows", [True, False])
def test_what_was_learned_on_a_device_goes_with_it(rows):
    world = World()
    world.device("d1")
    world.submit(task("t"))
    world.finish("t", run_s=7.0)
    world.restart(rows=True)
    world.tell(e.Unregistered(DeviceId("d1")))
    world.restart(rows=rows)
    assert world.engine.state.estimates.saved("work")[2] == ()
    assert world.engine.state.estimates.saved("work")[0] == 7.0
