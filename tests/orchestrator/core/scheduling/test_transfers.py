"""Where inputs are counts when tasks are bound late, and what is on its way counts for a plan."""

import pytest

from orchestrator.core.model import Dependency, Needs
from orchestrator.core.scheduling.policies import Policy
from orchestrator.core.scheduling.transfers import arrival, detour_s, inputs, meant_for, size_bytes
from protocol.types import DeviceId, Succeeded, TaskId
from tests.support.world import RUN, World, edge, task


def on(device):
    return Needs(device=DeviceId(device))


def timed(name, estimate_s=4.0, **rest):
    return task(name, estimate_s=estimate_s, **rest)


def sized(before, after, size):
    return Dependency(TaskId(before), TaskId(after), size_bytes=size)


def late_world(*speeds, bandwidth=10.0, **rest):
    """Devices with links of so many bytes a second; tasks are bound late."""
    world = World(policy=Policy.EARLIEST_FINISH)
    for number, speed in enumerate(speeds):
        world.device(f"d{number}", speed=speed, bandwidth=bandwidth, **rest)
    return world


def make(world, *parts, output=None):
    """Let `a` be made on d0, and what reads it be ready."""
    world.submit(timed("a", needs=on("d0")), *parts)
    world.finish("a", Succeeded(output), run_s=4.0)


@pytest.mark.parametrize(("size", "where"), [(None, "d1"), (9.0, "d1"), (100.0, "d0")])
def test_a_slower_device_that_has_the_inputs_is_chosen_if_the_way_is_longer(size, where):
    world = late_world(1.0, 1.5)
    make(world, timed("b"), sized("a", "b", size) if size else edge("a", "b"))
    assert world.where("b") == where


def test_the_size_of_a_result_counts_once_it_is_made():
    world = late_world(1.0, 1.5)
    artifact = {"$artifact": {"size_bytes": 100, "sha256": "ab"}}
    make(world, timed("b"), edge("a", "b"), output=[artifact])
    assert world.where("b") == "d0"


def test_where_nothing_is_known_of_links_nothing_counts():
    world = late_world(1.0, 1.5, bandwidth=None)
    make(world, timed("b"), sized("a", "b", 1e9))
    assert world.where("b") == "d1"


def test_a_task_waits_for_the_busy_device_that_has_its_inputs():
    world = late_world(1.0, 1.0)
    make(world, timed("x", 2.0, needs=on("d0")), timed("b", 1.0), sized("a", "b", 1000.0))
    world.submit(timed("y", 1.0, needs=on("d0")), run="other")
    assert world.where("x") == "d0"
    assert world.state("b") == "ready"
    world.finish("x", run_s=2.0)
    assert world.where("b") == "d0"


def test_a_task_behind_one_that_waits_goes_to_the_device_with_room():
    world = late_world(1.0, 1.0)
    make(world, timed("x", 9.0, needs=on("d0")), timed("b", 8.0), timed("c"), sized("a", "b", 1e3))
    assert (world.where("x"), world.where("c")) == ("d0", "d1")
    world.finish("c", run_s=4.0)
    assert world.state("b") == "ready"
    world.settle()
    assert world.where("b") == "d0"


def test_those_that_wait_for_one_device_wait_for_each_other():
    """Elsewhere one takes 15 s; on d0, busy for 4 s, they would take 8, 12 and 16 s."""
    world = late_world(1.0, 1.0, 1.0)
    parts = [timed(f"b{n}") for n in range(3)]
    make(
        world, timed("x", needs=on("d0")), *parts, *(sized("a", f"b{n}", 110.0) for n in range(3))
    )
    assert world.where("x") == "d0"
    gone = [f"b{n}" for n in range(3) if world.state(f"b{n}") == "active"]
    assert len(gone) == 1
    assert world.where(gone[0]) in {"d1", "d2"}
    world.settle()
    assert world.run().status == "succeeded"


def test_who_is_late_is_not_waited_for_for_ever():
    world = late_world(1.0, 1.0)
    make(world, timed("x", 2.0, needs=on("d0")), timed("b", 1.0), sized("a", "b", 100.0))
    world.start("x")
    assert world.state("b") == "ready"
    world.wait(60.0)
    assert world.where("b") == "d1"


def test_who_has_the_inputs_and_is_away_is_not_waited_for():
    world = late_world(1.0, 1.0)
    make(
        world,
        timed("b"),
        timed("hold", 90.0, needs=on("d1")),
        edge("hold", "b"),
        sized("a", "b", 1e3),
    )
    world.silence("d0")
    world.wait(8.0)
    world.finish("hold", run_s=90.0)
    assert world.where("b") == "d1"


def test_where_there_is_work_for_all_nobody_waits():
    world = late_world(1.0, 1.0)
    parts = [timed(f"b{n}", 1.0) for n in range(20)]
    make(world, *parts, *(sized("a", f"b{n}", 100.0) for n in range(20)))
    assert {offer.device for offer in world.offers.values() if offer.task != "a"} == {"d0", "d1"}


def test_all_that_wait_may_wait():
    world = late_world(1.0, 1.0)
    make(
        world,
        timed("x", 2.0, needs=on("d0")),
        timed("b", 1.0),
        timed("c", 1.0),
        sized("a", "b", 1000.0),
        sized("a", "c", 1000.0),
    )
    assert {world.state("b"), world.state("c")} == {"ready"}
    world.settle()
    assert {world.where("b"), world.where("c")} == {"d0"}


def test_what_was_meant_for_a_device_is_on_its_way_since():
    world = late_world(1.0, 1.0)
    make(world, timed("b"), sized("a", "b", 40.0))
    board, b = world.engine.state.board, world.row("b")
    assert list(inputs(board, b)) == [("d0", 40.0)]
    assert arrival(board, b, DeviceId("d1"), 10.0) == 14.0
    assert arrival(board, b, DeviceId("d0"), 10.0) == 10.0
    board.plan.since[RUN, TaskId("b")] = {DeviceId("d1"): 7.0}
    assert arrival(board, b, DeviceId("d1"), 10.0) == 14.0
    board.plan.ahead = True
    board.plan.offered[RUN, TaskId("a")] = (0.0, 5.0)
    assert arrival(board, b, DeviceId("d1"), 10.0) == 11.0
    board.plan.offered[RUN, TaskId("a")] = (0.0, 9.0)
    assert arrival(board, b, DeviceId("d1"), 10.0) == 13.0, "it was made after that"
    board.plan.offered[RUN, TaskId("a")] = (0.0, 5.0)
    assert arrival(board, b, DeviceId("d1"), 20.0) == 20.0


def test_a_result_is_walked_through_once_and_again_when_it_is_another():
    world = late_world(1.0)
    make(world, timed("b"), edge("a", "b"), output={"$artifact": {"size_bytes": 5}})
    plan, a = world.engine.state.board.plan, world.row("a")
    loose = edge("a", "b")
    assert size_bytes(plan, loose, a) == 5.0
    assert plan.sizes[RUN, TaskId("a")][0] is a.output
    a.output = {"$artifact": {"size_bytes": 6}}
    assert size_bytes(plan, loose, a) == 6.0
    a.output = None
    assert size_bytes(plan, loose, a) == 0.0


def test_a_device_that_waits_for_inputs_ends_the_later():
    """The plan knows that a task which started still waits for what it reads."""
    world = World(policy=Policy.ONE_PLAN)
    for name in ("d0", "d1"):
        world.device(name, bandwidth=10.0)
    world.submit(
        timed("a", needs=on("d0")),
        timed("b", needs=on("d1")),
        timed("c", needs=on("d1")),
        sized("a", "b", 100.0),
        edge("b", "c"),
    )
    world.finish("a", run_s=4.0)
    world.start("b")
    plan = world.engine.state.board.plan
    assert plan.offered[RUN, TaskId("b")] == (world.at + 10.0, world.at + 14.0)
    world.edit(timed("more", needs=on("d1")))
    assert plan.end == pytest.approx(world.at + 22.0)


def planned_world(*parts):
    """`a` on d0, and what reads it, planned on two devices with links of 10 bytes a second."""
    world = World(policy=Policy.ONE_PLAN)
    for name in ("d0", "d1"):
        world.device(name, bandwidth=10.0)
    world.submit(timed("a", needs=on("d0")), *parts)
    return world


def test_a_result_is_meant_for_whoever_is_planned_to_read_it():
    world = planned_world(
        timed("b", needs=on("d1")),
        timed("c", needs=on("d0")),
        timed("other", needs=on("d1")),
        *(sized("a", "b", 20.0), sized("a", "c", 30.0), sized("other", "c", 9.0)),
    )
    board = world.engine.state.board
    assert list(meant_for(board, world.row("a"))) == [("d1", 20.0), ("d0", 30.0)]
    assert list(meant_for(board, world.row("b"))) == []


def test_a_reader_of_which_no_size_or_no_place_is_known_counts_nothing():
    world = planned_world(timed("b", needs=on("d1")), edge("a", "b"))
    board, a = world.engine.state.board, world.row("a")
    assert list(meant_for(board, a)) == []
    world = planned_world(
        timed("b", needs=on("d1")), timed("c"), sized("a", "b", 20.0), sized("a", "c", 30.0)
    )
    board, a = world.engine.state.board, world.row("a")
    del board.plan.intended[RUN, TaskId("c")]
    assert list(meant_for(board, a)) == [("d1", 20.0)]
    board.plan.abandon()
    assert list(meant_for(board, a)) == []


def test_a_detour_is_as_long_as_that_of_the_last_reader_and_no_gain_counts():
    board = planned_world(timed("b")).engine.state.board
    here, there, far = DeviceId("d0"), DeviceId("d1"), DeviceId("d2")
    assert detour_s(board, [(here, 20.0)], here, there) == 2.0
    assert detour_s(board, [(here, 20.0), (here, 50.0), (there, 90.0)], here, there) == 5.0
    assert detour_s(board, [(there, 20.0)], here, there) == 0.0
    assert detour_s(board, [(far, 20.0)], here, there) == 0.0
    assert detour_s(board, [], here, there) == 0.0
