"""The failure ladder: what follows an attempt that did not succeed.

Pure rules over data. `Again` retries, elsewhere where `exclude` is set; `GiveUp` hands over to
the planner and then to the task's descendants.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from orchestrator.core.chance import unit
from orchestrator.core.tuning import Tuning
from protocol.types import Effect, Failed, FailureKind, Rejected


@dataclass(frozen=True, slots=True)
class Again:
    """Try again after `delay_s`, not on this device if `exclude`."""

    delay_s: float
    exclude: bool
    charged: bool
    barred: bool = False
    """The exclusion is for good: it does not yield when nobody else is there."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """No further try would help, or may be made."""

    reason: str
    note: str = ""
    """Why not, where the reason does not say it."""


Verdict: TypeAlias = Again | GiveUp
NOBODY_ELSE: Final = "no other device can do it"


@dataclass(frozen=True, slots=True)
class Case:
    """What the ladder looks at."""

    effect: Effect
    charged: int
    """Tries that counted so far, this one included."""
    rejections: int
    limit: int
    elsewhere: bool
    """Another known device could take the task."""
    at_once: bool
    """Such a device is there, and not lost or draining."""
    seed: int
    task: str


@dataclass(frozen=True, slots=True)
class _Rule:
    here: bool
    """The same device may be tried again when there is no other."""
    backoff: bool


RULES: Mapping[FailureKind, _Rule | None] = {
    FailureKind.TRANSIENT: _Rule(here=True, backoff=True),
    FailureKind.TIMEOUT: _Rule(here=True, backoff=True),
    FailureKind.DEVICE_LOST: _Rule(here=True, backoff=False),
    FailureKind.LEASE_LOST: _Rule(here=True, backoff=False),
    FailureKind.SKILL_ERROR: _Rule(here=False, backoff=False),
    FailureKind.BAD_OUTPUT: _Rule(here=False, backoff=False),
    FailureKind.BAD_INPUT: None,  # the same arguments are as wrong everywhere
}


def after_failure(failed: Failed, case: Case, tuning: Tuning) -> Verdict:
    """Say what follows a failed attempt; the failed device is excluded where there is another."""
    rule = RULES[failed.kind]
    if rule is None:
        return GiveUp(failed.detail)
    if case.effect is Effect.ONCE:
        return GiveUp(failed.detail, "its effect may happen only once: not tried again")
    if case.charged >= case.limit:
        return GiveUp(failed.detail)
    if not (case.elsewhere or rule.here):
        return GiveUp(failed.detail, NOBODY_ELSE)
    delay_s = backoff_s(case.seed, case.task, case.charged, tuning) if rule.backoff else 0.0
    # Do not wait for a lost device where the one that is there may do it the next time.
    exclude = case.elsewhere and (case.at_once or not rule.here)
    delay_s = max(delay_s, min(failed.retry_after_s or 0.0, tuning.retry_after_s))
    return Again(delay_s, exclude=exclude, charged=True, barred=exclude and not rule.here)


def after_rejection(rejected: Rejected, case: Case, tuning: Tuning) -> Verdict:
    """Say what follows a refusal: it is no fault of the task, but it is bounded."""
    if case.rejections >= tuning.rejections:
        return GiveUp(f"every device refused it, last: {rejected.reason}")
    delay_s = backoff_s(case.seed, case.task, case.rejections + 1, tuning)
    return Again(delay_s, exclude=False, charged=False)


def backoff_s(seed: int, task: str, n: int, tuning: Tuning) -> float:
    """Return the pause before another try, the `n`-th from 1: doubling, ± 20 %, bounded."""
    delay_s = min(tuning.backoff_s * 2.0 ** (n - 1), tuning.backoff_max_s)
    return delay_s * (0.8 + 0.4 * unit(seed, f"backoff/{task}", n))
