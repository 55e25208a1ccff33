"""Annealing: which neighbours a schedule has, and which are taken."""

from math import inf

import pytest

from orchestrator.core.scheduling import search
from orchestrator.core.scheduling.outlook import follow
from orchestrator.core.scheduling.search import improve
from tests.orchestrator.core.scheduling.outlooks import outlook


def together():
    """0 is on device 1 alone, 3 on device 0; what passes between 1 and 2 keeps them together."""
    there = outlook(
        [(inf, 1), (4, 4), (4, 4), (1, inf)], [(0, 1, 3), (1, 2, 10), (1, 3, 0)], slots=[2, 2]
    )
    return there, follow(there, [0, 1, 2, 3], [1, 0, 0, 0])


def test_a_task_joins_a_neighbour_and_brings_the_others_that_can_come():
    there, first = together()
    found = improve(there, first, tasks=800)
    assert (first.end, found.end) == (12, 9)
    assert found.device == [1, 1, 1, 0]


@pytest.mark.parametrize("share", ["EVEN", "TIE"])
def test_one_task_at_a_time_does_not_get_there(share, monkeypatch):
    monkeypatch.setattr(search, share, 0.0)
    there, first = together()
    assert improve(there, first, tasks=8000).end == first.end


@pytest.mark.parametrize("seed", range(3))
def test_what_is_worse_at_first_is_taken_while_it_is_warm(seed, monkeypatch):
    """From 20 no single move leads on; the optimum is 18."""
    cost = [(8, 4), (3, 2), (8, 1), (2, 4), (6, 8), (8, 2)]
    links = [(0, 1, 5), (1, 2, 2), (1, 3, 4), (1, 4, 6), (2, 4, 0), (3, 4, 3), (1, 5, 3)]
    there = outlook(cost, [*links, (2, 5, 4), (3, 5, 1)])
    first = follow(there, there.tasks, [0] * 6)
    assert improve(there, first, tasks=12_000, seed=seed).end == 18
    monkeypatch.setattr(search, "WARMTH", 0.0)
    assert improve(there, first, tasks=12_000, seed=seed).end == 20


def test_where_the_order_is_all_there_is_it_is_found():
    """One device: the long tail of 1 has to begin first."""
    there = outlook([(4, inf), (1, inf), (inf, 9)], [(1, 2, 0)])
    first = follow(there, [0, 1, 2], [0, 0, 1])
    assert (first.end, improve(there, first, tasks=300).end) == (14, 10)


def test_no_plan_that_cannot_be_is_searched_from():
    there = outlook([(1, inf), (1, inf)])
    first = follow(there, [0, 1], [0, 1])
    assert improve(there, first, tasks=100) is first


@pytest.mark.parametrize("seed", range(3))
def test_the_same_work_gives_the_same_plan_and_more_of_it_no_worse_a_one(seed):
    cost = [(1 + n * 7 % 5, 1 + n * 3 % 7, 1 + n * 5 % 6) for n in range(30)]
    there = outlook(cost, [(n // 3, n, n % 4) for n in range(3, 30)])
    first = follow(there, there.tasks, [0] * 30)
    short, again, long = (improve(there, first, tasks=t, seed=seed) for t in (900, 900, 9000))
    assert short == again
    assert long.end <= short.end < first.end
