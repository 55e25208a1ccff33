"""What may be spent on a model: seconds, tokens and money.

Tokens are held before a call, at their most, and settled after it, so that calls side by side
do not overspend together. What was held counts as spent until somebody knows better: a server
goes on when its client is gone.
"""

import math
from dataclasses import dataclass
from typing import Final, Literal

from protocol.chat.exchange import Usage

SHORTEST_ANSWER: Final = 256
"""Tokens; nothing of use fits in less."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Bounds, and what tokens cost in whatever currency `money` is."""

    seconds: float = 600.0
    tokens: int = 200_000
    money: float = math.inf
    prompt_price: float = 0.0
    """For 1,000 tokens."""
    answer_price: float = 0.0
    """For 1,000 tokens."""

    def cost(self, usage: Usage) -> float:
        """Return the price of some tokens."""
        prompt, answer = usage.prompt_tokens, usage.answer_tokens
        return (prompt * self.prompt_price + answer * self.answer_price) / 1000


class SpentError(Exception):
    """Nothing is left: `str()` says of what, and `bound` is the field of the budget."""

    def __init__(self, what: str, bound: Literal["seconds", "tokens", "money"]) -> None:
        super().__init__(what)
        self.bound = bound


class Account:
    """What has been spent of a budget."""

    def __init__(self, budget: Budget) -> None:
        self.tokens = 0
        self.money = 0.0
        self.seconds = 0.0
        self.budget = budget

    @property
    def seconds_left(self) -> float:
        """What remains of the time."""
        return max(0.0, self.budget.seconds - self.seconds)

    def hold(self, wanted: Usage) -> Usage:
        """Set tokens aside for a call, with a shorter answer where only that is left.

        Raises:
            SpentError: not even a short answer can be paid for.
        """
        budget = self.budget
        if not self.seconds_left:
            raise self.overdue()
        by_tokens = budget.tokens - self.tokens - wanted.prompt_tokens
        if by_tokens < min(SHORTEST_ANSWER, wanted.answer_tokens):
            raise SpentError(f"{budget.tokens} tokens", "tokens")
        by_money = self._affordable(wanted)
        if by_money < min(SHORTEST_ANSWER, wanted.answer_tokens):
            raise SpentError(f"{budget.money:g} of money", "money")
        held = Usage(wanted.prompt_tokens, int(min(wanted.answer_tokens, by_tokens, by_money)))
        self.add(held)
        return held

    def settle(self, held: Usage, used: Usage) -> None:
        """Count what a call took in place of what was held for it."""
        self.add(held, -1)
        self.add(used)

    def add(self, usage: Usage, sign: int = 1) -> None:
        """Count some tokens."""
        self.tokens += sign * usage.tokens
        self.money += sign * self.budget.cost(usage)

    def overdue(self) -> SpentError:
        """Return what to raise when the time is over."""
        return SpentError(f"{self.budget.seconds:g} s", "seconds")

    def _affordable(self, wanted: Usage) -> float:
        budget = self.budget
        left = budget.money - self.money - budget.cost(Usage(wanted.prompt_tokens))
        if left < 0:
            return -1.0
        return left * 1000 / budget.answer_price if budget.answer_price else math.inf
