"""How late attempts are that are late, by skill: when to doubt one, and what it still needs.

Durations are counted in estimates: 2.0 took twice as long as was expected. Two things are learned.

* The 90 % quantile, followed by stochastic approximation (Robbins and Monro, A Stochastic
  Approximation Method, Annals of Mathematical Statistics 22, 1951) on its logarithm. Where the
  estimate itself is wrong it rises until few are beyond it, and nobody counts as late for that.
* The mean of what is left beyond twice the estimate: time seen there over ends seen there, the
  estimator for exponential lifetimes with censoring (Lawless, Statistical Models and Methods for
  Lifetime Data, 2nd ed. 2003, section 4.1). An attempt that was stopped is such a censored one:
  it adds time and no end, so it makes no mean smaller.
"""

from dataclasses import dataclass
from math import exp
from typing import Final

from orchestrator.core.estimates import LATE, remaining_s

DOUBT: Final = 2.0  # estimates: up to there a copy loses more often than it wins
QUANTILE: Final = 0.9
PACE: Final = 0.3  # of the quantile's logarithm: a tenth of its seen values moves it by 27 %
FIRST: Final = 0.4  # the logarithm of the quantile at first: that of `estimates.SPREAD`
PRIOR_ENDS: Final = 2.0  # what is believed at first counts like so many late ends
PRIOR_LEFT: Final = 3.0  # estimates that one who is late needs still; stragglers take 3 to 10
MEMORY: Final = 64.0  # late ends that count: then drift is followed


@dataclass(slots=True)
class Lateness:
    """What is known of one skill's late attempts."""

    quantile: float = FIRST
    """Logarithm of the 90 % quantile, in estimates."""
    beyond: float = 0.0
    """Estimates spent beyond `DOUBT`, by all that came there."""
    ends: float = 0.0
    """How many of them ended by themselves."""

    def ended(self, times: float) -> None:
        """Take an attempt that lasted so many estimates."""
        self._seen(late=times > exp(self.quantile))
        if times > DOUBT:
            self.beyond += times - DOUBT
            self.ends += 1.0
            if self.ends > MEMORY:
                self.beyond, self.ends = self.beyond / 2.0, self.ends / 2.0

    def stopped(self, times: float) -> None:
        """Take an attempt that was stopped at that age: it would have lasted longer."""
        if times > exp(self.quantile):  # earlier it says nothing
            self._seen(late=True)
        self.beyond += max(0.0, times - DOUBT)

    def _seen(self, *, late: bool) -> None:
        self.quantile += PACE * (late - (1.0 - QUANTILE))

    def doubt_s(self, estimate_s: float, margin_s: float) -> float:
        """Return the age at which an attempt may be doubted at the earliest.

        Before it, not even a copy that takes no time would save more than the margin.
        """
        age_s = max(DOUBT, exp(self.quantile)) * estimate_s
        if self._left * estimate_s > margin_s:
            return age_s
        return max(age_s, margin_s / LATE)

    def left_s(self, estimate_s: float, age_s: float) -> float:
        """Return the mean of what an attempt needs still that came to this age, past doubt."""
        return max(self._left * estimate_s, remaining_s(estimate_s, age_s))

    @property
    def _left(self) -> float:
        return (self.beyond + PRIOR_LEFT * PRIOR_ENDS) / (self.ends + PRIOR_ENDS)
