import math

import pytest

from orchestrator.planner.llm.budget import RUNS, Account, Accounts
from protocol.chat import Budget, SpentError, Usage


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        (
            Budget(tokens=6000),
            "has 6000 of 6000 tokens left for its planner, and one question needs about 7256",
        ),
        (
            Budget(money=0.0, prompt_price=0.1),
            "has used up the 0 of money that its planner may take: raise run_money",
        ),
        (Budget(seconds=0), "has used up the 0 s that its planner may take: raise run_s in"),
    ],
)
def test_what_is_spent_is_said_with_the_setting_that_bounds_it(budget, words):
    account = Account("r", budget)
    with pytest.raises(SpentError) as caught:
        account.hold(Usage(7000, 1000))
    assert words in str(account.spent(caught.value))
    assert f"raise run_{caught.value.bound.removesuffix('econds')} in [planner.llm]" in str(
        account.spent(caught.value)
    )


def test_what_is_left_of_the_tokens_is_said_when_a_later_question_needs_more():
    account = Account("r", Budget(tokens=6000))
    account.settle(account.hold(Usage(4000, 1000)), Usage(4000, 500))
    with pytest.raises(SpentError) as caught:
        account.hold(Usage(2000, 100))
    assert "has 1500 of 6000 tokens left" in str(account.spent(caught.value))
    assert "needs about 2100" in str(account.spent(caught.value))


def test_each_run_has_an_account_and_the_latest_are_kept():
    accounts = Accounts(Budget(money=math.inf))
    first = accounts.of("r0")
    for n in range(RUNS):
        accounts.of("r0" if n == RUNS - 1 else f"r{n}")
    assert accounts.of("r0") is first
    for n in range(1, RUNS + 1):
        accounts.of(f"s{n}")
    assert accounts.of("r0") is not first
