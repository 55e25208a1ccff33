"""Hints what to fetch ahead: when they leave, for whom, and that nothing rests on them."""

from dataclasses import replace

import pytest

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.decisions import prefetching
from orchestrator.core.model import ForEach, Needs
from orchestrator.core.scheduling import kept
from orchestrator.core.scheduling.policies import Policy
from protocol.types import DeviceId, Succeeded
from tests.support.digest import digest
from tests.support.world import RUN, World, edge, task

LARGE = 100_000


def artifact(name="a" * 64, size_bytes=LARGE):
    return {"$artifact": {"sha256": name, "size_bytes": size_bytes}}


def on(device):
    return Needs(device=DeviceId(device))


def timed(name, estimate_s=5.0, **rest):
    return task(name, estimate_s=estimate_s, **rest)


def reads(name, *sources, path=(), **rest):
    args = {source: {"$from": source, "path": list(path)} for source in sources}
    return timed(name, args=args, **rest)


def a_world(*devices, policy=Policy.ONE_PLAN, **rest):
    world = World(policy=policy)
    for name in devices or ("d0", "d1"):
        world.device(name, **{"prefetches": True, "bandwidth": 1e6, **rest})
    return world


def chain(world, *parts):
    """Let `make` end on d0, while `hold` occupies d1, which is to run `use` after it."""
    tasks = parts or (reads("use", "make", needs=on("d1")),)
    world.submit(timed("make", needs=on("d0")), timed("hold", 50.0, needs=on("d1")), *tasks)
    world.start("make")
    world.start("hold")


def hints(world):
    return [(each.device, each.references) for each in world.ordered(c.Prefetch)]


def test_a_device_is_told_to_fetch_what_it_will_read_when_that_is_made():
    world = a_world()
    chain(world)
    assert hints(world) == []
    world.finish("make", Succeeded(artifact()))
    assert world.ordered(c.Prefetch) == [c.Prefetch("d1", RUN, 1, "work", (artifact(),))]
    world.finish("hold")
    world.settle()
    assert len(hints(world)) == 1
    assert world.where("use") == "d1"


@pytest.mark.parametrize(
    "output",
    [None, {"small": 1}, artifact(size_bytes=prefetching.LEAST_BYTES - 1), {"$artifact": {}}],
)
def test_what_is_small_goes_with_the_arguments(output):
    world = a_world()
    chain(world)
    world.finish("make", Succeeded(output))
    assert hints(world) == []


def test_only_what_is_read_and_large_is_named():
    world = a_world()
    chain(
        world,
        reads("use", "make", path=["x"], needs=on("d1")),
        reads("lost", "make", path=["missing"], needs=on("d1")),
    )
    few = {"x": [artifact("b"), artifact("c", 10)], "y": artifact("d"), "z": "text"}
    world.finish("make", Succeeded(few))
    assert hints(world) == [("d1", (artifact("b"),))]


def fetched_for_nothing():
    """d1 fetches for a run, but is busy with another one."""
    world = a_world()
    world.submit(timed("hold", 50.0, needs=on("d1")), run="other")
    world.start("hold")
    world.submit(timed("make", needs=on("d0")), reads("use", "make", needs=on("d1")))
    world.finish("make", Succeeded(artifact()))
    assert [device for device, _ in hints(world)] == ["d1"]
    return world


def test_who_fetched_for_a_run_and_never_worked_for_it_hears_of_its_end():
    world = fetched_for_nothing()
    world.tell(e.CancelRun(RUN, "enough"))
    assert world.ordered(c.ReleaseRun) == [c.ReleaseRun("d1", RUN)]
    world.settle()
    assert len(world.ordered(c.ReleaseRun)) == 1


def test_who_worked_for_a_run_hears_only_when_it_is_forgotten():
    world = a_world()
    chain(world)
    world.finish("make", Succeeded(artifact()))
    assert hints(world)
    world.settle()
    assert world.ordered(c.ReleaseRun) == []


def test_of_a_run_that_another_coordinator_has_nobody_hears():
    world = fetched_for_nothing()
    world.edit(timed("again", needs=on("d0")))
    attempt = next(a for a in world.engine.state.attempts.values() if a.run == RUN)
    world.tell(e.Superseded(DeviceId("d0"), attempt.id, world.run().epoch + 1))
    assert world.run().superseded
    assert world.ordered(c.ReleaseRun) == []


def test_what_has_no_hash_is_not_named():
    world = a_world()
    chain(world)
    world.finish("make", Succeeded({"$artifact": {"size_bytes": LARGE}}))
    assert hints(world) == []


def test_nobody_is_told_to_fetch_what_he_has_or_what_he_does_not_read():
    world = a_world()
    chain(
        world,
        reads("here", "make", "hold", needs=on("d0")),
        timed("after", needs=on("d1")),
        edge("make", "after"),
    )
    world.finish("make", Succeeded(artifact()))
    assert (RUN, "here") in world.engine.state.board.plan.intended
    assert hints(world) == []


def test_many_references_leave_in_several_hints(monkeypatch):
    monkeypatch.setattr(prefetching, "AT_ONCE", 2)
    world = a_world()
    chain(world)
    world.finish("make", Succeeded([artifact(f"{n}") for n in range(5)]))
    assert [len(references) for _, references in hints(world)] == [2, 2, 1]


def test_readers_on_one_device_share_a_hint():
    world = a_world()
    chain(world, *(reads(f"use{n}", "make", needs=on("d1")) for n in range(3)))
    world.finish("make", Succeeded(artifact()))
    assert len(hints(world)) == 1


@pytest.mark.parametrize("why", ["extension", "prefetches", "policy"])
def test_who_takes_no_hints_gets_none(why):
    policy = Policy.EARLIEST_FINISH if why == "policy" else Policy.ONE_PLAN
    world = a_world("d0", policy=policy)
    world.device("d1", **{"prefetches": True, **({} if why == "policy" else {why: False})})
    chain(world)
    world.finish("make", Succeeded(artifact()))
    assert hints(world) == []


def test_who_is_away_gets_no_hint():
    world = a_world()
    chain(world, reads("use", "make", "hold", needs=on("d1")))
    world.silence("d1")
    world.wait(8.0)
    world.finish("make", Succeeded(artifact()))
    assert world.engine.state.board.plan.intended == {(RUN, "use"): "d1"}
    assert hints(world) == []


def test_who_is_meant_to_read_it_after_another_fell_silent_is_told_then():
    world = a_world("d0", "d1", "d2")
    world.submit(
        timed("make", needs=on("d0")),
        timed("hold", 900.0, needs=on("d0")),
        timed("h1", 400.0, needs=on("d1")),
        timed("h2", 500.0, needs=on("d2")),
        reads("use", "make"),
        edge("make", "hold"),
    )
    for name in ("make", "h1", "h2"):
        world.start(name)
    world.finish("make", Succeeded(artifact()))
    assert hints(world) == [("d1", (artifact(),))]
    world.silence("d1")
    world.wait(10.0)
    told = [device for device, _ in hints(world)]
    assert told[0] == "d1"
    assert len(set(told)) == len(told) > 1


def test_the_results_of_a_fan_out_are_hinted_at_when_they_are_joined():
    world = a_world()
    world.submit(
        timed("list", needs=on("d0")),
        timed("each", needs=on("d0"), for_each=ForEach(source={"$from": "list"})),
        timed("hold", 500.0, needs=on("d1")),
        reads("use", "each", path=["results"], needs=on("d1")),
    )
    world.start("hold")
    world.finish("list", Succeeded([1, 2]))
    for n in range(2):
        world.finish(f"each[{n}]", Succeeded(artifact(f"{n}")))
    assert hints(world) == [("d1", (artifact("0"), artifact("1")))]


def test_what_was_noted_of_a_run_is_forgotten_after_its_end(monkeypatch):
    monkeypatch.setattr(kept, "ROOM", 0)
    world = a_world()
    plan = world.engine.state.board.plan
    chain(world)
    world.finish("make", Succeeded(artifact()))
    assert plan.hinted
    world.settle()
    for n in range(9):
        world.submit(timed("other"), run=f"other{n}")
        world.settle()
    names = {name[0] for notes in (plan.offered, plan.sizes, plan.hinted) for name in notes}
    assert RUN not in names
    assert len(names) <= 2


def test_hints_are_no_facts_and_another_life_goes_on_without_them():
    """The same world with hints and without: all facts, and all states, are the same."""
    told = []
    for prefetches in (True, False):
        world = a_world(prefetches=True)
        if not prefetches:
            prefetching_off(world)
        chain(world)
        world.finish("make", Succeeded(artifact()))
        world.restart()
        world.hello("d0", {})
        world.settle()
        told.append((world.facts, digest(world.engine.state), world.run().status))
    assert told[0] == told[1]
    assert told[0][2] == "succeeded"


def prefetching_off(world):
    """Lose every hint, as a network may."""
    tell = world.tell

    def deaf(event):
        decision = tell(event)
        world.orders = [order for order in world.orders if not isinstance(order, c.Prefetch)]
        return decision

    world.tell = deaf


# Measured transfers


def fetched(world, name, size_bytes, seconds):
    made = world.offer(name)
    world.tell(
        e.AttemptFinished(
            made.device,
            made.attempt,
            Succeeded(None),
            1.0,
            RUN,
            fetched_bytes=size_bytes,
            fetch_s=seconds,
        )
    )


def test_a_measured_transfer_corrects_the_link():
    world = a_world(bandwidth=1e6)
    world.submit(timed("make", needs=on("d0")), reads("use", "make", needs=on("d1")))
    world.finish("make", Succeeded(artifact(size_bytes=10**9)))
    before = world.engine.state.estimates.links.per_byte("d0", "d1")
    fetched(world, "use", 10**9, 10.0)
    assert world.happened(f.TransferSeen) == [f.TransferSeen("d0", "d1", 10**9, 10.0)]
    assert before == 1e-6
    assert world.engine.state.estimates.links.per_byte("d0", "d1") == pytest.approx(1e-8, rel=1.0)


@pytest.mark.parametrize(
    ("size_bytes", "seconds"), [(prefetching.LEAST_BYTES - 1, 1.0), (LARGE, 0.0)]
)
def test_what_says_little_of_a_link_is_not_learned(size_bytes, seconds):
    world = a_world()
    world.submit(timed("make", needs=on("d0")), reads("use", "make", needs=on("d1")))
    world.finish("make", Succeeded(artifact()))
    fetched(world, "use", size_bytes, seconds)
    assert world.happened(f.TransferSeen) == []


def test_what_came_from_two_devices_says_nothing_of_either_link():
    world = a_world("d0", "d1", "d2")
    world.submit(
        timed("one", needs=on("d0")),
        timed("two", needs=on("d2")),
        reads("use", "one", "two", needs=on("d1")),
    )
    for name in ("one", "two"):
        world.finish(name, Succeeded(artifact(name)))
    fetched(world, "use", 2 * LARGE, 1.0)
    assert world.happened(f.TransferSeen) == []


def test_the_link_that_a_card_declares_is_known_after_a_restart_and_goes_with_the_device():
    world = a_world(bandwidth=2e6)
    for rows in (False, True):
        world.restart(rows=rows)
        assert world.engine.state.estimates.links.per_byte("d0", "d1") == 5e-7
    card = world.engine.state.devices["d0"].card
    world.tell(e.Announced(replace(card, bandwidth=1e6), online=True))
    assert world.engine.state.estimates.links.per_byte("d0", "d1") == 1e-6
    world.tell(e.Unregistered("d0"))
    assert world.engine.state.estimates.links.per_byte("d0", "d1") == 5e-7
