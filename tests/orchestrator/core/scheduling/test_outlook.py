"""Schedules as arrays: their times, the list schedules, and the search."""

from itertools import permutations, product
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.scheduling.plan import Plan
from benchmarks.scheduling.policies import peft
from orchestrator.core.scheduling.listing import by_optimistic_cost, inserted, optimistic_costs
from orchestrator.core.scheduling.outlook import Schedule, by_start, dues, follow, soonest
from orchestrator.core.scheduling.portfolio import cost, portfolio
from orchestrator.core.scheduling.search import improve
from tests.benchmarks.scheduling.papers import exact
from tests.orchestrator.core.scheduling.outlooks import outlook, outlooks


def optimum(there):
    """The least end over all orders and devices."""
    best = inf
    for order in permutations(there.tasks):
        place = {task: n for n, task in enumerate(order)}
        if all(place[u] < place[v] for v in there.tasks for u, _ in there.predecessors[v]):
            for device in product(there.devices, repeat=len(there.cost)):
                best = min(best, follow(there, order, device).end)
    return best


def is_valid(there, found):
    """Precedence, transfers and slots, judged apart from the code that made the times."""
    begin = {v: found.finish[v] - there.cost[v][found.device[v]] for v in there.tasks}
    for task in there.tasks:
        for source, size in there.predecessors[task]:
            takes = size * there.per_byte[found.device[source]][found.device[task]]
            if begin[task] < found.finish[source] + takes - 1e-9:
                return False
    for device in there.devices:
        mine = [v for v in there.tasks if found.device[v] == device]
        for task in mine:
            beside = [v for v in mine if begin[v] <= begin[task] + 1e-9 < found.finish[v] - 1e-9]
            if len(beside) > len(there.free[device]):
                return False
    return found.end == pytest.approx(max(found.finish))


def test_data_sent_ahead_travels_while_the_device_works():
    """0 ends at 2; its 4 bytes are on device 1 at 6, where 1 works until 5."""
    there = outlook([(2, 9), (9, 5), (9, 3)], [(0, 2, 4)])
    assert follow(there, [0, 1, 2], [0, 1, 1]).finish == [2, 5, 9]


def test_data_fetched_with_the_offer_is_waited_for_in_the_slot():
    there = outlook([(2, 9), (9, 5), (9, 3)], [(0, 2, 4)], ahead=False)
    found = follow(there, [0, 1, 2], [0, 1, 1])
    assert found.finish == [2, 5, 12]
    assert dues(there, found).due == [0, 0, 5]


def test_who_takes_a_slot_first_comes_first_though_its_inputs_are_late():
    """1 takes the slot of device 1 at 1 and begins at 5; 2 takes it at 7, not at 4."""
    there = outlook([(1, 9), (9, 2), (9, 3)], [(0, 1, 4)], ahead=False)
    found = follow(there, [0, 1, 2], [0, 1, 1])
    assert found.finish == [1, 7, 10]
    assert by_start(there, found).order == [0, 1, 2]
    late = Schedule(7.0, [0, 2, 1], [0, 1, 1], [1.0, 7.0, 7.0])
    assert by_start(there, late).order == [0, 1, 2]


def test_a_device_does_as_many_at_once_as_it_has_slots():
    there = outlook([(4,), (4,), (4,)], slots=[2])
    assert follow(there, [0, 1, 2], [0, 0, 0]).finish == [4, 4, 8]
    assert soonest(there, [0, 1, 2]).end == inserted(there, [0, 1, 2]).end == 8


def test_what_has_started_holds_back_what_waits_for_it():
    there = outlook([(1, 1), (1, 1)], done=[3.0, 0.0])
    found = soonest(there, [0, 1])
    assert (found.finish, found.device) == ([4.0, 1.0], [0, 1])


def test_a_gap_that_is_long_enough_is_filled():
    """On device 0, 2 waits for the data of 0 until 3: 3 fits before it, 4 does not."""
    there = outlook([(9, 1), (3, 9), (2, 20), (2, 20)], [(0, 1, 2)])
    found = inserted(there, [0, 1, 2, 3])
    assert found.finish == [1, 6, 2, 8]
    assert follow(there, found.order, found.device).finish == found.finish


def test_what_is_left_after_a_task_counts_where_the_table_says_so():
    """Device 0 does the first sooner, device 1 the second much sooner, and data is slow."""
    there = outlook([(2, 3), (20, 1)], [(0, 1, 30)])
    assert optimistic_costs(there, [0, 1], 30.0) == [[20.0, 1.0], [0.0, 0.0]]
    assert soonest(there, [0, 1]).end == 22
    assert min(found.end for found in portfolio(there, [0, 1])) == 4


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.integers(1, 30), *[st.integers(1, 30) | st.just(inf)] * 2),
        min_size=1,
        max_size=8,
    ),
    linked=st.lists(st.integers(0, 30), min_size=28, max_size=28),
)
def test_by_optimistic_cost_tasks_are_placed_as_peft_has_it(rows, linked):
    pairs = [(u, v) for v in range(len(rows)) for u in range(v)]
    links = [(u, v, size) for (u, v), size in zip(pairs, linked, strict=False) if size > 15]
    there = outlook(rows, links)
    other = exact(rows, [(u + 1, v + 1, size) for u, v, size in links])
    table = optimistic_costs(there, other.order, 1.0)
    found = inserted(there, by_optimistic_cost(there, other.order, table), table)
    theirs = peft.schedule(Plan(other)).placed
    assert found.finish == pytest.approx([theirs[v].finish for v in there.tasks])


@pytest.mark.parametrize(("most", "plans"), [(17, 3), (18, 4), (143, 4), (144, 7)])
def test_what_costs_too_much_is_left_out(most, plans):
    """Two links on three devices: 18 looks ahead; three tasks: 144 in a list with the table."""
    there = outlook([(2, 3, 4), (20, 1, 4), (2, 2, 4)], [(0, 1, 30), (1, 2, 1)])
    assert len(list(portfolio(there, [0, 1, 2], most=most))) == plans
    assert cost(there, most) == {3: 0, 4: 36, 7: 324}[plans]


def test_a_search_finds_the_best_schedule_of_a_small_graph():
    there = outlook([(4, 6), (3, 3), (5, 2), (6, 7), (2, 4)], [(0, 3, 1), (1, 3, 2), (2, 4, 3)])
    first = follow(there, [0, 1, 2, 3, 4], [0, 0, 0, 0, 0])
    found = [improve(there, first, tasks=5000, seed=seed).end for seed in range(4)]
    assert min(found) == optimum(there) < first.end


def test_a_schedule_that_is_bound_to_end_too_late_is_given_up():
    there = outlook([(4, 6), (3, 3), (5, 2)], [(0, 1, 1), (1, 2, 1)])
    onward = [5.0, 2.0, 0.0]
    for limit, end in ((12.0, 12.0), (11.9, inf)):
        found = follow(there, [0, 1, 2], [0, 0, 0], onward=onward, limit=limit)
        assert found.end == end


def test_the_same_work_gives_the_same_plan():
    there = outlook([(4, 6), (3, 3), (5, 2), (6, 7)], [(0, 3, 1)])
    first = follow(there, [0, 1, 2, 3], [0, 0, 0, 0])
    assert improve(there, first, tasks=400) == improve(there, first, tasks=400)


def test_one_task_is_not_searched():
    there = outlook([(4, 6)])
    first = follow(there, [0], [1])
    assert improve(there, first, tasks=100) is first


def test_nothing_is_a_schedule_too():
    there = outlook([])
    assert soonest(there, []).end == 0.0


@settings(max_examples=150, deadline=None)
@given(there=outlooks())
def test_every_schedule_is_valid_and_searching_makes_none_longer(there):
    for found in (soonest(there, there.tasks), *portfolio(there, there.tasks)):
        assert is_valid(there, found)
        again = follow(there, by_start(there, found).order, found.device)
        assert is_valid(there, again)
        assert again.end <= found.end + 1e-9
        better = improve(there, again, tasks=200)
        assert is_valid(there, better)
        assert better.end <= again.end
