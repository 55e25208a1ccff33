"""What every policy keeps to, in worlds with memory, failures, edits and devices that go: I5, I10.

`World` holds each step to I5, I6, I9, I11 and I13, and `settle` to I10.
"""

import pytest

from orchestrator.core import events as e
from orchestrator.core.model import DEFAULT_LIMITS, Needs
from orchestrator.core.scheduling.policies import POLICIES, Policy
from protocol.types import DeviceId, Failed, FailureKind, PinScope, ResourceNeed, RunId, Succeeded
from tests.orchestrator.core.scheduling.shelf.driving import fleet, play, world_of
from tests.support.world import World, edge, task


def warm(key, amount=1.0, kind="cache"):
    return Needs(resources=(ResourceNeed(kind, key, amount, PinScope.SHARED),))


@pytest.mark.parametrize("policy", Policy)
def test_every_policy_has_a_place(policy):
    assert callable(POLICIES[policy])


@pytest.mark.parametrize("policy", Policy)
def test_i10_whatever_there_is_room_for_does_not_wait_for_ever(policy):
    """Skills, labels, bound devices and memory; each task can go somewhere, some only there."""
    world = World(policy=policy)
    world.device("a", "x", slots=2, labels={"tier": "device"}, capacity={"cache": 2.0})
    world.device("b", "x", "y", speed=3.0, labels={"tier": "edge"}, capacity={"cache": 3.0})
    world.device("c", "y", slots=2, labels={"tier": "cloud", "site": "lab"})
    for n, owner in enumerate(("ann", "bob", "cy")):
        world.submit(
            *(task(f"m{n}-{k}", "x", estimate_s=1.0 + k, needs=warm(f"k{k}")) for k in range(4)),
            *(task(f"x{n}-{k}", "x", estimate_s=90.0 * k) for k in range(3)),
            task(f"lab{n}", "y", estimate_s=5.0, needs=Needs(labels={"site": "lab"})),
            task(f"b{n}", "y", estimate_s=5.0, needs=Needs(device=DeviceId("b"))),
            task(f"u{n}", "y"),
            edge(f"x{n}-0", f"lab{n}"),
            edge(f"lab{n}", f"b{n}"),
            run=RunId(f"r{n}"),
            owner=owner,
        )
    world.settle()
    assert {run.status for run in world.engine.state.runs.values()} == {"succeeded"}


@pytest.mark.parametrize("policy", Policy)
def test_i10_a_cold_task_gets_memory_that_is_kept_for_another(policy):
    """One device holds one of two sessions that take turns: whoever waits gets his at last."""
    world = world_of(policy, *fleet(1, slots=2, capacity={"cache": 1.0}))
    parts = [
        task(f"s{k}-{n}", estimate_s=1.0, needs=warm(f"s{k}")) for k in "ab" for n in range(3)
    ]
    chains = [edge(f"s{k}-{n}", f"s{k}-{n + 1}") for k in "ab" for n in range(2)]
    world.submit(*parts, *chains)
    world.settle()
    assert world.run().status == "succeeded"


@pytest.mark.parametrize("policy", Policy)
def test_i10_where_nothing_runs_a_cold_task_takes_what_is_kept_for_a_use_to_come(policy):
    """The tool that the session waits for has no device: nobody would ever make room."""
    world = world_of(policy, *fleet(1, capacity={"cache": 1.0}))
    world.submit(
        task("s0", estimate_s=1.0, needs=warm("s")),
        task("tool", "nowhere", estimate_s=1.0),
        task("s1", estimate_s=1.0, needs=warm("s")),
        edge("s0", "tool"),
        edge("tool", "s1"),
    )
    world.submit(task("cold", estimate_s=1.0, needs=warm("other")), run=RunId("other"))
    world.finish("s0")
    assert world.where("cold") == "d0"


@pytest.mark.parametrize("policy", Policy)
def test_failures_edits_and_devices_that_come_and_go_leave_nothing_behind(policy):
    world = world_of(policy, *fleet(2, slots=2))
    limits = DEFAULT_LIMITS
    world.submit(*(task(f"t{n}", estimate_s=2.0, limits=limits) for n in range(8)))
    world.finish("t0", Failed(FailureKind.TRANSIENT, "later"))
    world.device("late", speed=2.0)
    world.tell(e.Unregistered(DeviceId("d0")))
    world.edit(*(task(f"n{n}", estimate_s=1.0) for n in range(3)), edge("t1", "n0"))
    world.submit(task("other", estimate_s=1.0), run=RunId("other"), priority=1)
    world.restart(rows=True)
    for name in ("d1", "late"):
        world.beat(name, connected=True)
        world.hello(name)
    world.settle()
    assert {run.status for run in world.engine.state.runs.values()} == {"succeeded"}


@pytest.mark.parametrize("policy", Policy)
def test_a_task_whose_arguments_cannot_be_filled_holds_up_nobody(policy):
    world = world_of(policy, *fleet(1))
    world.submit(
        task("a", estimate_s=1.0),
        task("b", estimate_s=1.0, args={"x": {"$from": "a", "path": ["nothing"]}}),
        task("c", estimate_s=1.0),
        edge("a", "b"),
    )
    for _ in range(2):
        (attempt,) = world.engine.state.attempts
        world.end(attempt, Succeeded({"there": 1}))
    assert world.states() == {"a": "succeeded", "b": "failed", "c": "succeeded"}


@pytest.mark.parametrize("policy", Policy)
def test_the_same_events_give_the_same_placements(policy):
    def placements():
        world = world_of(policy, *fleet(3, slots=2, capacity={"cache": 2.0}), checked=False)
        for n in range(4):
            world.submit(
                *(task(f"t{n}-{k}", estimate_s=1.0 + k % 3) for k in range(5)),
                *(task(f"m{n}-{k}", estimate_s=1.0, needs=warm(f"k{k}")) for k in range(3)),
                run=RunId(f"r{n}"),
                owner=f"u{n % 2}",
            )
        return [(span.task, span.device, span.start) for span in play(world)]

    assert placements() == placements()
