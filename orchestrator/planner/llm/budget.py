"""What runs may spend on their planner. A restarted coordinator begins anew."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from orchestrator.planner import PlanningError
from protocol import chat
from protocol.chat import Budget, SpentError, Usage
from protocol.chat.budget import SHORTEST_ANSWER
from protocol.types import RunId

RUNS = 1024  # accounts kept; the one used longest ago is forgotten
_SETTINGS: Final[Mapping[str, str]] = {
    "seconds": "run_s",
    "tokens": "run_tokens",
    "money": "run_money",
}


class Account(chat.Account):
    """What one run has spent."""

    def __init__(self, run: RunId, budget: Budget) -> None:
        super().__init__(budget)
        self.run = run
        self._waits = 0
        self._since = 0.0
        self._asked = 0

    @contextmanager
    def waiting(self, clock: Callable[[], float]) -> Iterator[None]:
        """Count the seconds of the block; those of blocks side by side count once."""
        self._count(clock())
        self._waits += 1
        try:
            yield
        finally:
            self._count(clock())
            self._waits -= 1

    def _count(self, now: float) -> None:
        if self._waits:
            self.seconds += now - self._since
        self._since = now

    def hold(self, wanted: Usage) -> Usage:
        """See `chat.Account.hold`; what was wanted is kept, to be named in `spent`."""
        self._asked = wanted.prompt_tokens + min(SHORTEST_ANSWER, wanted.answer_tokens)
        return super().hold(wanted)

    def spent(self, error: SpentError) -> PlanningError:
        """Return what to say when too little is left."""
        if error.bound == "tokens":
            bound = self.budget.tokens
            left = max(0, bound - self.tokens)
            return PlanningError(
                f"run {self.run!r} has {left} of {bound} tokens left for its planner, and one "
                f"question needs about {self._asked}: raise run_tokens in [planner.llm], or "
                "submit a plan"
            )
        return PlanningError(
            f"run {self.run!r} has used up the {error} that its planner may take: "
            f"raise {_SETTINGS[error.bound]} in [planner.llm], or submit a plan"
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
