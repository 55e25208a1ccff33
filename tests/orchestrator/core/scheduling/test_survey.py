"""What can be planned now: of a task that runs twice, the attempt that ends first counts."""

from dataclasses import replace

import pytest

from orchestrator.core.model import Limits
from orchestrator.core.scheduling.survey import survey, unstarted
from protocol.types import DeviceId
from tests.support.world import World, edge, task

LONG = Limits(start_s=5.0, run_s=400.0)


def hedged(*, speed=10.0):
    """`t` is late on `d0`, and its hedge has begun on `d1`; `next` reads its 100 bytes."""
    world = World()
    world.device("d0")
    reads = replace(edge("t", "next"), size_bytes=100.0)
    parts = [task(name, estimate_s=10.0, limits=LONG) for name in ("t", "next")]
    world.submit(*parts, reads)
    world.start("t")
    world.wait(30.0)
    world.device("d1", speed=speed)
    for engine in (world.engine, world.fold):
        engine.state.estimates.links.declare(DeviceId("d0"), {DeviceId("d1"): 10.0})
    world.start("t")
    assert world.row("t").hedge is not None
    return world


def seen(world):
    return survey(world.engine.state.board, unstarted(world.run()), world.at).outlook


def test_the_hedge_that_ends_first_frees_both_devices_and_has_the_result():
    outlook = seen(hedged())
    assert outlook.done == [pytest.approx(1.0)]
    assert outlook.send == [[10.0, 0.0]]
    assert outlook.free == [[pytest.approx(1.0)], [pytest.approx(1.0)]]


def test_an_attempt_that_ends_before_its_hedge_frees_both_devices_and_has_the_result():
    outlook = seen(hedged(speed=0.5))
    (done,) = outlook.done
    assert 1.0 < done < 10.0
    assert outlook.send == [[0.0, 10.0]]
    assert outlook.free == [[done], [done]]


def test_what_lapsed_holds_its_device_though_others_that_try_its_task_end():
    world = World()
    world.device("lapsed")
    world.submit(task("t", estimate_s=15.0, limits=LONG))
    world.start("t")
    world.silence("lapsed")
    world.device("d1")
    world.wait(20.0)  # its lease is over
    world.start("t")
    world.wait(30.0)
    world.device("d2", speed=10.0)
    world.start("t")
    world.beat("lapsed")
    assert world.row("t").hedge is not None
    lapsed, *others = seen(world).free
    assert others == [[pytest.approx(1.5)], [pytest.approx(1.5)]]
    assert lapsed[0] > 2.0
