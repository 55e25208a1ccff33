"""What failed so far, in one line: how often, where, and why.

The engine keeps no history, but whoever reads that a task failed wants more than its last try. So
a task keeps the last distinct reasons, each cut: the line has less than 800 characters.
"""

from collections.abc import Sequence
from typing import Final

SHOWN: Final = 4
CHARACTERS: Final = 160  # of one reason, its device's name included


def noted(failures: Sequence[str], why: str) -> tuple[str, ...]:
    """Return the reasons known so far with one more, `device: what happened`, as the last one.

    One more than is shown is kept, since that tells that there were others.
    """
    one = " ".join(why.split())
    if len(one) > CHARACTERS:
        one = one[: CHARACTERS - 1] + "…"
    return (*[known for known in failures if known != one], one)[-SHOWN - 1 :]


def told(times: int, failures: Sequence[str]) -> str:
    """Return it as what a task did: `failed 3 times: on a: a hiccup; on b: a bug`."""
    reasons = "; ".join(f"on {why}" for why in failures[-SHOWN:])
    if times == 1:
        return f"failed {reasons}"
    last = ", last" if len(failures) > SHOWN else ""
    return f"failed {times} times{last}: {reasons}"
