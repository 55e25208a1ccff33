"""How much what happened long ago still counts: half as much after every `HALF_LIFE_S`."""

from typing import Final

HALF_LIFE_S: Final = 30 * 86400.0  # a month: devices and their software change about as fast


def faded(amount: float, since: float, now: float) -> float:
    """Return what is left of an amount; times in seconds since the epoch."""
    return float(amount * 0.5 ** (max(0.0, now - since) / HALF_LIFE_S))
