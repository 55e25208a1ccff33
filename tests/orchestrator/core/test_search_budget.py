"""What searches beside a run may cost, and what they begin with."""

from dataclasses import replace

import pytest

from orchestrator.core.scheduling import improvement
from orchestrator.core.scheduling.improvement import (
    LOOKS_TIMED,
    MOST_S,
    MOVES,
    SAVED_S,
    TIMED_PER_S,
    Problem,
    solve,
)
from orchestrator.core.scheduling.outlook import follow
from orchestrator.core.scheduling.portfolio import MOST, QUICK
from tests.orchestrator.core.scheduling.outlooks import outlook
from tests.orchestrator.core.test_improving import (
    SHARE,
    answer,
    handed_out,
    next_one,
    problems,
    under_way,
)
from tests.support.world import task


@pytest.mark.parametrize(("count", "annealed"), [(20, 17 * MOVES), (400, 800_000)])
def test_no_search_takes_longer_than_it_pays(count, annealed):
    problem = handed_out(count, scale=1000.0)[1]
    annealed = min(annealed, int(MOST_S * TIMED_PER_S) - problem.looks // LOOKS_TIMED)
    assert (problem.timed, problem.annealed) == (MOST_S * TIMED_PER_S, annealed)


def test_another_plan_of_the_same_time_is_not_paid_for_again():
    """An edit each second: all searches together stay within the share of plan and wait."""
    world, problem = under_way()
    end = world.engine.state.board.plan.end
    for number in range(10):
        answer(world, problem)
        world.edit(task(f"more-{number}", estimate_s=1.0))
        problem, _ = next_one(world)
        end = max(end, world.engine.state.board.plan.end)
    assert len(problems(world)) == 11
    spent = sum(each.timed for each in problems(world))
    assert spent <= SHARE * (end + SAVED_S) * TIMED_PER_S


def far_apart(timed):
    """A chain whose second task is quick on the other device only; links are slow."""
    there = outlook([(2, 3), (20, 1)], [(0, 1, 30)])
    return Problem(1, there, (0, 1), (0, 0), timed)


def end(problem):
    return follow(problem.outlook, *solve(problem)).end


def test_a_search_begins_with_the_lists_where_it_is_told_to():
    assert end(far_apart(1)) == 22
    assert end(replace(far_apart(1), looks=4)) == 4


def test_lists_and_annealing_are_paid_from_one_share():
    problem = replace(far_apart(100), looks=40 * LOOKS_TIMED)
    assert (problem.annealed, far_apart(100).annealed) == (60, 100)
    assert problem.takes_s == far_apart(100).takes_s == 100 / TIMED_PER_S


@pytest.mark.parametrize(
    ("quick", "most", "looks", "looked"),
    [
        (0, MOST, LOOKS_TIMED, True),
        (0, MOST, 1e-6, False),  # what they cost is more than there is
        (0, 1, LOOKS_TIMED, False),
        (QUICK, MOST, LOOKS_TIMED, False),
    ],
)
def test_the_first_search_of_a_plan_makes_the_lists_that_it_had_no_time_for(
    monkeypatch, quick, most, looks, looked
):
    monkeypatch.setattr(improvement, "QUICK", quick)
    monkeypatch.setattr(improvement, "MOST", most)
    monkeypatch.setattr(improvement, "LOOKS_TIMED", looks)
    world, problem = handed_out()
    assert (problem.looks > 0) is looked
    answer(world, problem)
    assert next_one(world)[0].looks == 0, "once"


def test_a_plan_that_is_better_than_what_the_lists_find_is_kept():
    """Looking ahead gives device 0 to the longer child, and ends at 11."""
    there = outlook([(2, 4), (4, 6), (6, 5)], [(0, 1, 3), (0, 2, 1)])
    assert end(Problem(1, there, (0, 1, 2), (0, 0, 1), 1, looks=8)) == 8
