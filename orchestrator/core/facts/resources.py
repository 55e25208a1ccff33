"""What happened to warm resources. `run` is whose it is, None where it is shared."""

from dataclasses import dataclass
from enum import StrEnum

from protocol.types import DeviceId, Resource, RunId


class Cause(StrEnum):
    """Why the coordinator lets a resource go."""

    LAST_USE = "last use"
    """Nothing in the graph will use it again."""
    EVICTED = "evicted"
    """Something else that is wanted now needs its memory."""
    EXPIRED = "expired"
    """It lay idle up to the hard cap."""
    UNWANTED = "unwanted"
    """Its device announced it, and there is no use or no room for it."""


@dataclass(frozen=True, slots=True)
class PinGranted:
    """A resource that nobody uses is kept: protected, then evictable, then released.

    Times are elapsed seconds. The last four fields say why: what the next use waits for, what a
    reload costs, and the rate of return (1/s) by which it is given up.
    """

    device: DeviceId
    resource: Resource
    run: RunId | None
    token: int
    since: float
    protected_until: float
    release_at: float
    awaits: str
    """The skill of the slowest unfinished predecessor of the next use; empty: none."""
    device_class: str
    """That of the device that runs it; empty: not known yet."""
    reload_s: float
    index: float


@dataclass(frozen=True, slots=True)
class ResourceReleased:
    """The coordinator lets a resource go."""

    device: DeviceId
    resource: Resource
    run: RunId | None
    token: int
    cause: Cause


@dataclass(frozen=True, slots=True)
class ResourceEvicted:
    """The device gave a resource up by itself, or never had it."""

    device: DeviceId
    resource: Resource
    run: RunId | None
    reason: str


@dataclass(frozen=True, slots=True)
class ResourceLoaded:
    """The device loaded a resource, in `load_s`."""

    device: DeviceId
    resource: Resource
    run: RunId | None
    load_s: float


@dataclass(frozen=True, slots=True)
class ResourceAdopted:
    """The device announced a warm resource that was not known here."""

    device: DeviceId
    resource: Resource
    run: RunId | None
    amount: float
    at: float


@dataclass(frozen=True, slots=True)
class WarmSetVoided:
    """The incarnation that held them is gone: nothing is warm on the device."""

    device: DeviceId


@dataclass(frozen=True, slots=True)
class GapObserved:
    """The next user of a resource was ready after `gap_s`; `cut`: it never will be."""

    device: DeviceId
    resource: Resource
    run: RunId | None
    awaits: str
    device_class: str
    gap_s: float
    cut: bool


@dataclass(frozen=True, slots=True)
class RunTimeObserved:
    """A skill of a run that uses warm resources took `run_s`: gaps are composed of such."""

    device: DeviceId
    skill: str
    run_s: float


@dataclass(frozen=True, slots=True)
class ReuseObserved:
    """The planner revised a run, and its plan uses the resource again, or does not."""

    device: DeviceId
    resource: Resource
    run: RunId | None
    reused: bool
