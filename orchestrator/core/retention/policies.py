"""The rules for what to keep, by name: what settings choose from."""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from math import inf

from orchestrator.core.retention.keeping import BY_INDEX, ByLease, Keeping
from orchestrator.core.tuning import Tuning


class Pinning(StrEnum):
    """How warm resources are kept between two uses."""

    INDEX = "index"
    """While waiting pays at their age; under pressure the least worth goes first."""
    LEASE = "lease"
    """For a lease that does not change with age, then the least recently used goes first."""
    NONE = "none"
    """Not at all."""


KEEPING: Mapping[Pinning, Keeping] = {Pinning.INDEX: BY_INDEX, Pinning.LEASE: ByLease()}


def chosen(pinning: Pinning, tuning: Tuning) -> tuple[Keeping, Tuning]:
    """Return the rule, and the tuning under which it holds; `NONE` is a cap of 0.

    Raises:
        ValueError: there is no such rule, or the cap is no duration.
    """
    if pinning not in tuple(Pinning):
        raise ValueError(f"pinning is {', '.join(map(repr, map(str, Pinning)))}, not {pinning!r}")
    if not 0.0 <= tuning.pin_cap_s < inf:
        raise ValueError(f"pin_cap_s is a number of seconds from 0 on, not {tuning.pin_cap_s!r}")
    if pinning == Pinning.NONE:
        return BY_INDEX, replace(tuning, pin_cap_s=0.0)
    return KEEPING[pinning], tuning
