"""How long things take: skills on devices, what is left of a running attempt, and transfers.

A skill's reference is what a task declares or, where it declares nothing, a running mean of what
devices of speed 1 would have needed. What is learned by device is the ratio of what was measured
to what was expected: so tasks of one skill may differ in size. A ratio with few measurements is
shrunk to 1. Means are window-free; their weight is bounded, so that they follow drift.
Durations are in seconds.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import erfc, log, sqrt
from typing import Final

from protocol.types import DeviceId, Json

PRIOR_S = 1.0  # nothing is known at all: only ratios between devices matter then
PRIOR_WEIGHT = 8.0  # that a device is as fast as it says counts like so many observations
MEMORY = 128.0  # observations that a mean remembers; 128 follows drift and still calms noise
SPREAD: Final = 0.35  # of the logarithm of durations: between calm (0.3) and rough (0.5) machines
LATE: Final = 0.2  # what is beyond belief late takes so much of its age again


@dataclass(slots=True)
class Mean:
    """A running mean that forgets."""

    value: float = 0.0
    weight: float = 0.0

    def add(self, sample: float) -> None:
        """Take a sample."""
        self.weight = min(self.weight + 1.0, MEMORY)
        self.value += (sample - self.value) / self.weight


class Links:
    """How long data takes from one device to another; nothing where nothing is known."""

    __slots__ = ("_bytes_per_s",)

    def __init__(self) -> None:
        self._bytes_per_s: dict[DeviceId, dict[DeviceId, float]] = {}

    def declare(self, device: DeviceId, bytes_per_s: Mapping[DeviceId, float]) -> None:
        """Take what a device says of its links to others, > 0: both directions."""
        self._bytes_per_s[device] = dict(bytes_per_s)

    def forget(self, device: DeviceId) -> None:
        """Drop what a device said that is gone for good."""
        self._bytes_per_s.pop(device, None)

    def per_byte(self, source: DeviceId, target: DeviceId) -> float:
        """Return the seconds that a byte takes; 0 on one device, and where nothing is known."""
        if source == target or not self._bytes_per_s:
            return 0.0
        known = self._bytes_per_s.get(source, {}).get(target)
        if known is None:
            known = self._bytes_per_s.get(target, {}).get(source)
        return 1.0 / known if known is not None else 0.0


class Estimates:
    """Means by skill and by (skill, device), from the durations that devices measured."""

    __slots__ = ("_ratios", "_skill", "links")

    def __init__(self) -> None:
        self._skill: dict[str, Mean] = {}
        self._ratios: dict[tuple[str, DeviceId], Mean] = {}
        self.links = Links()

    def observe(
        self,
        skill: str,
        device: DeviceId,
        run_s: float,
        *,
        speed: float,
        declared: float | None = None,
    ) -> None:
        """Learn from one finished attempt; `speed` is the device's, `declared` its task's."""
        overall = self._skill.get(skill)
        if overall is None:
            overall = self._skill[skill] = Mean()
        overall.add(run_s * speed)
        expected = self.reference(skill, declared) / speed
        if expected > 0.0:
            ratio = self._ratios.get((skill, device))
            if ratio is None:
                ratio = self._ratios[skill, device] = Mean()
            ratio.add(run_s / expected)

    def forget(self, device: DeviceId) -> None:
        """Drop what was learned on a device that is gone for good."""
        for key in [key for key in self._ratios if key[1] == device]:
            del self._ratios[key]
        self.links.forget(device)

    def seconds(
        self, skill: str, device: DeviceId, *, speed: float, declared: float | None
    ) -> float:
        """Return the expected duration of `skill` on `device`."""
        return self.reference(skill, declared) * self.pace(skill, device, speed=speed)

    def pace(self, skill: str, device: DeviceId, *, speed: float) -> float:
        """Return the seconds on `device` for one second on a device of speed 1."""
        ratio = self._ratios.get((skill, device))
        if ratio is None:
            return 1.0 / speed
        known = ratio.value * ratio.weight + PRIOR_WEIGHT
        return known / (ratio.weight + PRIOR_WEIGHT) / speed

    def skills(self) -> Iterable[str]:
        """Return the skills that anything was learned of."""
        return self._skill

    def saved(self, skill: str) -> tuple[float, float, tuple[tuple[DeviceId, float, float], ...]]:
        """Return what was learned of a skill: mean and weight, and ratios by device."""
        overall = self._skill[skill]
        ratios = tuple(
            (device, mean.value, mean.weight)
            for (name, device), mean in self._ratios.items()
            if name == skill
        )
        return overall.value, overall.weight, ratios

    def load(
        self, skill: str, overall: Mean, ratios: Iterable[tuple[DeviceId, float, float]]
    ) -> None:
        """Take back what `saved` returned."""
        self._skill[skill] = overall
        for device, value, weight in ratios:
            self._ratios[skill, device] = Mean(value, weight)

    def reference(self, skill: str, declared: float | None) -> float:
        """Return the expected duration of `skill` on a device of speed 1."""
        if declared is not None:
            return declared
        overall = self._skill.get(skill)
        return overall.value if overall is not None else PRIOR_S


def remaining_s(estimate_s: float, elapsed_s: float) -> float:
    """Return the mean of what is left of an attempt that has run for so long.

    Its duration is taken as log-normal with mean `estimate_s` and deviation `SPREAD`: the mean of
    those that are longer than `elapsed_s`, less that. It falls more slowly than time passes.
    """
    if estimate_s <= 0.0 or elapsed_s <= 0.0:
        return max(0.0, estimate_s)
    z = (log(elapsed_s / estimate_s) + SPREAD * SPREAD / 2.0) / SPREAD
    longer = erfc(z / sqrt(2.0))
    if longer < 1e-6:  # noqa: PLR2004 - one in a million: the quotient is no longer exact
        return LATE * elapsed_s
    return estimate_s * erfc((z - SPREAD) / sqrt(2.0)) / longer - elapsed_s


def artifact_bytes(output: Json) -> float:
    """Return the size of the artifacts that a result refers to: only they stay on a device."""
    match output:
        case {"$artifact": {"size_bytes": int() | float() as size}}:
            return float(size)
        case Mapping():
            return sum(map(artifact_bytes, output.values()))
        case list() | tuple():
            return sum(map(artifact_bytes, output))
        case _:
            return 0.0
