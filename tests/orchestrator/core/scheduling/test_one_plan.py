"""The plan that is kept: made from estimates, followed and repaired."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.model import DEFAULT_LIMITS, ForEach, Needs, On
from orchestrator.core.scheduling.policies import Policy
from protocol.types import DeviceId, Failed, FailureKind, RunId, Succeeded
from tests.support.one_plan import a_world, done_early, plan, timed
from tests.support.world import RUN, World, edge


def meant(world):
    return {name: device for (_, name), device in plan(world).intended.items()}


def linked(world, bytes_per_s):
    names = list(world.engine.state.devices)
    for name in names:
        others = {other: bytes_per_s for other in names if other != name}
        for engine in (world.engine, world.fold):
            engine.state.estimates.links.declare(name, others)


def sized(before, after, size_bytes):
    return replace(edge(before, after), size_bytes=size_bytes)


def test_a_plan_keeps_all_devices_busy_to_the_end():
    """24 seconds of work on devices that do 3 a second; a chain takes 6 on the quick one."""
    world = a_world(2.0, 1.0)
    work = enumerate((4.0, 4.0, 4.0, 4.0, 8.0))
    world.submit(*(timed(f"t{n}", each) for n, each in work), edge("t0", "t4"))
    assert plan(world).end == pytest.approx(8.0)


def test_a_device_takes_its_tasks_in_the_planned_order():
    world = a_world(1.0)
    world.submit(timed("short", 1.0), timed("long", 5.0), timed("last", 1.0), edge("long", "last"))
    assert world.where("long") == "d0"
    assert meant(world) == {"short": "d0", "last": "d0"}
    world.settle()
    assert world.run().status == "succeeded"


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(1, 3), min_size=1, max_size=4),
    st.lists(st.sampled_from([1.0, 3.0, 10.0]), min_size=1, max_size=12),
)
def test_no_device_is_idle_while_a_task_waits_that_it_would_do_as_soon(slots, seconds):
    world = World(policy=Policy.ONE_PLAN)
    for n, each in enumerate(slots):
        world.device(f"d{n}", slots=each)
    world.submit(*(timed(f"t{n}", each) for n, each in enumerate(seconds)))
    assert len(world.offers) == min(sum(slots), len(seconds))


def test_nobody_overtakes_an_earlier_run_for_a_better_plan():
    world = a_world(1.0)
    world.submit(timed("a", 9.0), timed("b", 9.0), run=RunId("first"))
    world.submit(timed("c", 1.0), run=RunId("second"))
    world.submit(timed("d", 1.0), run=RunId("urgent"), priority=1)
    for name in ("a", "d", "b"):
        world.finish(name)
    assert [offer.task for offer in world.offers.values()] == ["a", "d", "b", "c"]


def test_a_paused_run_is_not_planned():
    world = a_world(1.0)
    world.submit(timed("a", 1.0), timed("b", 1.0))
    world.tell(e.PauseRun(RUN))
    world.finish("a")
    world.submit(timed("c", 1.0), run=RunId("other"))
    assert meant(world) == {}
    assert world.where("c") == "d0"


def test_an_edit_is_planned_at_once():
    world = a_world(1.0)
    world.submit(timed("a", 5.0))
    world.edit(timed("b", 5.0))
    assert meant(world) == {"b": "d0"}


def test_what_a_lost_device_was_to_do_goes_elsewhere():
    world = a_world(1.0, 1.0)
    world.submit(*(timed(f"t{n}", 5.0) for n in range(6)))
    assert set(meant(world).values()) == {"d0", "d1"}
    world.tell(e.Unregistered(DeviceId("d0")))
    assert set(meant(world).values()) == {"d1"}
    assert len(meant(world)) == 5
    world.settle()


def test_a_device_that_comes_is_planned_with():
    world = a_world(1.0)
    world.submit(*(timed(f"t{n}", 5.0) for n in range(6)))
    world.device("d1")
    assert world.offers.keys() == world.engine.state.attempts.keys()
    assert sorted(meant(world).values()) == ["d0", "d0", "d1", "d1"]


def test_a_device_that_falls_silent_is_meant_to_do_nothing():
    world = a_world(1.0, 1.0)
    world.submit(*(timed(f"t{n}", 50.0) for n in range(6)))
    world.silence("d0")
    world.wait(10.0)
    assert set(meant(world).values()) == {"d1"}


def on(device):
    return Needs(device=DeviceId(device))


def test_what_is_ready_again_is_planned_at_once():
    world = a_world(1.0, 1.0)
    world.submit(timed("long", 900.0, needs=on("d1")), timed("a", 4.0, needs=on("d0")))
    world.start("long")
    world.finish("a", Failed(FailureKind.TRANSIENT, "later"))
    world.wait(60.0)
    assert len(world.happened(f.TaskPlaced, task="a")) == 2


def test_what_fails_on_a_device_is_planned_for_another():
    world = a_world(2.0, 1.0)
    world.submit(timed("a", 4.0))
    assert world.where("a") == "d0"
    world.finish("a", Failed(FailureKind.DEVICE_LOST, "gone"))
    world.wait(60.0)
    assert world.where("a") == "d1"


def test_a_task_that_takes_too_long_is_not_waited_for_for_ever():
    world = a_world(4.0, 1.0)
    world.submit(timed("a", 8.0), timed("b", 4.0))
    world.start("a")
    assert meant(world) == {"b": "d0"}
    world.wait(20.0)
    assert world.where("b") == "d1"


def test_what_is_skipped_does_not_hold_up_others_on_its_device():
    world = a_world(1.0, 1.0)
    once = replace(DEFAULT_LIMITS, attempts=1)
    world.submit(
        timed("long", 900.0, needs=on("d1")),
        timed("a", 1.0, limits=once, needs=on("d0")),
        timed("b", 9.0, needs=on("d0")),
        timed("c", 8.0, needs=on("d0")),
        edge("a", "b"),
    )
    world.start("long")
    world.finish("a", Failed(FailureKind.SKILL_ERROR, "no"))
    assert world.state("b") == "skipped"
    assert world.where("c") == "d0"


def test_while_a_task_recovers_its_successors_hold_up_nobody():
    world = a_world(1.0)
    world.submit(timed("a", 5.0), timed("b", 9.0), timed("c", 6.0), edge("a", "b"))
    world.finish("a", Failed(FailureKind.TRANSIENT, "later"))
    assert world.state("a") == "recovering"
    assert world.where("c") == "d0"  # nothing else runs: it is bound late
    world.settle()
    assert world.run().status == "succeeded"


def test_tasks_are_planned_in_whatever_order_they_were_added():
    world = a_world(1.0)
    world.submit(timed("c", 1.0), timed("b", 1.0), timed("a", 1.0), edge("a", "b"), edge("b", "c"))
    assert meant(world).keys() == {"b", "c"}


def test_a_repair_leaves_out_what_waits_for_a_task_that_recovers():
    world = a_world(1.0, 1.0)
    world.submit(
        *(timed(name, 5.0) for name in ("a", "b", "c", "d")),
        *(edge("a", "c"), edge("b", "c"), edge("b", "d")),
    )
    world.start("a")
    world.start("b")
    assert meant(world).keys() == {"c", "d"}
    world.finish("a", Failed(FailureKind.TRANSIENT, "later"))
    plan(world).credit = 99.0  # as many steps would have earned
    world.finish("b")  # sooner than planned
    assert meant(world) == {}
    assert world.where("d") in {"d0", "d1"}
    world.settle()
    assert world.run().status == "succeeded"


def test_a_fan_out_is_planned_when_its_items_are_known():
    world = a_world(1.0, 1.0)
    loop = ForEach(source={"$from": "list"})
    world.submit(
        timed("list", 1.0),
        timed("each", 2.0, for_each=loop),
        timed("last", 1.0),
        edge("each", "last"),
    )
    world.finish("list", Succeeded([1, 2, 3]))
    assert len(world.offers) == 3
    assert meant(world).keys() == {"each[2]"}
    world.settle()
    assert world.run().status == "succeeded"


def test_a_branch_not_taken_leaves_the_plan():
    world = a_world(1.0)
    world.submit(
        timed("a", 1.0), timed("rescue", 5.0), timed("b", 1.0), edge("a", "rescue", On.FAILURE)
    )
    world.do("a", "b")
    assert world.state("rescue") == "skipped"
    assert world.run().status == "succeeded"


def test_a_task_goes_where_its_inputs_are_if_the_way_is_long():
    world = a_world(1.0, 1.5)
    linked(world, 10.0)
    world.submit(
        timed("a", 3.0, needs=on("d0")),
        timed("b", 3.0),
        sized("a", "b", 100.0),
    )
    assert meant(world) == {"b": "d0"}
    world.finish("a", run_s=3.0)
    assert world.where("b") == "d0"


@pytest.mark.parametrize(("size_bytes", "where"), [(100, "d0"), (1, "d1")])
def test_a_result_is_as_big_as_its_artifacts_where_nothing_is_declared(size_bytes, where):
    world = a_world(1.0, 1.5)
    linked(world, 10.0)
    world.submit(timed("a", 3.0, needs=on("d0")), timed("b", 2.0), edge("a", "b"))
    assert meant(world) == {"b": "d1"}
    result = {"files": [{"$artifact": {"size_bytes": size_bytes, "name": "x"}}, 1]}
    world.finish("a", Succeeded(result), run_s=3.0)  # sooner than planned
    assert world.where("b") == where


@pytest.mark.parametrize("ahead", [True, False])
def test_what_drifted_is_repaired(ahead):
    """Everything ends, in whatever order, and late tasks are not waited for."""
    world = World(policy=Policy.ONE_PLAN)
    for number, speed in enumerate((1.0, 1.0, 2.0)):
        world.device(f"d{number}", speed=speed, prefetches=ahead)
    linked(world, 50.0)
    world.submit(
        *(timed(f"t{n}", 2.0 + n % 5) for n in range(24)),
        *(sized(f"t{n}", f"t{n + 6}", 20.0 * (n % 4)) for n in range(18)),
    )
    assert plan(world).ahead is ahead
    before = plan(world).version
    for name in list(world.engine.state.attempts):
        world.start(world.engine.state.attempts[name].task)
    for step in range(40):
        world.wait(1.0 + step % 3)
        attempts = world.engine.state.attempts
        if attempts:
            name = list(attempts)[step % len(attempts)]
            if step % 2:
                world.start(attempts[name].task)
            world.end(name, Succeeded(None), run_s=1.0)
    world.settle()
    assert world.run().status == "succeeded"
    assert plan(world).version > before


def test_the_time_until_a_task_starts_is_filled_with_what_fits():
    world = a_world(1.0, 1.0)
    linked(world, 1.0)
    world.submit(
        timed("a", 10.0, needs=on("d1")),
        timed("b", 10.0, needs=on("d0")),
        timed("c", 2.0, needs=on("d0")),
        timed("e", 2.0, needs=on("d1")),
        edge("a", "b"),
        edge("e", "c"),
    )
    world.settle()
    assert world.run().status == "succeeded"


def test_after_a_restart_another_plan_is_made():
    world = a_world(1.0)
    world.submit(timed("a", 5.0), timed("b", 5.0))
    world.restart()
    world.hello("d0", {world.offer("a").attempt: False})
    world.settle()
    assert world.run().status == "succeeded"


def idle(world):
    board = world.engine.state.board
    return [name for name, machine in board.machines.items() if board.idles(machine)]


def test_room_that_nothing_is_meant_for_idles_though_something_waits():
    """`t` and `u` take 10 s each on the quick device, and 100 s on the other one."""
    world = a_world(10.0, 1.0)
    world.submit(timed("t", 100.0), timed("u", 100.0))
    assert meant(world) == {"u": "d0"}
    assert world.state("u") == "ready"
    assert idle(world) == ["d1"]


def test_room_that_a_ready_task_is_meant_for_does_not_idle():
    """`c` is too long for the five seconds until `b` comes, which the rest waits for."""
    world = a_world(1.0, 1.0)
    here, there = (Needs(device=DeviceId(name)) for name in ("d0", "d1"))
    world.submit(
        timed("a", 5.0, needs=there),
        timed("b", 10.0, needs=here),
        timed("rest", 500.0, needs=there),
        timed("c", 100.0, needs=here),
        *(edge("a", "b"), edge("b", "rest")),
    )
    assert {offer.task for offer in world.offers.values()} == {"a"}
    assert idle(world) == []


def test_a_device_that_is_done_early_takes_what_was_planned_elsewhere():
    world = a_world(1.0, 1.0)
    world.submit(*(timed(f"t{n}", 10.0) for n in range(4)))
    assert sorted(meant(world).values()) == ["d0", "d1"]
    done_early(world)
    assert [offer.device for offer in world.offers.values()] == ["d0", "d1", "d1", "d1"]


def test_what_waits_behind_a_late_task_is_looked_at_before_all_should_be_done():
    """The first of two tasks should end at 5 of 10 s: it is clearly late a tenth of that later."""
    world = a_world(2.0)
    world.submit(timed("t", 10.0), timed("u", 10.0))
    assert world.engine.state.board.look_at == pytest.approx(6.0)
