"""What a run may spend on its planner: seconds, tokens and money.

Tokens are held before a call, at their most, and settled after it, so that calls side by side
do not overspend together. What was held counts as spent until somebody knows better: a server
goes on when its client is gone. A restarted coordinator begins anew.
"""

import math
from collections import OrderedDict
from dataclasses import dataclass

from orchestrator.planner import PlanningError
from orchestrator.planner.llm.exchange import Usage
from protocol.types import RunId

SHORTEST_ANSWER = 256
"""Tokens; no plan fits in less."""
RUNS = 1024  # accounts kept; the one used longest ago is forgotten


@dataclass(frozen=True, slots=True)
class Budget:
    """Bounds for one run, and what tokens cost in whatever currency `money` is."""

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


class Account:
    """What one run has spent."""

    def __init__(self, run: RunId, budget: Budget) -> None:
        self.tokens = 0
        self.money = 0.0
        self.seconds = 0.0
        self.run = run
        self._budget = budget

    @property
    def seconds_left(self) -> float:
        """What remains of the time."""
        return max(0.0, self._budget.seconds - self.seconds)

    def hold(self, wanted: Usage) -> Usage:
        """Set tokens aside for a call, with a shorter answer where only that is left.

        Raises:
            PlanningError: not even a short answer can be paid for.
        """
        budget = self._budget
        if not self.seconds_left:
            raise self.overdue()
        by_tokens = budget.tokens - self.tokens - wanted.prompt_tokens
        if by_tokens < min(SHORTEST_ANSWER, wanted.answer_tokens):
            raise self._spent(f"{budget.tokens} tokens", "run_tokens")
        by_money = self._affordable(wanted)
        if by_money < min(SHORTEST_ANSWER, wanted.answer_tokens):
            raise self._spent(f"{budget.money:g} of money", "run_money")
        held = Usage(wanted.prompt_tokens, int(min(wanted.answer_tokens, by_tokens, by_money)))
        self._add(held, 1)
        return held

    def settle(self, held: Usage, used: Usage) -> None:
        """Count what a call took in place of what was held for it."""
        self._add(held, -1)
        self._add(used, 1)

    def overdue(self) -> PlanningError:
        """Return what to say when the time is over."""
        return self._spent(f"{self._budget.seconds:g} s", "run_s")

    def _add(self, usage: Usage, sign: int) -> None:
        self.tokens += sign * usage.tokens
        self.money += sign * self._budget.cost(usage)

    def _affordable(self, wanted: Usage) -> float:
        left = self._budget.money - self.money - self._budget.cost(Usage(wanted.prompt_tokens))
        if left < 0:
            return -1.0
        return left * 1000 / self._budget.answer_price if self._budget.answer_price else math.inf

    def _spent(self, what: str, name: str) -> PlanningError:
        return PlanningError(
            f"run {self.run!r} has used up the {what} that its planner may take: "
            f"raise {name} in [planner.llm], or submit a plan"
        )


class Accounts:
    """The accounts of the latest runs."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._accounts: OrderedDict[RunId, Account] = OrderedDict()

    def of(self, run: RunId) -> Account:
        """Return the account of a run, a new one where there is none."""
        account = self._accounts.setdefault(run, Account(run, self._budget))
        self._accounts.move_to_end(run)
        if len(self._accounts) > RUNS:
            self._accounts.popitem(last=False)
        return account
