"""Each invariant that state shows: break the state by hand, and `check` says which."""

from dataclasses import replace

import pytest

from orchestrator.core import facts as f
from orchestrator.core.checking import check
from orchestrator.core.errors import InvariantError
from orchestrator.core.lifecycle import AttemptState, TaskState
from orchestrator.core.model import Limits, Needs, RunLimits
from protocol.types import Effect, Failed, FailureKind, PinScope, Resource, ResourceNeed
from tests.support.world import World, edge, task

MODEL = Resource("memory", "m")


@pytest.fixture
def world():
    """`a` runs, `b` waits for it, and the planner is asked about `c`."""
    made = World()
    made.device("d", slots=2)
    bad = task("c", limits=Limits(attempts=1))
    made.submit(task("a"), task("b"), edge("a", "b"), bad, limits=RunLimits())
    made.start("a")
    made.finish("c", Failed(FailureKind.BAD_INPUT, "wrong"))
    check(made.engine.state)
    return made


def cycle(world):
    world.row("b").outgoing.append("a")
    world.row("a").incoming = (edge("b", "a"),)


def miscount(world):
    world.run().unfinished += 1


def no_lease(world):
    world.engine.state.timers.clear(("device", "d"))


def second_live(world):
    world.row("a").live = None


def hedge(world):
    """Give `a`, which is late, a hedge on `e`."""
    world.device("e")
    state, (first,) = world.engine.state, world.engine.state.attempts.values()
    number = state.token + 1
    placed = f.TaskPlaced(
        *("run", "a", "h", 2, "e", number, Effect.PURE, 1.0, 0.0, 9.0),
        hedge=f.Hedge(first.id, 9.0, 2.0),
    )
    world.engine.apply(placed)
    check(state)
    return first, state.attempts["h"]


def hedge_of_once(world):
    hedge(world)[1].effect = Effect.ONCE


def hedge_in_one_place(world):
    first, second = hedge(world)
    del world.engine.state.devices["e"].attempts["h"]
    second.device = first.device
    world.engine.state.devices["d"].attempts["h"] = second


def hedge_without_a_limit(world):
    hedge(world)
    world.engine.state.timers.clear(world.row("a").hedge_key)


def hedge_of_nothing_active(world):
    hedge(world)
    world.row("a").state = TaskState.INPUT_REQUIRED


def third_live(world):
    hedge(world)
    world.row("a").hedge = None


def live_for_nothing(world):
    world.row("a").state = TaskState.FAILED
    world.run().unfinished -= 1


def warm(world):
    """Let the device hold what no attempt uses, and return its warm set."""
    held = world.engine.state.devices["d"].warm
    held.use({MODEL: 1.0})
    held.end((MODEL,))
    world.engine.state.warmth.here(MODEL, "d", idle=True)
    return held


def not_held(world):
    attempt = next(iter(world.engine.state.attempts.values()))
    attempt.needs = (ResourceNeed("memory", "m", 1.0, PinScope.SHARED),)


def no_pin_lease(world):
    warm(world).capacity = {"memory": 1.0}


def protected_for_nobody(world):
    held = warm(world)
    held.capacity = {"memory": 1.0}
    held.pin(MODEL, 1, since=0.0, until=5.0, cap=9.0)


def not_indexed(world):
    warm(world)
    world.engine.state.warmth.gone(MODEL, "d")


def idle_unseen(world):
    held = warm(world)
    held.capacity = {"memory": 1.0}
    held.pin(MODEL, 1, since=0.0, until=0.0, cap=9.0)
    world.engine.state.warmth.here(MODEL, "d", idle=False)


def uncounted_use(world):
    world.engine.state.warmth.uses.set(("r", "a"), ())
    world.row("b").spec = replace(
        world.row("b").spec, needs=Needs(resources=(ResourceNeed("memory", "m", 1.0),))
    )


def pin_left_over(world):
    world.engine.state.warmth.touched[MODEL] = None


def overcharged(world):
    warm(world).pin(MODEL, 1, since=0.0, until=0.0, cap=9.0)


def uncharged(world):
    world.engine.state.devices["d"].attempts.clear()


def not_ready(world):
    world.row("a").state = TaskState.SUCCEEDED
    world.row("a").live = None
    world.run().unfinished -= 1
    next(iter(world.engine.state.attempts.values())).state = AttemptState.LAPSED


def ready_unseen(world):
    not_ready(world)
    world.row("b").unmet = 0


def left_over(world):
    world.engine.state.touched.append(world.row("b"))


def nothing_awaited(world):
    world.engine.state.timers.clear(world.row("a").key)


def unasked(world):
    world.engine.state.timers.clear(("ask", "run", "run/0"))


def over_and_open(world):
    for row in world.run().tasks.values():
        row.state, row.live = TaskState.FAILED, None
    world.engine.state.attempts.clear()
    world.run().unfinished = 0
    world.run().asks.clear()


@pytest.mark.parametrize(
    ("invariant", "damage"),
    [
        ("I1", cycle),
        ("I2", miscount),
        ("I3", no_lease),
        ("I4", second_live),
        ("I4", hedge_of_once),
        ("I4", hedge_in_one_place),
        ("I4", hedge_without_a_limit),
        ("I4", hedge_of_nothing_active),
        ("I4", third_live),
        ("I4", live_for_nothing),
        ("I5", overcharged),
        ("I3", not_held),
        ("I3", no_pin_lease),
        ("I14", protected_for_nobody),
        ("I14", not_indexed),
        ("I14", idle_unseen),
        ("I14", uncounted_use),
        ("I8", pin_left_over),
        ("I5", uncharged),
        ("I8", not_ready),
        ("I8", ready_unseen),
        ("I8", left_over),
        ("I10", nothing_awaited),
        ("I10", unasked),
        ("I10", over_and_open),
    ],
)
def test_a_broken_invariant_is_named(world, invariant, damage):
    damage(world)
    with pytest.raises(InvariantError, match=invariant) as caught:
        check(world.engine.state)
    assert caught.value.invariant == invariant
