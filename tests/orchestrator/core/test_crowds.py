"""More devices than are remembered: anybody who reaches the broker can announce them."""

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.tuning import Tuning
from protocol.types import DeviceId, Effect, Incarnation, Rejected, Succeeded, Unknown
from tests.support.world import RUN, World, card, task


def crowd():
    """A world that remembers three devices."""
    return World(tuning=Tuning(devices=3))


def announce(world, *names, online=True):
    for name in names:
        world.tell(e.Announced(card(name), online=online))


def known(world):
    return list(world.engine.state.devices)


def leave(world, name):
    world.silence(name)
    world.tell(e.Announced(card(name), online=False))


def test_device_that_was_never_heard_makes_room_for_the_next():
    world = crowd()
    world.device("there")
    leave(world, "there")
    announce(world, "x", "y", "z")
    assert known(world) == ["there", "y", "z"]


def test_device_heard_longest_ago_makes_room_where_all_were_heard():
    world = crowd()
    for name in ("a", "b", "c"):
        world.device(name)
    for name in ("b", "a"):
        world.wait(10.0)
        leave(world, name)
    announce(world, "d")
    assert known(world) == ["a", "c", "d"]


def test_device_that_is_there_or_charged_is_never_crowded_out():
    world = crowd()
    for name in ("a", "b", "c"):
        world.device(name)
    world.submit(task("t"))
    attempt = world.start("t")
    assert world.where("t") == "a"
    world.silence("a")
    world.wait(60.0)
    announce(world, *map(str, range(100)))
    assert known(world) == ["a", "b", "c"]

    world.end(attempt, Rejected("late"))
    announce(world, "d")
    assert known(world) == ["b", "c", "d"]


def test_device_that_is_not_there_crowds_out_nobody():
    world = crowd()
    announce(world, "x", "y", "z", online=False)
    announce(world, "late", online=False)
    announce(world, "x", online=True)
    assert known(world) == ["x", "y", "z"]
    assert not world.happened(f.DeviceLeft)


def test_some_go_at_once_where_many_are_remembered():
    world = World(tuning=Tuning(devices=300), checked=False)
    announce(world, *map(str, range(301)))
    assert len(known(world)) == 298
    announce(world, *map(str, range(301, 3000)))
    assert len(known(world)) <= 300


def test_i11_crowding_out_is_replayed():
    world = crowd()
    announce(world, *map(str, range(20)))
    world.device("d")
    world.submit(task("t"))
    for rows in (False, True):
        world.restart(rows=rows)
        assert known(world)[-1] == "d"
        world.beat("d")
    world.do("t")
    assert world.run().status == "succeeded"


def test_device_that_was_crowded_out_comes_back_and_tells_what_was_unknown():
    world = crowd()
    world.device("d", "pay", effect=Effect.ONCE)
    world.submit(task("t", "pay"))
    attempt = world.start("t")
    world.end(attempt, Unknown("it was cut off"))
    leave(world, "d")
    for name in ("x", "y"):
        world.device(name)
    announce(world, "z")
    assert known(world) == ["x", "y", "z"]
    world.device("d", "pay", effect=Effect.ONCE)
    assert world.ordered(c.QueryAttempt, attempt=attempt)
    done = Succeeded(None)
    world.tell(e.AttemptFinished(DeviceId("d"), attempt, done, 1.0, RUN, Incarnation("1")))
    assert world.run().status == "succeeded"
