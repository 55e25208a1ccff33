"""The delivery protocol, explored: what it promises holds in every state of these worlds.

`python -m tests.model` explores larger ones.
"""

import pytest

from tests.model.explore import explore, stuck
from tests.model.properties import PROPERTIES
from tests.model.words import Rules, World

RESTARTS = World(attempts=1)  # of both sides, twice, and a coordinator that does not give up
RETRIES = World(epochs=1)
PURE_RESTARTS = World(once=False, attempts=1)
PURE_RETRIES = World(once=False, epochs=1, crashes=0)
BOTH = World(crashes=0)

WHOLE = {RETRIES: 9_420, PURE_RESTARTS: 17_075}
PART = {RESTARTS: 10_000, BOTH: 10_000, PURE_RETRIES: 10_000}
assert sum([*WHOLE.values(), *PART.values()]) > 50_000

UNTIMED = [name for name in PROPERTIES if name != "leases"]


@pytest.mark.parametrize("world", WHOLE)
def test_every_property_holds_in_every_state_and_every_task_can_end(world):
    explored = explore(world)
    assert explored.trace == ()
    assert explored.whole
    assert len(explored.came) == WHOLE[world]
    assert stuck(world, explored.came) == []


@pytest.mark.parametrize("world", PART)
def test_every_property_holds_in_the_nearest_states_of_larger_worlds(world):
    explored = explore(world, most=PART[world])
    assert explored.trace == ()
    assert len(explored.came) >= PART[world]
    assert stuck(world, explored.came) == []


@pytest.mark.parametrize("world", [RETRIES, PURE_RETRIES])
def test_fencing_holds_where_clocks_break_the_order_of_leases(world):
    untimed = world._replace(rules=Rules(leases_in_order=False))
    assert explore(untimed, most=6_000, properties=UNTIMED).trace == ()


BREAKS = {
    "epochs": (RESTARTS, "I9"),
    "ack_epochs": (BOTH, "acknowledged"),
    "repeats": (RESTARTS, "I12"),
    "row_first": (RESTARTS, "I13"),
    "result_first": (RESTARTS, "I13"),
    "tombstones": (RETRIES, "I5"),
    "floors": (RESTARTS, "I13"),
    "floor_epochs": (RESTARTS, "I13"),
    "new_life": (RESTARTS, "I13"),
    "offers_name_life": (RESTARTS, "I12"),
    "reports_name_life": (RETRIES, "I13"),
    "lives_end": (RESTARTS, "I12"),
    "beats_prove_nothing": (RESTARTS, "I12"),
    "durable_first": (RESTARTS, "acknowledged"),
    "one_journal": (RESTARTS, "acknowledged"),
    "once_is_lost": (RETRIES, "I13"),
    "one_live": (PURE_RETRIES, "I4"),
    "asks_by_time": (RESTARTS, "I5"),
    "leases_in_order": (PURE_RETRIES, "leases"),
}
"""What breaks first without a rule, and where that is seen soonest."""


@pytest.mark.parametrize("rule", BREAKS)
def test_without_a_rule_a_property_breaks(rule):
    world, name = BREAKS[rule]
    explored = explore(world._replace(rules=Rules(**{rule: False})))
    assert explored.broken == name, "\n".join(explored.trace)


def test_without_hellos_a_task_whose_result_was_lost_never_ends():
    world = RETRIES._replace(rules=Rules(hellos=False))
    assert stuck(world, explore(world).came)


def test_every_rule_is_broken_once():
    assert {*BREAKS, "hellos"} == set(Rules._fields)


def test_a_violation_is_told_by_the_shortest_way_there():
    told = explore(RESTARTS._replace(rules=Rules(row_first=False))).trace
    assert told == (
        "deliver Order(kind=offer, attempt=0, device=0, epoch=1, life=1)",
        "crash 0",
        "deliver Order(kind=offer, attempt=0, device=0, epoch=1, life=1)",
    )
