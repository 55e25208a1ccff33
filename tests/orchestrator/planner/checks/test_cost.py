import pytest

from orchestrator.planner.checks import Goal, cost
from orchestrator.planner.checks.cost import check_ms

CHECKS = ["structure", "solvable", "complete", "redundant", "feasible", "advise", "all"]


def test_each_check_has_its_cost_and_the_whole_is_more_than_any_part():
    costs = check_ms(50)
    assert list(costs) == CHECKS
    assert min(costs.values()) > 0
    assert max(costs.values()) == costs["all"]


def test_the_cost_grows_with_the_tasks_and_not_with_their_square():
    assert check_ms(800)["all"] < 3 * 8 * check_ms(100)["all"]


def test_only_a_plan_that_is_right_is_measured(monkeypatch):
    monkeypatch.setattr(cost, "GOAL", Goal("read /no/such"))
    with pytest.raises(AssertionError, match="complete says the request says '/no/such'"):
        check_ms(20)
