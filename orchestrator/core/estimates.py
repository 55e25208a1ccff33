"""How long a skill takes on a device: learned means, shrunk to what is known where little is.

A window-free running mean whose weight is bounded, so that it follows drift; a declared estimate
is the prior. All in seconds. Quantiles come with hedging.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from protocol.types import DeviceId

PRIOR_S = 1.0  # nothing is known at all: only ratios between devices matter then
PRIOR_WEIGHT = 4.0  # a declared estimate counts like so many observations
MEMORY = 128.0  # observations that a mean remembers; 128 follows drift and still calms noise


@dataclass(slots=True)
class Mean:
    """A running mean that forgets."""

    value: float = 0.0
    weight: float = 0.0

    def add(self, sample: float) -> None:
        """Take a sample."""
        self.weight = min(self.weight + 1.0, MEMORY)
        self.value += (sample - self.value) / self.weight


class Estimates:
    """Means by skill and by (skill, device), from the durations that devices measured."""

    __slots__ = ("_here", "_skill")

    def __init__(self) -> None:
        self._skill: dict[str, Mean] = {}
        self._here: dict[tuple[str, DeviceId], Mean] = {}

    def observe(self, skill: str, device: DeviceId, run_s: float, *, speed: float) -> None:
        """Learn from one finished attempt; `speed` is the device's."""
        here = self._here.get((skill, device))
        if here is None:
            here = self._here[skill, device] = Mean()
        here.add(run_s)
        overall = self._skill.get(skill)
        if overall is None:
            overall = self._skill[skill] = Mean()
        overall.add(run_s * speed)

    def forget(self, device: DeviceId) -> None:
        """Drop what was learned on a device that is gone for good."""
        for key in [key for key in self._here if key[1] == device]:
            del self._here[key]

    def seconds(
        self, skill: str, device: DeviceId, *, speed: float, declared: float | None
    ) -> float:
        """Return the expected duration of `skill` on `device`."""
        prior = self.reference(skill, declared) / speed
        here = self._here.get((skill, device))
        if here is None:
            return prior
        return (here.value * here.weight + prior * PRIOR_WEIGHT) / (here.weight + PRIOR_WEIGHT)

    def skills(self) -> Iterable[str]:
        """Return the skills that anything was learned of."""
        return self._skill

    def saved(self, skill: str) -> tuple[float, float, tuple[tuple[DeviceId, float, float], ...]]:
        """Return what was learned of a skill: mean and weight, overall and by device."""
        overall = self._skill[skill]
        here = tuple(
            (device, mean.value, mean.weight)
            for (name, device), mean in self._here.items()
            if name == skill
        )
        return overall.value, overall.weight, here

    def load(
        self, skill: str, overall: Mean, here: Iterable[tuple[DeviceId, float, float]]
    ) -> None:
        """Take back what `saved` returned."""
        self._skill[skill] = overall
        for device, value, weight in here:
            self._here[skill, device] = Mean(value, weight)

    def reference(self, skill: str, declared: float | None) -> float:
        """Return the expected duration of `skill` on a device of speed 1."""
        if declared is not None:
            return declared
        overall = self._skill.get(skill)
        return overall.value if overall is not None else PRIOR_S
