import math

import pytest

from orchestrator.planner import PlanningError
from orchestrator.planner.llm.budget import RUNS, SHORTEST_ANSWER, Account, Accounts, Budget
from orchestrator.planner.llm.exchange import Usage

WANTED = Usage(1000, 4000)


def test_what_is_held_is_spent_until_it_is_settled():
    account = Account("r", Budget(tokens=10_000))
    held = account.hold(WANTED)
    assert (held, account.tokens) == (WANTED, 5000)
    account.settle(held, Usage(900, 100))
    assert account.tokens == 1000


def test_calls_side_by_side_do_not_overspend_together():
    account = Account("r", Budget(tokens=6000))
    account.hold(WANTED)
    with pytest.raises(PlanningError, match=r"run 'r' has used up the 6000 tokens .* run_tokens"):
        account.hold(WANTED)


def test_the_last_answer_is_as_long_as_what_is_left():
    account = Account("r", Budget(tokens=1000 + SHORTEST_ANSWER))
    assert account.hold(WANTED) == Usage(1000, SHORTEST_ANSWER)


@pytest.mark.parametrize(
    ("budget", "answer_tokens"),
    [
        (Budget(money=1.0, prompt_price=0.1, answer_price=0.2), 4000),
        (Budget(money=0.5, prompt_price=0.1, answer_price=0.2), 2000),
        (Budget(money=0.2, prompt_price=0.1), 4000),
        (Budget(answer_price=0.2), 4000),
    ],
)
def test_money_bounds_the_answer_too(budget, answer_tokens):
    account = Account("r", budget)
    held = account.hold(WANTED)
    assert held == Usage(1000, answer_tokens)
    assert account.money == pytest.approx(budget.cost(held))


@pytest.mark.parametrize(
    "budget",
    [
        Budget(money=0.05, prompt_price=0.1),
        Budget(money=0.12, prompt_price=0.1, answer_price=0.2),
    ],
)
def test_without_money_nothing_is_asked(budget):
    account = Account("r", budget)
    with pytest.raises(PlanningError, match=r"of money .* raise run_money"):
        account.hold(WANTED)
    assert (account.tokens, account.money) == (0, 0.0)


def test_without_time_nothing_is_asked():
    account = Account("r", Budget(seconds=5))
    account.seconds = 5.5
    assert account.seconds_left == 0.0
    with pytest.raises(PlanningError, match=r"used up the 5 s .* raise run_s"):
        account.hold(WANTED)


def test_an_answer_may_be_shorter_than_the_shortest_if_no_more_was_wanted():
    assert Account("r", Budget()).hold(Usage(10, 5)) == Usage(10, 5)


def test_each_run_has_an_account_and_the_latest_are_kept():
    accounts = Accounts(Budget(money=math.inf))
    first = accounts.of("r0")
    for n in range(RUNS):
        accounts.of("r0" if n == RUNS - 1 else f"r{n}")
    assert accounts.of("r0") is first
    for n in range(1, RUNS + 1):
        accounts.of(f"s{n}")
    assert accounts.of("r0") is not first
