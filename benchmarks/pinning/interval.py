"""Means with 95 % intervals over seeds."""

from collections.abc import Sequence
from statistics import fmean, stdev
from typing import Final, NamedTuple

T95: Final = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26)  # Student's t, from 1 degree
NORMAL95: Final = 1.96


class Interval(NamedTuple):
    """A mean, and where it lies with 95 % confidence; one seed gives no interval."""

    mean: float
    low: float
    high: float


def interval(values: Sequence[float]) -> Interval:
    """Return the mean of independent values and its interval."""
    mean = fmean(values)
    free = len(values) - 1
    if not free:
        return Interval(mean, mean, mean)
    t95 = T95[free - 1] if free <= len(T95) else NORMAL95
    half = t95 * stdev(values) / len(values) ** 0.5
    return Interval(mean, mean - half, mean + half)
