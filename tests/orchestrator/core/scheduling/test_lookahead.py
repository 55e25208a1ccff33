"""HEFT with look-ahead: by hand, and beside the one that is compared with ours."""

from dataclasses import replace
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.scheduling.plan import Plan
from benchmarks.scheduling.policies import lookahead
from orchestrator.core.scheduling.listing import inserted, mean, per_byte, ranked
from orchestrator.core.scheduling.lookahead import looking_ahead
from tests.benchmarks.scheduling.papers import exact
from tests.orchestrator.core.scheduling.outlooks import outlook, outlooks
from tests.orchestrator.core.scheduling.test_outlook import is_valid

SLOW_LINK = [(2, 3), (20, 1)], [(0, 1, 30)]
"""HEFT has both on device 0, until 22; on device 1 they take 4."""


def by_rank(there):
    return ranked(there, there.tasks, [mean(row) for row in there.cost], per_byte(there))


def planned(there):
    return looking_ahead(there, by_rank(there))


@pytest.mark.parametrize("ahead", [True, False])
def test_a_task_goes_where_its_child_is_done_first_though_itself_is_done_later(ahead):
    there = outlook(*SLOW_LINK, ahead=ahead)
    assert inserted(there, by_rank(there)).end == 22
    found = planned(there)
    assert (found.end, found.device, found.finish) == (4, [1, 1], [3, 4])


@pytest.mark.parametrize("children", [[(1, 20), (inf, 1)], [(inf, 1), (1, 20)]])
def test_the_last_of_the_children_counts(children):
    """On device 0 the one child is done at 3 but the other at 41; on device 1 at 23 and 4."""
    there = outlook([(2, 3), *children], [(0, 1, 38), (0, 2, 38)])
    assert planned(there).device == [1, 1, 1]


def test_what_has_come_from_other_parents_counts():
    """The child waits until 20 for what 1 makes: so 0 may as well be done on the other device."""
    there = outlook([(1, 2, inf), (inf, inf, 20), (inf, 1, inf)], [(0, 2, 5), (1, 2, 0)])
    found = looking_ahead(there, [1, 0, 2])
    assert (found.device, found.finish) == ([0, 2, 1], [1, 20, 21])


@pytest.mark.parametrize(("slots", "device"), [(1, [1, 2, 2]), (2, [1, 0, 1])])
def test_what_a_device_is_to_do_so_far_counts(slots, device):
    """0 takes a slot of device 1 until 30; where there is another one, 2 is done there at 7."""
    cost = [(inf, 30, inf), (2, inf, 3), (inf, 1, 9)]
    there = outlook(cost, [(1, 2, 4)], slots=[1, slots, 1])
    assert looking_ahead(there, [0, 1, 2]).device == device


def test_what_comes_to_a_child_from_what_has_started_counts():
    """On device 1 that is there at 30: both are done sooner on device 0."""
    there = outlook(*SLOW_LINK)
    assert planned(replace(there, there=[[0.0, 0.0], [0.0, 30.0]])).device == [0, 0]


def test_what_has_started_on_a_device_counts():
    """Device 1 is busy until 30: what would be quick there is done sooner on device 0."""
    there = outlook([(2, 3), (20, 1)], [(0, 1, 30)])
    assert planned(there).device == [1, 1]
    assert planned(replace(there, free=[[0.0], [30.0]])).device == [0, 0]


def test_a_slot_that_is_free_counts_and_not_the_others():
    """One of device 0 is busy until 10, the other one is not."""
    there = outlook([(2, 2.5), (2, 3)], [(0, 1, 5)], slots=[2, 1])
    found = planned(replace(there, free=[[0.0, 10.0], [0.0]]))
    assert (found.device, found.end) == ([0, 0], 4)


def test_a_device_does_as_many_at_once_as_it_has_slots():
    assert sorted(planned(outlook([(4,)] * 3, slots=[2])).finish) == [4, 4, 8]


def test_a_gap_that_is_long_enough_is_filled():
    """On device 0, 1 waits for the data of 0 until 3: 2 fits before it, 3 does not."""
    there = outlook([(9, 1), (3, 9), (2, 20), (2, 20)], [(0, 1, 2)])
    assert looking_ahead(there, [0, 1, 2, 3]).finish == [1, 6, 2, 8]


def test_what_has_started_holds_back_what_waits_for_it():
    there = outlook([(1, 1), (1, 1)], [(0, 1, 0)], done=[3.0, 7.0])
    assert planned(there).finish == [4, 8]
    late = replace(there, there=[[9.0, 3.0], [7.0, 20.0]])
    assert (planned(late).device, planned(late).end) == ([1, 0], 8)


@settings(max_examples=150, deadline=None)
@given(there=outlooks())
def test_no_task_starts_before_its_inputs_are_there(there):
    assert is_valid(there, planned(there))


def agrees(cost, links):
    """Whether both do the same tasks on the same devices over the same time."""
    found = planned(outlook(cost, links))
    other = exact(cost, [(u + 1, v + 1, size) for u, v, size in links])
    theirs = lookahead.schedule(Plan(other)).placed
    return [(found.device[v], pytest.approx(found.finish[v])) for v in range(len(cost))] == [
        (theirs[v].device, theirs[v].finish) for v in range(len(cost))
    ]


@settings(max_examples=60, deadline=None)
@given(
    cost=st.lists(st.tuples(*[st.integers(1, 30)] * 3), min_size=2, max_size=7),
    sizes=st.lists(st.integers(0, 30), min_size=6, max_size=6),
)
def test_a_chain_is_planned_as_the_paper_has_it(cost, sizes):
    assert agrees(cost, [(n, n + 1, sizes[n]) for n in range(len(cost) - 1)])


@settings(max_examples=60, deadline=None)
@given(
    first=st.tuples(*[st.integers(1, 30)] * 3),
    own=st.tuples(*[st.integers(1, 30)] * 3),
    sizes=st.tuples(*[st.integers(0, 30)] * 3),
)
def test_so_is_a_fork_whose_children_do_not_get_in_each_other_s_way(first, own, sizes):
    """Each child has a device of its own, and takes longer than any way."""
    children = [tuple(own[n] + 100 if d == n else inf for d in range(3)) for n in range(3)]
    assert agrees([first, *children], [(0, n + 1, sizes[n]) for n in range(3)])
