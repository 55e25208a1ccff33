"""Every fault that the validator is there for is planted in a good trace, and found."""

from dataclasses import replace
from math import inf

import pytest

from benchmarks.scheduling.model import (
    Device,
    Edge,
    Execution,
    Fleet,
    Instance,
    Task,
    makespan,
    problem,
)
from benchmarks.scheduling.validator import Rule, violations

# a → b and a → c; c takes a skill that only the second device has, and may not start before 3.
GRAPH = Instance(
    "planted",
    (Task(2.0), Task(4.0), Task(3.0, "see", release=3.0, due=9.0)),
    (Edge(0, 1, 1.0), Edge(0, 2, 2.0)),
)
FLEET = Fleet(
    (
        Device(skills=frozenset({"work"}), windows=((0.0, 8.0), (20.0, inf))),
        Device(slots=2),
    ),
    ((1.0, 1.0), (1.0, 1.0)),
)
THERE = problem(GRAPH, FLEET)
A, B, C = Execution(0, 0, 0.0, 2.0), Execution(1, 0, 2.0, 6.0), Execution(2, 1, 4.0, 7.0)
TRIED = Execution(1, 1, 3.0, 5.0, done=False)


def rules(*trace, **rest):
    return {each.rule for each in violations(THERE, trace, **rest)}


def moved(execution, start, device=None):
    where = execution.device if device is None else device
    finish = start + execution.finish - execution.start
    return replace(execution, start=start, finish=finish, device=where)


def test_a_good_trace_has_no_violation():
    assert rules(A, B, C) == set()
    assert makespan((A, B, C)) == 7


@pytest.mark.parametrize(
    ("rule", "trace"),
    [
        (Rule.UNKNOWN, (A, B, replace(C, device=2))),
        (Rule.UNKNOWN, (A, B, C, Execution(3, 1, 0.0, 1.0))),
        (Rule.UNKNOWN, (A, B, replace(C, start=8.0))),
        (Rule.UNKNOWN, (replace(A, start=-2.0, finish=0.0), B, C)),
        (Rule.ONCE, (A, B)),
        (Rule.ONCE, (A, B, replace(C, done=False))),
        (Rule.ONCE, (A, B, moved(B, 9.0, 1), C)),
        (Rule.COPIES, (A, B, C, TRIED)),
        (Rule.SKILL, (A, moved(B, 3.0, 1), moved(C, 4.0, 0))),
        (Rule.WINDOW, (A, moved(B, 5.0), C)),
        (Rule.WINDOW, (A, moved(B, 19.0), C)),
        (Rule.WINDOW, (moved(A, 0.0, 1), moved(B, 3.0), moved(C, 2.0))),
        (Rule.WINDOW, (A, B, moved(C, 6.5))),
        (Rule.DURATION, (A, replace(B, finish=5.0), C)),
        (Rule.DURATION, (A, replace(B, finish=7.0), C)),
        (Rule.CAPACITY, (A, B, C, Execution(2, 0, 5.0, 5.5, done=False))),
        (Rule.CAPACITY, (A, moved(B, 1.0), C)),
        (Rule.PRECEDENCE, (A, moved(B, 1.0), C)),
        (Rule.PRECEDENCE, (A, moved(B, 1.0, 1), C)),
        (Rule.TRANSFER, (A, B, moved(C, 3.5))),
        (Rule.TRANSFER, (A, moved(B, 2.5, 1), C)),
    ],
)
def test_a_planted_fault_is_found(rule, trace):
    assert rule in rules(*trace)


def test_a_fault_is_found_alone_where_only_one_is_there():
    assert rules(A, B, moved(C, 3.5)) == {Rule.TRANSFER}
    assert rules(A, moved(B, 5.0), C) == {Rule.WINDOW}
    assert rules(A, replace(B, finish=5.0), C) == {Rule.DURATION}
    assert rules(A, B) == {Rule.ONCE}
    assert rules(A, B, C, TRIED) == {Rule.COPIES}
    assert rules(A, moved(B, 1.0, 1), C) == {Rule.PRECEDENCE}


def test_an_execution_without_a_copy_allowed_may_follow_a_lost_one():
    lost = Execution(1, 0, 2.0, 3.0, done=False)
    assert rules(A, lost, moved(B, 3.0), C) == set()


def test_a_hedge_is_no_fault_where_it_is_allowed():
    assert rules(A, B, C, TRIED, hedges=1) == set()


def test_a_device_takes_as_many_at_a_time_as_it_has_slots():
    assert rules(A, moved(B, 3.0, 1), C) == set()
    three = Execution(0, 1, 4.0, 5.0, done=False)
    assert rules(A, moved(B, 3.0, 1), C, three) == {Rule.CAPACITY}


def test_durations_are_those_that_came():
    slow = (A, replace(B, finish=7.0), C)
    twice = violations(THERE, slow, duration=lambda e: 5.0 if e.task == 1 else e.finish - e.start)
    assert twice == []


def test_a_violation_says_where():
    (found,) = violations(THERE, (A, B, moved(C, 3.5)))
    assert found.task == 2
    assert "0's data" in found.detail
