import pytest

from orchestrator.core.scheduling.policies import Policy
from tests.orchestrator.core.scheduling.shelf.single import (
    instance,
    least_tardiness,
    order_of,
    tardiness,
)


def never(seed, count):
    """Jobs that are all late from the start on, whatever comes first."""
    return [(p + 2, p) for p, _ in instance(seed, count, tight=True)]


@pytest.mark.parametrize("seed", range(6))
def test_where_all_due_dates_can_be_met_they_are(seed):
    jobs = [(p, d + 45) for p, d in instance(seed, 6, tight=False)]
    assert least_tardiness(jobs) == 0
    assert tardiness(jobs, order_of(Policy.MDD, jobs)) == 0


@pytest.mark.parametrize("seed", range(6))
def test_where_none_can_be_met_the_total_is_that_of_the_exact_dp(seed):
    jobs = never(seed, 8)
    assert tardiness(jobs, order_of(Policy.MDD, jobs)) == least_tardiness(jobs) > 0


@pytest.mark.parametrize("seed", range(12))
def test_no_exchange_of_neighbours_makes_the_total_less(seed):
    jobs = instance(seed, 8, tight=True)
    order = order_of(Policy.MDD, jobs)
    total = tardiness(jobs, order)
    for n in range(len(order) - 1):
        other = [*order[:n], order[n + 1], order[n], *order[n + 2 :]]
        assert total <= tardiness(jobs, other)


def test_the_total_is_close_to_the_exact_dp_and_less_than_that_of_due_dates():
    """Over 12 tight instances, in sum."""
    tight = [instance(seed, 8, tight=True) for seed in range(12)]
    least = sum(map(least_tardiness, tight))
    mdd = sum(tardiness(jobs, order_of(Policy.MDD, jobs)) for jobs in tight)
    edd = sum(tardiness(jobs, order_of(Policy.EDD, jobs)) for jobs in tight)
    assert least <= mdd <= 1.05 * least
    assert mdd < 0.9 * edd
