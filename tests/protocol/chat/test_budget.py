import pytest

from protocol.chat.budget import SHORTEST_ANSWER, Account, Budget, SpentError
from protocol.chat.exchange import Usage

WANTED = Usage(1000, 4000)


def test_what_is_held_is_spent_until_it_is_settled():
    account = Account(Budget(tokens=10_000))
    held = account.hold(WANTED)
    assert (held, account.tokens) == (WANTED, 5000)
    account.settle(held, Usage(900, 100))
    assert account.tokens == 1000


def test_calls_side_by_side_do_not_overspend_together():
    account = Account(Budget(tokens=6000))
    account.hold(WANTED)
    with pytest.raises(SpentError, match=r"^6000 tokens$"):
        account.hold(WANTED)


def test_the_last_answer_is_as_long_as_what_is_left():
    account = Account(Budget(tokens=1000 + SHORTEST_ANSWER))
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
    account = Account(budget)
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
    account = Account(budget)
    with pytest.raises(SpentError, match=r"of money$"):
        account.hold(WANTED)
    assert (account.tokens, account.money) == (0, 0.0)


def test_without_time_nothing_is_asked():
    account = Account(Budget(seconds=5))
    account.seconds = 5.5
    assert account.seconds_left == 0.0
    with pytest.raises(SpentError, match=r"^5 s$"):
        account.hold(WANTED)


def test_an_answer_may_be_shorter_than_the_shortest_if_no_more_was_wanted():
    assert Account(Budget()).hold(Usage(10, 5)) == Usage(10, 5)
