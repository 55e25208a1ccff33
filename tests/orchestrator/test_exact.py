"""CP-SAT after annealing: what it finds, what is not given to it, and where there is none."""

import subprocess
import sys
from itertools import permutations, product
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator import exact
from orchestrator.core.scheduling.improvement import TIMED_PER_S, Problem
from orchestrator.core.scheduling.improvement import solve as anneal
from orchestrator.core.scheduling.outlook import Outlook, follow, soonest
from orchestrator.improving import PROGRAM, Worker
from tests.orchestrator.core.scheduling.outlooks import outlook

THOROUGH = {**exact.WORKER, "random_seed": 0, "max_deterministic_time": 1.0}
TIMES = st.sampled_from([0.0, 1.0, 2.0, 5.0])
ORTOOLS = "ortools.sat.python.cp_model"


def least(there):
    """The least end over all orders and devices."""
    orders = [
        order
        for order in permutations(there.tasks)
        if all(
            order.index(before) < order.index(task)
            for task in there.tasks
            for before, _ in there.predecessors[task]
        )
    ]
    places = list(product(there.devices, repeat=len(there.cost)))
    return min(follow(there, order, device).end for order in orders for device in places)


@st.composite
def outlooks(draw):
    """Five tasks on two devices or four on three, in the midst of a run; not all can do all."""
    count, devices = draw(st.sampled_from([(5, 2), (4, 3), (3, 3), (2, 2), (1, 1)]))
    ahead = draw(st.booleans())
    cost = [
        [draw(st.sampled_from([1.0, 2.0, 5.0, inf])) for _ in range(devices)] for _ in range(count)
    ]
    for row in cost:
        row[0] = min(row[0], 9.0)  # somebody can
    before = [
        [(u, draw(st.sampled_from([0.0, 1.0, 4.0]))) for u in range(v) if draw(st.booleans())]
        for v in range(count)
    ]
    there, send = (
        [[draw(TIMES) if some else 0.0 for _ in range(devices)] for _ in range(count)]
        for some in (ahead, not ahead)
    )
    rates = [[0.0 if a == b else draw(TIMES) for b in range(devices)] for a in range(devices)]
    free = [sorted(draw(TIMES) for _ in range(draw(st.integers(1, 2)))) for _ in range(devices)]
    done = [draw(TIMES) for _ in range(count)]
    return Outlook(cost, before, there, done, send, rates, free, ahead)


def chains(count=24, devices=3, *, ahead=True):
    """Chains of three, all of them meant for the first device."""
    cost = [[float(3 + (n * 7 + d * 5) % 11) for d in range(devices)] for n in range(count)]
    return outlook(cost, [(n - 1, n, 2) for n in range(count) if n % 3], per_byte=0.5, ahead=ahead)


def problem(there, seconds, number=1):
    count = len(there.cost)
    return Problem(number, there, tuple(range(count)), (0,) * count, int(seconds * TIMED_PER_S))


def end(there, answer):
    return follow(there, answer.order, answer.device).end


@settings(max_examples=40, deadline=None)
@given(there=outlooks())
def test_of_small_problems_it_finds_the_best_schedule_that_there_is(there):
    known = follow(there, there.tasks, [0] * len(there.cost))
    found = exact.solve(there, known, THOROUGH)
    assert found.end == pytest.approx(least(there))
    assert found == follow(there, found.order, found.device)


def test_a_device_does_as_many_tasks_at_a_time_as_it_has_slots():
    """Two go to the faster device, which has two slots, and the third one to the other."""
    there = outlook([(2, 3)] * 3, slots=[2, 1])
    known = follow(there, there.tasks, [0] * 3)
    assert (known.end, exact.solve(there, known, THOROUGH).end) == (4.0, 3.0)


@pytest.mark.parametrize("ahead", [True, False])
def test_what_is_found_is_better_than_what_annealing_leaves(ahead):
    there = chains(ahead=ahead)
    asked = problem(there, exact.LEAST_S)
    assert end(there, exact.search(asked)) < 0.995 * end(there, anneal(asked))


@pytest.mark.parametrize("work", [0.0, 0.001, 0.02])
def test_it_is_never_worse_than_its_start_however_little_it_may_search(work):
    there = chains()
    known = soonest(there, there.tasks)
    parameters = {**exact.WORKER, "max_deterministic_time": work}
    assert exact.solve(there, known, parameters).end <= known.end


def test_what_is_not_better_is_not_another_schedule():
    there = outlook([(4, 6), (6, 4)])
    known = follow(there, [1, 0], [0, 1])
    assert exact.solve(there, known, THOROUGH) is known


@pytest.mark.parametrize("cost", [[(0.0, 0.0)], [(inf, inf)]])
def test_where_there_is_no_length_there_is_nothing_to_do(cost):
    there = outlook(cost)
    known = follow(there, [0], [0])
    assert exact.solve(there, known, THOROUGH) is known


def test_the_same_problem_has_the_same_answer():
    asked = problem(chains(60), exact.LEAST_S)
    assert exact.search(asked) == exact.search(asked)


def unsolved(monkeypatch):
    """Let nobody ask CP-SAT."""

    def solve(*_):
        raise AssertionError("asked")

    monkeypatch.setattr(exact, "solve", solve)


@pytest.mark.parametrize(
    ("there", "seconds"),
    [
        (chains(exact.TASKS + 1), exact.LEAST_S),
        (chains(90, 60), exact.LEAST_S),  # transfers between many devices
        (outlook([[1.0] * 300] * 90), exact.LEAST_S),  # any of many devices
        (chains(12), 0.99 * exact.LEAST_S),
    ],
)
def test_the_large_and_the_hasty_are_left_to_annealing(there, seconds, monkeypatch):
    unsolved(monkeypatch)
    asked = problem(there, seconds)
    assert exact.search(asked) == anneal(asked)


def test_the_largest_that_fits_is_not(monkeypatch):
    unsolved(monkeypatch)
    with pytest.raises(AssertionError, match="asked"):
        exact.search(problem(chains(exact.TASKS), exact.LEAST_S))


@pytest.mark.parametrize("missing", [ORTOOLS, "ortools"])
def test_without_ortools_annealing_has_all_of_the_time(missing, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "ortools"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)  # as good as not installed
    asked = problem(chains(12), exact.LEAST_S)
    assert not exact.available()
    assert exact.search(asked) == anneal(asked)


@pytest.mark.real_time
async def test_the_worker_process_asks_it_where_there_is_one():
    asked = problem(chains(), exact.LEAST_S)
    assert await answered((sys.executable, "-c", PROGRAM), asked) == exact.search(asked)
    without = f"import sys; sys.modules['ortools'] = None; {PROGRAM}"
    assert await answered((sys.executable, "-c", without), asked) == anneal(asked)
    assert exact.search(asked) != anneal(asked)


async def answered(command, asked):
    worker = Worker(command)
    try:
        return await worker.improve(asked)
    finally:
        worker.close()


def test_who_coordinates_does_not_load_it():
    check = "import sys, orchestrator.coordinator; sys.exit('ortools' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
