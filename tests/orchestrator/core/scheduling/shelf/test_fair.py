import pytest

from orchestrator.core import events as e
from orchestrator.core.scheduling.policies import Policy
from orchestrator.core.scheduling.shelf import fair
from protocol.types import RunId
from tests.orchestrator.core.scheduling.shelf.driving import fleet, play, world_of
from tests.support.world import task


def submit(world, owner, count, seconds=1.0, run="", **rest):
    name = run or owner
    parts = (task(f"{name}{n}", estimate_s=seconds) for n in range(count))
    world.submit(*parts, run=RunId(name), owner=owner, **rest)


def served_s(spans, owner, at):
    """Seconds of work that a user has got by then."""
    mine = [span for span in spans if span.run.startswith(owner)]
    return sum(max(0.0, min(span.end, at) - span.start) for span in mine)


@pytest.mark.parametrize("slots", [1, 2, 4])
def test_who_waits_all_the_time_lags_by_one_task_a_slot_at_most(slots):
    """One user has tasks of 3 s, another of 1 s, in two runs; the third has the more runs."""
    world = world_of(Policy.FAIR, *fleet(1, slots=slots), checked=False)
    submit(world, "a", 40, 3.0)
    submit(world, "b", 60, 1.0, run="b-one-")
    submit(world, "b", 60, 1.0, run="b-two-")
    for n in range(5):
        submit(world, "c", 12, 2.0, run=f"c{n}-")
    spans = play(world)
    all_wait = min(max(s.start for s in spans if s.run.startswith(owner)) for owner in "abc")
    for at in range(int(all_wait)):
        got = {owner: served_s(spans, owner, at) for owner in "abc"}
        for owner, longest_s in (("a", 3.0), ("b", 1.0), ("c", 2.0)):
            lag_s = sum(got.values()) / 3 - got[owner]
            assert lag_s <= longest_s * slots, (at, got)


@pytest.mark.parametrize("policy", [Policy.FAIR, Policy.FIFO])
def test_the_slowdown_of_one_task_is_the_same_whatever_a_neighbour_has_waiting(policy):
    def flow_s(count):
        world = world_of(policy, *fleet(1, slots=2), checked=False)
        submit(world, "crowd", count)
        spans = play(world, then=[(5.25, lambda: submit(world, "lone", 1))])
        return next(span.end for span in spans if span.run == "lone") - 5.25

    flows = {flow_s(count) for count in (20, 100, 200)}
    if policy is Policy.FAIR:
        assert flows == {1.75}  # the next slot, at 6, is his
    else:
        assert max(flows) > 50.0


def test_who_was_away_has_saved_nothing_and_gets_half_from_then_on():
    world = world_of(Policy.FAIR, *fleet(1), checked=False)
    submit(world, "a", 60)
    spans = play(world, then=[(20.5, lambda: submit(world, "b", 40))])
    later = [span.run for span in spans if span.start >= 20.5][:20]
    assert abs(later.count("a") - later.count("b")) <= 1


def test_who_left_the_system_idle_owes_nothing():
    world = world_of(Policy.FAIR, *fleet(1), checked=False)
    submit(world, "a", 1, 30.0)
    play(world)
    submit(world, "busy", 1, run="other")
    submit(world, "a", 10, run="a-again-")
    submit(world, "b", 10)
    order = [span.run[0] for span in play(world)][1:11]
    assert order.count("a") == order.count("b") == 5


def test_what_was_cancelled_before_it_began_costs_nothing():
    world = world_of(Policy.FAIR, *fleet(1), checked=False)
    submit(world, "x", 1)
    submit(world, "a", 20, run="gone")
    submit(world, "a", 10)
    submit(world, "b", 10)
    world.tell(e.CancelRun(RunId("gone"), "no longer wanted"))
    order = [span.run for span in play(world)][1:11]
    assert order.count("a") == order.count("b") == 5


def test_waiting_that_was_cancelled_saves_nothing_either():
    """a's first run is cancelled while b is served: a starts with b's time, not with its own."""
    world = world_of(Policy.FAIR, *fleet(1), checked=False)
    submit(world, "b", 60)
    submit(world, "a", 5, 8.0, run="gone")
    gone = e.CancelRun(RunId("gone"), "no longer wanted")
    then = [(1.5, lambda: world.tell(gone)), (20.5, lambda: submit(world, "a", 30))]
    spans = play(world, then=then)
    order = [span.run for span in spans if span.start > 20.5][:20]
    assert abs(order.count("a") - order.count("b")) <= 1


def test_a_users_own_runs_go_by_arrival_however_short_they_are():
    world = world_of(Policy.FAIR, *fleet(1))
    submit(world, "x", 1)
    submit(world, "a", 3, 5.0, run="a-long-")
    submit(world, "a", 3, 1.0, run="a-short-")
    order = [span.run for span in play(world)]
    assert order == ["x", *["a-long-"] * 3, *["a-short-"] * 3]


def test_priority_goes_before_fairness():
    world = world_of(Policy.FAIR, *fleet(1))
    submit(world, "x", 1)
    submit(world, "a", 3)
    submit(world, "b", 3, priority=1)
    assert [span.run for span in play(world)] == ["x", *"bbb", *"aaa"]


def test_users_with_nothing_to_be_remembered_for_are_forgotten(monkeypatch):
    monkeypatch.setattr(fair, "USERS", 3)
    world = world_of(Policy.FAIR, *fleet(1))
    submit(world, "waits", 9)
    for n in range(9):
        submit(world, f"user{n}", 1, 0.5)
    play(world)
    assert len(world.engine.state.board.plan.rule._users) == 10  # all of them waited
    for n in range(9):
        submit(world, f"new{n}", 1)
        play(world)
    assert len(world.engine.state.board.plan.rule._users) <= 4
