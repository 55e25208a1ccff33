"""How often a skill succeeds on a device, for the scoring of plans.

AOP (Li et al. 2024, arXiv 2410.02189, section 3.2) learns a reward model from what agents did;
here it is a count that fades (`aging`), and a Beta prior that says `HOPE` where nothing is known.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from pydantic import Field

from orchestrator.planner.memory.aging import faded
from orchestrator.planner.memory.experience import Try
from orchestrator.planner.playbook.format import Part
from protocol.types import DeviceId, FailureKind

HOPE: Final = 0.9  # the rate before anything is known: most attempts succeed
PRIOR_WEIGHT: Final = 4.0  # as many attempts as the prior counts for; as in `checks.scoring`
MOST_COUNTS: Final = 500  # pairs of skill and device; all are written after each run
_NO_FAULT: Final = frozenset({FailureKind.BAD_INPUT})  # the plan's, not the device's


class Count(Part):
    """Attempts of a skill on a device, as much as they counted at `wall`."""

    skill: str
    device: str
    good: float = Field(ge=0)
    all: float = Field(ge=0)
    wall: float


class Counts(Part):
    """The file."""

    counts: tuple[Count, ...] = ()


def counted(counts: Sequence[Count], tried: Iterable[Try], now: float) -> tuple[Count, ...]:
    """Return the counts with these tries; beyond the bound those go that count least."""
    known = {(each.skill, each.device): each for each in counts}
    for each in tried:
        if each.failure in _NO_FAULT:
            continue
        key = each.skill, each.device
        good, tries = _at(known.get(key), now)
        known[key] = Count(
            skill=each.skill,
            device=each.device,
            good=good + (each.failure is None),
            all=tries + 1,
            wall=now,
        )
    kept = sorted(known.values(), key=lambda c: -faded(c.all, c.wall, now))[:MOST_COUNTS]
    return tuple(sorted(kept, key=lambda count: (count.skill, count.device)))


def totals(
    counts: Iterable[Count], now: float
) -> Mapping[tuple[str, DeviceId], tuple[float, float]]:
    """Return what `checks.score` takes: successes and all attempts, as much as they count now."""
    return {(each.skill, DeviceId(each.device)): _at(each, now) for each in counts}


def success(counts: Iterable[Count], skill: str, device: str, now: float) -> tuple[float, float]:
    """Return the rate of success, 0 to 1, and by how many attempts it is known."""
    found = next((c for c in counts if (c.skill, c.device) == (skill, device)), None)
    good, tries = _at(found, now)
    return (good + HOPE * PRIOR_WEIGHT) / (tries + PRIOR_WEIGHT), tries


def _at(count: Count | None, now: float) -> tuple[float, float]:
    if count is None:
        return 0.0, 0.0
    return faded(count.good, count.wall, now), faded(count.all, count.wall, now)
