"""Which history speaks for a gap, and what a reload costs.

A gap's key names what the graph waits for: the resource's kind, the skill of the slowest
unfinished predecessor and the class of the device that runs it. Where a key has too few samples,
its skill speaks, then its kind, then all gaps together.
"""

from collections import deque
from statistics import median
from typing import Final, NamedTuple

from orchestrator.core.retention.gaps import ENOUGH, Gaps
from protocol.types import DeviceId

KEYS_KEPT: Final = 256  # some 30 KB each; the one without a sample longest is forgotten
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
    """Gaps by key, and by every coarser one; at most `kept` keys."""

    __slots__ = ("_all", "_by_key", "_kept")

    def __init__(self, kept: int = KEYS_KEPT) -> None:
        self._kept = kept
        self._all = Gaps()
        self._by_key: dict[GapKey, Gaps] = {}  # in the order of their last samples

    def __len__(self) -> int:
        return len(self._by_key)

    def add(self, key: GapKey, gap_s: float, *, cut: bool = False) -> None:
        """Take a gap, in seconds; `cut`: it was longer than that."""
        for level in key.levels():
            gaps = self._by_key.pop(level, None) if any(level) else self._all
            if gaps is None:
                gaps = Gaps()
            gaps.add(gap_s, cut=cut)
            if any(level):
                self._by_key[level] = gaps
        while len(self._by_key) > self._kept:
            del self._by_key[next(iter(self._by_key))]

    def speaking(self, key: GapKey) -> tuple[GapKey, Gaps]:
        """Return the finest history with `ENOUGH` samples, and its key; else that of all gaps."""
        for level in key.levels():
            gaps = self._by_key.get(level)
            if gaps is not None and len(gaps) >= ENOUGH:
                return level, gaps
        return GapKey(), self._all


class LoadTimes:
    """What loading costs: the median of the last `LOADS_KEPT` loads of a kind on a device."""

    __slots__ = ("_loads",)

    def __init__(self) -> None:
        self._loads: dict[tuple[str, DeviceId], deque[float]] = {}

    def add(self, kind: str, device: DeviceId, load_s: float) -> None:
        """Take the duration of a load that succeeded."""
        loads = self._loads.setdefault((kind, device), deque(maxlen=LOADS_KEPT))
        loads.append(load_s)

    def reload_s(self, kind: str, device: DeviceId, declared_s: float = 0.0) -> float:
        """Return `R`, the seconds of a reload; `declared_s` as long as none was seen."""
        loads = self._loads.get((kind, device))
        return median(loads) if loads else declared_s

    def forget(self, device: DeviceId) -> None:
        """Drop what was learned of a device that left the fleet for good."""
        self._loads = {key: loads for key, loads in self._loads.items() if key[1] != device}
