"""How long things take: skills on devices, what is left of a running attempt, and transfers.

A skill's reference is what a task declares or, where it declares nothing, a running mean of what
devices of speed 1 would have needed. What is learned by device is the ratio of what was measured
to what was expected: so tasks of one skill may differ in size. A ratio with few measurements is
shrunk to 1. Means are window-free; their weight is bounded, so that they follow drift.
Durations are in seconds.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import erfc, inf, log, sqrt
from typing import Final

from protocol.types import DeviceId, Json

PRIOR_S = 1.0  # nothing is known at all: only ratios between devices matter then
PRIOR_WEIGHT = 8.0  # that a device is as fast as it says counts like so many observations
SEEN = 4.0  # observations of a skill from which on its mean says something
MEMORY = 128.0  # observations that a mean remembers; 128 follows drift and still calms noise
SPREAD: Final = 0.35  # of the logarithm of durations: between calm (0.3) and rough (0.5) machines
PRIOR_BYTES: Final = 8e6  # that a link is as fast as declared counts like a transfer of so much
FADE: Final = 0.9  # a link's last ten transfers count most: networks change
PAIRS: Final = 65_536  # of devices, that transfers were seen between
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


@dataclass(slots=True)
class Measured:
    """Transfers, of which the older count less."""

    size_bytes: float = 0.0
    seconds: float = 0.0

    def add(self, size_bytes: float, seconds: float) -> None:
        """Take a transfer."""
        self.size_bytes = self.size_bytes * FADE + size_bytes
        self.seconds = self.seconds * FADE + seconds


class Links:
    """How long data takes from one device to another; nothing where nothing is known.

    A pair is as fast as was declared for it, or as the slower of its ends; what is measured then
    corrects that, the more the more bytes it is of.
    """

    __slots__ = ("_ends", "_pairs", "_seen")

    def __init__(self) -> None:
        self._pairs: dict[DeviceId, dict[DeviceId, float]] = {}
        self._ends: dict[DeviceId, float] = {}
        self._seen: dict[tuple[DeviceId, DeviceId], Measured] = {}

    def __bool__(self) -> bool:
        return bool(self._ends or self._pairs or self._seen)

    def attach(self, device: DeviceId, bytes_per_s: float | None) -> None:
        """Take what a device says of its own link, > 0, if it does."""
        if bytes_per_s is not None:
            self._ends[device] = bytes_per_s
        else:
            self._ends.pop(device, None)

    def declare(self, device: DeviceId, bytes_per_s: Mapping[DeviceId, float]) -> None:
        """Take what is known of a device's links to others, > 0: both directions."""
        self._pairs[device] = dict(bytes_per_s)

    def observe(
        self, source: DeviceId, target: DeviceId, size_bytes: float, seconds: float
    ) -> None:
        """Learn from a transfer; the pair that was seen first is forgotten for a new one."""
        known = self._seen.get((source, target))
        if known is None:
            if len(self._seen) >= PAIRS:
                del self._seen[next(iter(self._seen))]
            known = self._seen[source, target] = Measured()
        known.add(size_bytes, seconds)

    def forget(self, device: DeviceId) -> None:
        """Drop what is known of a device that is gone for good."""
        self._pairs.pop(device, None)
        self._ends.pop(device, None)
        for pair in [pair for pair in self._seen if device in pair]:
            del self._seen[pair]

    def per_byte(self, source: DeviceId, target: DeviceId) -> float:
        """Return the seconds that a byte takes; 0 on one device, and where nothing is known."""
        if source == target:
            return 0.0
        declared = self._declared(source, target)
        seen = self._seen.get((source, target)) if self._seen else None
        if seen is None:
            return declared
        prior_bytes = PRIOR_BYTES if declared else 0.0
        return (seen.seconds + prior_bytes * declared) / (seen.size_bytes + prior_bytes)

    def _declared(self, source: DeviceId, target: DeviceId) -> float:
        if self._pairs:
            known = self._pairs.get(source, {}).get(target)
            if known is None:
                known = self._pairs.get(target, {}).get(source)
            if known is not None:
                return 1.0 / known
        ends = self._ends
        slower = min(ends.get(source, inf), ends.get(target, inf))
        return 1.0 / slower if slower < inf else 0.0


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

    def tells(self, skill: str, declared: float | None) -> bool:
        """Tell whether estimates of a skill are more than a guess: declared, or seen often."""
        if declared is not None:
            return True
        overall = self._skill.get(skill)
        return overall is not None and overall.weight >= SEEN

    def pace(self, skill: str, device: DeviceId, *, speed: float) -> float:
        """Return the seconds on `device` for one second on a device of speed 1."""
        ratio = self._ratios.get((skill, device))
        if ratio is None:
            return 1.0 / speed
        known = ratio.value * ratio.weight + PRIOR_WEIGHT
        return known / (ratio.weight + PRIOR_WEIGHT) / speed

    @property
    def learned(self) -> int:
        """Return of how many skills anything was learned."""
        return len(self._skill)

    def usual(self, skill: str) -> float | None:
        """Return what a skill took so far on a device of speed 1, if that is known."""
        overall = self._skill.get(skill)
        return overall.value if overall is not None else None

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


def artifacts(output: Json) -> Iterator[tuple[float, Mapping[str, Json]]]:
    """Yield the references to artifacts in a result, with their sizes."""
    match output:
        case Mapping() as found:
            match found.get("$artifact"):
                case {"size_bytes": int() | float() as size}:
                    yield float(size), found
                case _:
                    for each in found.values():
                        yield from artifacts(each)
        case list() | tuple():
            for each in output:
                yield from artifacts(each)
        case _:
            return


def artifact_bytes(output: Json) -> float:
    """Return the size of the artifacts that a result refers to: only they stay on a device."""
    return sum(size for size, _ in artifacts(output))
