from dataclasses import replace

import pytest

from orchestrator.core.model import ForEach
from orchestrator.core.scheduling.policies import Policy
from orchestrator.core.scheduling.shelf import srpt_revealed
from protocol.types import RunId
from tests.orchestrator.core.scheduling.shelf.driving import fleet, play, tasks_of, world_of
from tests.support.world import World, edge, task


def work(name, count, seconds=1.0):
    return [task(f"{name}{n}", estimate_s=seconds) for n in range(count)]


def mean_flow_s(policy):
    world = world_of(policy, *fleet(1), checked=False)
    for name, count in (("large", 24), ("middle", 8), ("small", 2)):
        world.submit(*work(name, count), run=name)
    ends = {span.run: span.end for span in play(world)}
    return sum(ends.values()) / len(ends)


def test_runs_with_little_left_go_first_and_the_mean_time_is_less():
    """In turn 24, 32 and 34; the others first, after one task of the large: 3, 11 and 34."""
    assert mean_flow_s(Policy.FIFO) == pytest.approx(30.0)
    assert mean_flow_s(Policy.SRPT_REVEALED) == pytest.approx(16.0)


def test_what_is_left_counts_and_not_what_there_was():
    """The first run had 31 s of work, and has 7 once its long task began; the second has 12."""
    world = world_of(Policy.SRPT_REVEALED, *fleet(1), checked=False)
    world.submit(task("long", estimate_s=24.0), *work("rest", 7), run="first")
    other = (1.0, lambda: world.submit(*work("whole", 12), run="second"))
    assert tasks_of(play(world, then=[other]))[:8] == ["long", *(f"rest{n}" for n in range(7))]


def test_the_plan_that_is_known_counts_and_not_what_is_ready():
    world = world_of(Policy.SRPT_REVEALED, *fleet(1), checked=False)
    world.submit(task("busy", estimate_s=1.0), run="r0")
    chain = [edge(f"chain{n}", f"chain{n + 1}") for n in range(15)]
    world.submit(*work("chain", 16), *chain, run="long")
    world.submit(*work("side", 4), run="short")
    assert tasks_of(play(world))[1:5] == [f"side{n}" for n in range(4)]


def test_an_edit_that_reveals_more_work_counts():
    world = world_of(Policy.SRPT_REVEALED, *fleet(1), checked=False)
    world.submit(task("busy", estimate_s=1.0), run="r0")
    world.submit(*work("grows", 2), run="r1")
    world.submit(*work("stays", 4), run="r2")
    world.edit(*work("more", 30), run=RunId("r1"))
    assert tasks_of(play(world))[1:5] == [f"stays{n}" for n in range(4)]


def test_what_goes_to_other_devices_makes_less_of_a_run_that_waits_for_this_one():
    """260 s are left of the first run; 10 s when the device that both wait for gets free."""
    world = World(policy=Policy.SRPT_REVEALED)
    world.device("d", "one")
    world.submit(task("busy", "one", estimate_s=1.0), run="r0")
    others = [task(f"other{n}", "two", estimate_s=10.0) for n in range(25)]
    world.submit(task("first", "one", estimate_s=10.0), *others, run="r1")
    world.submit(task("second", "one", estimate_s=100.0), run="r2")
    world.device("e", "two", slots=25)
    world.do("busy")
    assert (world.state("first", "r1"), world.state("second", "r2")) == ("active", "ready")


def waited_s(aged_s, monkeypatch):
    """How long a run of 32 s waits while another comes each second, and the device does one."""
    monkeypatch.setattr(srpt_revealed, "AGED_S", aged_s)
    world = world_of(Policy.SRPT_REVEALED, *fleet(1), checked=False)
    world.submit(task("busy", estimate_s=1.0), run="r0")
    world.submit(*work("large", 4, 8.0), run="large")
    stream = [
        (0.5 + n, lambda n=n: world.submit(task(f"s{n}", estimate_s=1.0), run=f"s{n}"))
        for n in range(100)
    ]
    return min(span.start for span in play(world, then=stream) if span.run == "large")


def test_no_wait_is_longer_than_the_age_that_its_work_is_worth(monkeypatch):
    """32 s are level 5, 1 s is level 0: with 10 s a level, nobody overtakes who came 50 s later.

    What came before that may still go first: one each second, and the device is that fast.
    """
    assert 45.0 <= waited_s(10.0, monkeypatch) <= 52.0


def test_without_ageing_it_would_wait_for_the_whole_stream(monkeypatch):
    assert waited_s(1e9, monkeypatch) > 90.0


def test_what_is_left_is_counted_again_and_ended_runs_are_forgotten(monkeypatch):
    monkeypatch.setattr(srpt_revealed, "RUNS", 2)
    world = world_of(Policy.SRPT_REVEALED, *fleet(1), checked=False)
    for n in range(9):
        world.submit(task(f"t{n}", estimate_s=1.0), run=f"r{n}")
        world.finish(f"t{n}")
    assert len(world.engine.state.board.plan.rule._work) <= 5


def test_a_fan_out_counts_with_its_parts():
    world = world_of(Policy.SRPT_REVEALED, *fleet(1), checked=False)
    world.submit(task("busy", estimate_s=1.0), run="r0")
    world.submit(fan_out("many", 30, 1.0), run="fan")
    world.submit(*work("side", 4), run="short")
    assert tasks_of(play(world))[1:5] == [f"side{n}" for n in range(4)]


def test_a_fan_out_counts_with_its_parts_alone():
    """8 s in all, and not 16: so it goes before 12 s that came earlier."""
    world = world_of(Policy.SRPT_REVEALED, *fleet(1), checked=False)
    world.submit(task("busy", estimate_s=1.0), run="r0")
    world.submit(*work("side", 12), run="longer")
    world.submit(fan_out("one", 1, 8.0), run="fan")
    assert tasks_of(play(world))[1] == "one[0]"


def fan_out(name, count, seconds):
    return replace(task(name, estimate_s=seconds), for_each=ForEach(source=list(range(count))))
