"""What is known of warm resources over all devices: their uses, places, gaps and loads.

Facts fold into it, next to each device's own `WarmSet`; only the histories, loads and open gaps
are saved, the rest follows from tasks and devices.
"""

from collections.abc import Iterable
from typing import NamedTuple, TypeVar

from orchestrator.core.retention.gaps import ENOUGH, Gaps
from orchestrator.core.retention.keys import GapHistories, GapKey, LoadTimes
from orchestrator.core.retention.uses import PendingUses
from protocol.types import DeviceId, Resource

SKILLS_KEPT = 64  # run times of so many skills a device, some 10 KB each; no more are begun

T = TypeVar("T")


class OpenGap(NamedTuple):
    """A resource lies idle and its next user is not ready."""

    since: float
    key: GapKey


class Warmth:
    """The indices behind retention. Everything is O(1) but for what is learned."""

    __slots__ = (
        "at",
        "durations",
        "gaps",
        "histories",
        "idle",
        "loads",
        "reuse",
        "touched",
        "uses",
    )

    def __init__(self) -> None:
        self.uses = PendingUses()
        self.at: dict[Resource, dict[DeviceId, None]] = {}
        """Where each is warm, loading or in use."""
        self.idle: dict[Resource, dict[DeviceId, None]] = {}
        """Where each is warm and nobody uses it: only there a lease can change."""
        self.gaps: dict[Resource, dict[DeviceId, OpenGap]] = {}
        """They last although the resource is given up early: the graph still shows their end."""
        self.histories = GapHistories()
        self.loads = LoadTimes()
        self.durations: dict[DeviceId, dict[str, Gaps]] = {}
        """Run times of the skills of runs that use warm resources."""
        self.reuse: dict[str, tuple[int, int]] = {}
        """Kind → revisions after which a resource was used again, and all of them."""
        self.touched: dict[Resource, None] = {}
        """What the step under way still has to look at; empty between steps."""

    def touch(self, resources: Iterable[Resource]) -> None:
        """Have the rule look at these again, where anything depends on them."""
        for name in resources:
            if name in self.at or name in self.gaps:
                self.touched[name] = None

    def here(self, name: Resource, device: DeviceId, *, idle: bool) -> None:
        """Note that a device has it, or loads it, and whether nobody uses it."""
        self.at.setdefault(name, {})[device] = None
        if idle:
            self.idle.setdefault(name, {})[device] = None
        else:
            _drop(self.idle, name, device)

    def gone(self, name: Resource, device: DeviceId) -> None:
        """Note that a device has it no longer."""
        _drop(self.at, name, device)
        _drop(self.idle, name, device)

    def open(self, name: Resource, device: DeviceId, gap: OpenGap) -> None:
        """Begin to measure a gap, or go on under another key."""
        self.gaps.setdefault(name, {})[device] = gap

    def close(self, name: Resource, device: DeviceId) -> None:
        """End a gap."""
        _drop(self.gaps, name, device)

    def ran(self, skill: str, device: DeviceId, run_s: float) -> None:
        """Take a duration."""
        here = self.durations.setdefault(device, {})
        if skill in here or len(here) < SKILLS_KEPT:
            here.setdefault(skill, Gaps()).add(run_s)

    def duration(self, skill: str, device: DeviceId) -> Gaps | None:
        """Return a history of run times that speaks."""
        known = self.durations.get(device, {}).get(skill)
        return known if known is not None and len(known) >= ENOUGH else None

    def revised(self, kind: str, *, reused: bool) -> None:
        """Take what a revision meant for a resource that nothing was to use."""
        again, all_of = self.reuse.get(kind, (0, 0))
        self.reuse[kind] = (again + reused, all_of + 1)

    def reuse_share(self, kind: str) -> float:
        """Return the chance that a revision uses a resource again (rule of succession)."""
        again, all_of = self.reuse.get(kind, (0, 0))
        return (again + 1) / (all_of + 2)

    def shift(self, by: float) -> None:
        """Move every time, for clocks that start anew."""
        for gaps in self.gaps.values():
            for device, gap in gaps.items():
                gaps[device] = gap._replace(since=gap.since + by)

    def forget(self, device: DeviceId) -> None:
        """Drop what is known of a device that left the fleet for good."""
        self.loads.forget(device)
        self.durations.pop(device, None)
        for name in [name for name, places in self.at.items() if device in places]:
            self.gone(name, device)
        for name in [name for name, gaps in self.gaps.items() if device in gaps]:
            self.close(name, device)


def _drop(index: dict[Resource, dict[DeviceId, T]], name: Resource, device: DeviceId) -> None:
    places = index.get(name)
    if places is not None:
        places.pop(device, None)
        if not places:
            del index[name]
