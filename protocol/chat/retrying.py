"""When to ask a server again: pure rules."""

from email.utils import parsedate_to_datetime

from protocol.chat.exchange import ModelError, TryAgainError

FIRST_S = 1.0
LAST_S = 20.0


def retry_after_s(value: str, date: str) -> float | None:
    """Read a ``Retry-After`` header in either form (RFC 9110, section 10.2.3).

    Args:
        value: the header: seconds, or a point in time.
        date: the answer's ``Date`` header. A point in time counts from there, so that no clock
            of ours needs to agree with the server's.

    Returns:
        Seconds, ≥ 0; None where nothing sensible is said.
    """
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(
            0.0, (parsedate_to_datetime(value) - parsedate_to_datetime(date)).total_seconds()
        )
    except (TypeError, ValueError):  # no date, or only one of them has a time zone
        return None


def backoff_s(n: int, chance: float) -> float:
    """Return the pause before another try, the `n`-th from 1: doubling, ± 20 %, bounded.

    Args:
        n: the tries so far.
        chance: in [0, 1), from whatever the caller draws its chance.
    """
    return min(FIRST_S * 2.0 ** (n - 1), LAST_S) * (0.8 + 0.4 * chance)


def pause_s(
    error: ModelError, n: int, chance: float, *, tries: int, longest_s: float
) -> float | None:
    """Return how long to wait after the `n`-th try; None where there is no other one.

    Args:
        error: why there is no answer.
        n: the tries so far.
        chance: in [0, 1).
        tries: how many there may be.
        longest_s: what a server may ask for at most.
    """
    if not isinstance(error, TryAgainError) or n >= tries:
        return None
    wanted_s = max(backoff_s(n, chance), error.retry_after_s or 0.0)
    return wanted_s if wanted_s <= longest_s else None
