"""Saved rows: dirty ones are enough to put the same state together again (I11)."""

import pytest

from orchestrator.core import facts as f
from orchestrator.core.edits import RemoveDependency, RemoveTask, SetArgs
from orchestrator.core.engine import Engine
from orchestrator.core.model import ForEach, Needs, RunLimits
from orchestrator.core.rows import every, freeze, touched
from protocol.types import DeviceId, Failed, FailureKind, Load, ResourceNeed, Succeeded
from tests.support.digest import digest
from tests.support.world import World, edge, task


def test_i11_saved_rows_go_on_where_the_coordinator_was():
    world = World()
    world.device("d", slots=3, capacity={"memory": 4.0})
    world.device("gone")
    needs = Needs(device=DeviceId("d"), resources=(ResourceNeed("memory", "m", 2.0),))
    each = task("all", for_each=ForEach([1, 2]))
    world.submit(
        task("a", needs=needs), each, task("b"), edge("all", "b"), task("c"), task("n", "nowhere"),
        limits=RunLimits(),
    )  # fmt: skip
    world.finish("c", Failed(FailureKind.BAD_INPUT, "wrong"))
    world.silence("gone")
    world.wait(8.0)
    world.edit(task("x", "nowhere"), edge("n", "x"), SetArgs("x", {"n": 1}))
    world.edit(RemoveDependency("n", "x"), RemoveTask("n"))

    world.restart(rows=True)

    assert world.engine.state.devices["d"].warm.charged == {"memory": 2.0}
    world.beat("d")
    world.do("a", "all[0]", "all[1]")
    assert world.row("all").output["items"] == [1, 2]


def test_i11_every_row_at_once_restores_the_state():
    world = World()
    world.device("d")
    world.submit(task("a"), task("b"), edge("a", "b"))
    world.finish("a", Succeeded(1))
    state = world.engine.state
    engine = Engine()
    engine.restore(freeze(state, key) for key in every(state))
    assert digest(engine.state) == digest(state)


def test_a_rank_that_an_edit_further_down_changed_is_saved():
    world = World()
    world.submit(task("a"), task("b"), edge("a", "b"))
    world.edit(task("c"), edge("b", "c"))
    world.restart(rows=True)
    assert world.row("a").rank == 3.0


def test_what_is_gone_has_no_row_and_what_is_unknown_is_an_error():
    state = World().engine.state
    for key in (("device", "x"), ("attempt", "x"), ("skill", "x")):
        assert freeze(state, key) is None
    with pytest.raises(KeyError):
        freeze(state, ("nothing", "x"))


def test_a_heartbeat_dirties_nothing():
    seen = f.LoadSeen(DeviceId("d"), Load(), 0.0, 1.0)
    assert list(touched(seen, World().engine.state)) == []
