"""Which history speaks for a gap, and what a reload costs.

A gap's key names what the graph waits for: the resource's kind, the skill of the slowest
unfinished predecessor and the class of the device that runs it. Where a key has too few samples,
its skill speaks, then its kind, then all gaps together.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from statistics import median
from typing import Final, NamedTuple

from orchestrator.core.retention.gaps import ENOUGH, Gaps
from protocol.types import DeviceId

KEYS_KEPT: Final = 1024  # some 10 KB each; beyond, a new key is not begun: a coarser one speaks
LOADS_KEPT: Final = 16


class GapKey(NamedTuple):
    """What a gap is told apart by; an empty part is any."""

    kind: str = ""
    skill: str = ""
    device_class: str = ""

    def levels(self) -> tuple["GapKey", ...]:
        """Return the keys that a gap counts under, the finest first, without repetitions."""
        coarser = (self, GapKey(skill=self.skill), GapKey(kind=self.kind), GapKey())
        return tuple(dict.fromkeys(coarser))


class GapHistories:
    """Gaps by key, and by every coarser one; at most `kept` keys, the first ones."""

    __slots__ = ("_all", "_by_key", "_kept")

    def __init__(self, kept: int = KEYS_KEPT) -> None:
        self._kept = kept
        self._all = Gaps()
        self._by_key: dict[GapKey, Gaps] = {}

    def __len__(self) -> int:
        return len(self._by_key)

    def add(self, key: GapKey, gap_s: float, *, cut: bool = False) -> None:
        """Take a gap, in seconds; `cut`: it was longer than that."""
        for level in key.levels():
            gaps = self._by_key.get(level) if any(level) else self._all
            if gaps is None and len(self._by_key) < self._kept:
                gaps = self._by_key[level] = Gaps()
            if gaps is not None:
                gaps.add(gap_s, cut=cut)

    def known(self, key: GapKey) -> tuple[tuple[float, bool], ...] | None:
        """Return the gaps under exactly this key, the oldest first, with whether each was cut."""
        gaps = self._by_key.get(key) if any(key) else self._all
        return gaps.samples() if gaps is not None else None

    def load(self, key: GapKey, samples: Iterable[tuple[float, bool]]) -> None:
        """Take back what `known` returned."""
        gaps = self._by_key.setdefault(key, Gaps()) if any(key) else self._all
        for gap_s, cut in samples:
            gaps.add(gap_s, cut=cut)

    def __iter__(self) -> Iterator[GapKey]:
        """Yield every key, the one of all gaps first."""
        yield GapKey()
        yield from self._by_key

    def speaking(self, key: GapKey) -> tuple[GapKey, Gaps]:
        """Return the finest history with `ENOUGH` samples, and its key; else that of all gaps."""
        for level in key.levels():
            gaps = self._by_key.get(level)
            if gaps is not None and len(gaps) >= ENOUGH:
                return level, gaps
        return GapKey(), self._all


class Utility(NamedTuple):
    """What loading a kind on a device was good for, since the device is known.

    The pod utility ratio of *Serverless Cold Starts and Where to Find Them* (Joosen et al.,
    arXiv 2410.06145), with the time of work in place of the lifetime.
    """

    busy_s: float = 0.0
    """Attempts that succeeded ran so long with a resource of the kind."""
    load_s: float = 0.0
    """Loading took so long."""

    @property
    def ratio(self) -> float | None:
        """Seconds of work for each second of loading; None: nothing was loaded."""
        return self.busy_s / self.load_s if self.load_s > 0.0 else None


class LoadTimes:
    """What loading costs: the median of the last `LOADS_KEPT` loads of a kind on a device.

    And what it was good for, over all loads.
    """

    __slots__ = ("_anywhere", "_loads", "_medians", "_utility")

    def __init__(self) -> None:
        self._utility: dict[DeviceId, dict[str, Utility]] = {}
        self._loads: dict[tuple[str, DeviceId], deque[float]] = {}
        self._medians: dict[tuple[str, DeviceId], float] = {}
        self._anywhere: dict[str, float] = {}

    def add(self, kind: str, device: DeviceId, load_s: float) -> None:
        """Take the duration of a load that succeeded."""
        loads = self._loads.setdefault((kind, device), deque(maxlen=LOADS_KEPT))
        loads.append(load_s)
        self._anywhere[kind] = self._medians[kind, device] = median(loads)
        self._count(kind, device, load_s=load_s)

    def ran(self, kind: str, device: DeviceId, run_s: float) -> None:
        """Take the duration of an attempt that had a resource of the kind."""
        self._count(kind, device, busy_s=run_s)

    def utility(self, device: DeviceId) -> Mapping[str, Utility]:
        """Return by kind what loading it on a device was good for."""
        return self._utility.get(device, {})

    def resume(self, kind: str, device: DeviceId, utility: Utility) -> None:
        """Count on from what `utility` returned; call it after `add`."""
        self._utility.setdefault(device, {})[kind] = utility

    def reload_s(self, kind: str, device: DeviceId, declared_s: float = 0.0) -> float:
        """Return `R`, the seconds of a reload.

        As long as none was seen there, what it took on the device that loaded one last; else
        `declared_s`.
        """
        known = self._medians.get((kind, device))
        return self._anywhere.get(kind, declared_s) if known is None else known

    def of(self, device: DeviceId) -> tuple[tuple[str, tuple[float, ...]], ...]:
        """Return the loads seen on a device, by kind, each the oldest first."""
        return tuple((kind, tuple(s)) for (kind, on), s in self._loads.items() if on == device)

    def forget(self, device: DeviceId) -> None:
        """Drop what was learned of a device that left the fleet for good."""
        self._utility.pop(device, None)
        for key in [key for key in self._loads if key[1] == device]:
            del self._loads[key], self._medians[key]

    def _count(
        self, kind: str, device: DeviceId, *, busy_s: float = 0.0, load_s: float = 0.0
    ) -> None:
        known = self.utility(device).get(kind, Utility())
        self.resume(kind, device, Utility(known.busy_s + busy_s, known.load_s + load_s))
