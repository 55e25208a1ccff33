"""What failed before, and what then worked: a line each for the next plan.

MobileSteward (Liu et al. 2025, arXiv 2502.16796) has an "adjusted evaluation" reflect on a failed
execution and hand tips to the next try; Reflexion (Shinn et al. 2023) keeps them. Deviation: they
are made from the journal's facts and not by a model, so the same run leaves the same tips.
"""

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Final

from pydantic import Field

from orchestrator.planner.memory.aging import faded
from orchestrator.planner.memory.experience import Try, remedies
from orchestrator.planner.memory.outlines import clipped
from orchestrator.planner.memory.sampling import says
from orchestrator.planner.memory.secrets import redacted
from orchestrator.planner.memory.words import ALIKE, common
from orchestrator.planner.playbook.format import Part
from protocol.types import DeviceId, FailureKind

MOST_TIPS: Final = 200
OFFERED: Final = 5  # more are not read
_REASON: Final = 160  # characters
_REQUEST: Final = 200  # characters
_REMEDIES: Final = 4  # of a tip
_VARIES: Final = (
    re.compile(r"\b0x[0-9a-f]+\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE),
    re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b", re.IGNORECASE),
    re.compile(r"\d+(?:\.\d+)*"),
)


class Tip(Part):
    """One way in which a skill fails. `wall` is seconds since the epoch, of the last time."""

    skill: str
    kind: FailureKind
    reason: str
    device: str = Field(default="", description="Empty: several of the class, or any.")
    device_class: str = Field(default="", description="Empty: the device alone, or any.")
    times: int = Field(ge=1)
    remedies: Mapping[str, int] = Field(
        default_factory=dict, description="What then worked, and how often."
    )
    wall: float
    used: int = Field(default=0, ge=0)
    request: str = Field(default="", description="What was asked for, the last time.")

    @property
    def line(self) -> str:
        """The tip for people and models."""
        where = f" on {self.device}" if self.device else ""
        if not where and self.device_class:
            where = f" on devices of class {self.device_class}"
        times = f"{self.times} times" if self.times > 1 else "once"
        best = sorted(self.remedies.items(), key=lambda each: (-each[1], each[0]))[:1]
        then = f"{best[0][0]} ({best[0][1]} of {self.times})" if best else "nothing tried worked"
        failed = f"{self.skill} failed{where} {times}"
        return f"{failed} ({self.kind.replace('_', ' ')}: {self.reason}); {then}"


class Tips(Part):
    """The file."""

    tips: tuple[Tip, ...] = ()


def learned(
    tips: Sequence[Tip],
    tried: Iterable[Try],
    now: float,
    *,
    succeeded: bool,
    classes: Mapping[DeviceId, str],
    request: str = "",
) -> tuple[Tip, ...]:
    """Return the tips with those that a run leaves; beyond the bound the least worth one goes.

    Args:
        tips: those there are.
        tried: the tries of the run.
        now: when it ended.
        succeeded: what it came to.
        classes: of devices, where they have one; tips of one class that are alike become one.
        request: what the run was to do.
    """
    asked = clipped(redacted(" ".join(request.split())), _REQUEST)
    kept = list(tips)
    for failed, remedy in remedies(tried, succeeded=succeeded):
        new = _tip(failed, remedy, now, classes).model_copy(update={"request": asked})
        n = next((n for n, old in enumerate(kept) if _alike(old, new)), len(kept))
        kept[n:] = [_merged(kept[n], new) if n < len(kept) else new, *kept[n + 1 :]]
    kept.sort(key=lambda tip: -_worth(tip, now))
    return tuple(kept[:MOST_TIPS])


def matching(
    tips: Iterable[Tip], request: str, skills: Container[str], now: float
) -> tuple[Tip, ...]:
    """Return the few tips that matter, best first.

    They are about these skills, or about what the request names, or of a run that was to do much
    the same: where nothing worked there is no plan to know the skills from.
    """
    wanted = [
        tip
        for tip in tips
        if tip.skill in skills
        or says(request, tip.skill)
        or _named(tip, request)
        or common(request, tip.request) >= ALIKE
    ]
    wanted.sort(key=lambda tip: (not _named(tip, request), -_worth(tip, now), tip.line))
    return tuple(wanted[:OFFERED])


def normalised(reason: str) -> str:
    """Return a reason without what differs from time to time: numbers, ids, secrets."""
    reason = redacted(" ".join(reason.split()))
    for pattern in _VARIES:
        reason = pattern.sub("N", reason)
    return reason if len(reason) <= _REASON else f"{reason[: _REASON - 1]}…"


def _tip(failed: Try, remedy: str, now: float, classes: Mapping[DeviceId, str]) -> Tip:
    assert failed.failure is not None  # noqa: S101 - `remedies` yields failures
    anywhere = failed.failure is FailureKind.BAD_INPUT  # wrong on every device
    return Tip(
        skill=failed.skill,
        kind=failed.failure,
        reason=normalised(failed.reason),
        device="" if anywhere else failed.device,
        device_class="" if anywhere else classes.get(failed.device, ""),
        times=1,
        remedies={remedy: 1} if remedy else {},
        wall=now,
    )


def _alike(one: Tip, other: Tip) -> bool:
    same = (one.skill, one.kind, one.reason) == (other.skill, other.kind, other.reason)
    one_class = one.device_class != "" and one.device_class == other.device_class
    return same and (one.device == other.device or one_class)


def _merged(old: Tip, new: Tip) -> Tip:
    counts = {**old.remedies}
    for remedy, times in new.remedies.items():
        counts[remedy] = counts.get(remedy, 0) + times
    best = sorted(
        counts.items(), key=lambda each: (-each[1], each[0] not in new.remedies, each[0])
    )
    return old.model_copy(
        update={
            "device": old.device if old.device == new.device else "",
            "times": old.times + new.times,
            "remedies": dict(best[:_REMEDIES]),
            "wall": new.wall,
            "request": new.request,
        }
    )


def _worth(tip: Tip, now: float) -> float:
    return faded(tip.times + tip.used, tip.wall, now)


def _named(tip: Tip, request: str) -> bool:
    return tip.device != "" and says(request, tip.device)
