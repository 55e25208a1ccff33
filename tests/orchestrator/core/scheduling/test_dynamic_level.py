"""Dynamic level scheduling: by hand, and beside the one that is compared with ours."""

from dataclasses import replace
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.scheduling.plan import Plan
from benchmarks.scheduling.policies import dls
from orchestrator.core.scheduling.dynamic_level import by_dynamic_level
from orchestrator.core.scheduling.outlook import follow
from tests.benchmarks.scheduling.papers import exact
from tests.orchestrator.core.scheduling.outlooks import outlook, outlooks
from tests.orchestrator.core.scheduling.test_outlook import is_valid


def planned(there):
    return by_dynamic_level(there, there.tasks)


def test_what_a_device_is_quick_at_goes_there_first():
    """Both are as urgent; device 0 takes 1 for the second where 5 is usual."""
    found = planned(outlook([(4, 4), (1, 9)]))
    assert (found.order, found.device, found.finish) == ([1, 0], [1, 0], [4, 1])


def test_of_equals_the_first_goes_to_the_first_device():
    found = planned(outlook([(2, 2), (2, 2), (2, 2)]))
    assert (found.order, found.device) == ([0, 1, 2], [0, 1, 0])


def test_inputs_that_are_still_to_come_count_only_as_long_as_the_device_waits_for_them():
    """1 waits for the data of 0 until 12 on device 1, and 2 keeps that busy until 20 anyway."""
    cost = [(2, inf), (inf, 3), (inf, 20)]
    found = planned(outlook(cost, [(0, 1, 10)]))
    assert (found.order, found.finish) == ([2, 0, 1], [2, 23, 20])


def test_what_has_started_counts():
    there = outlook([(2, 3), (2, 3)])
    assert planned(replace(there, free=[[9.0], [1.0]])).finish == [4, 7]
    assert planned(replace(there, there=[[9.0, 9.0], [0.0, 0.0]])).finish == [11, 2]


def test_a_device_does_as_many_at_once_as_it_has_slots():
    assert sorted(planned(outlook([(4,)] * 3, slots=[2])).finish) == [4, 4, 8]


@settings(max_examples=150, deadline=None)
@given(there=outlooks())
def test_no_task_starts_before_its_inputs_are_there(there):
    found = planned(there)
    assert is_valid(there, found)
    assert follow(there, found.order, found.device).finish == found.finish


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_it_is_planned_as_the_paper_has_it(data):
    count = data.draw(st.integers(1, 9))
    cost = [tuple(data.draw(st.integers(1, 30)) for _ in range(3)) for _ in range(count)]
    links = [
        (u, v, data.draw(st.integers(0, 30)))
        for v in range(count)
        for u in range(v)
        if data.draw(st.booleans())
    ]
    other = exact(cost, [(u + 1, v + 1, size) for u, v, size in links])
    found = by_dynamic_level(outlook(cost, links), other.order)
    theirs = dls.schedule(Plan(other)).placed
    assert [(found.device[v], found.finish[v]) for v in range(count)] == [
        (theirs[v].device, pytest.approx(theirs[v].finish)) for v in range(count)
    ]
