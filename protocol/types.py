"""Values that both sides share: identities, effect classes, outcomes and what a device offers.

Pure data without behaviour. Durations and sizes carry their unit in the name; on the wire only
durations travel, never points in time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, NewType, TypeAlias

from typing_extensions import TypeAliasType

RunId = NewType("RunId", str)
TaskId = NewType("TaskId", str)
AttemptId = NewType("AttemptId", str)
DeviceId = NewType("DeviceId", str)
Incarnation = NewType("Incarnation", str)

Json = TypeAliasType(
    "Json", "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
)
"""Anything JSON can say. Frozen values hold it unshared: nobody mutates it after hand-over."""


class Effect(StrEnum):
    """What running a task twice would do."""

    PURE = "pure"
    """Changes nothing outside; may be retried and hedged."""
    IDEMPOTENT = "idempotent"
    """Twice is the same as once; may be retried and hedged."""
    ONCE = "once"
    """Started at most once; a lost outcome becomes `Unknown`."""


class FailureKind(StrEnum):
    """Why an attempt failed, as data: recovery decides by this and never by message text."""

    TRANSIENT = "transient"
    DEVICE_LOST = "device_lost"
    BAD_INPUT = "bad_input"
    SKILL_ERROR = "skill_error"
    TIMEOUT = "timeout"
    BAD_OUTPUT = "bad_output"
    LEASE_LOST = "lease_lost"


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The attempt did its work."""

    output: Json = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The attempt did not do its work; `retry_after_s` is the device's hint, if it has one."""

    kind: FailureKind
    detail: str
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """The device would not take the attempt (busy, draining, policy): no penalty for the task."""

    reason: str


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The attempt stopped because it was told to."""

    detail: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A `once` attempt may or may not have taken effect."""

    detail: str


Outcome: TypeAlias = Succeeded | Failed | Rejected | Cancelled | Unknown


class PinScope(StrEnum):
    """Who may go on using a warm resource."""

    RUN = "run"
    """Released at the run's last use."""
    SHARED = "shared"
    """Evictable after its last known use."""


@dataclass(frozen=True, slots=True)
class ResourceNeed:
    """Something warm that a task uses: a model, a KV cache, a browser, a data set."""

    kind: str
    key: str
    amount: float
    """In the unit of the device's capacity for `kind`, usually bytes."""
    scope: PinScope = PinScope.RUN


class Resource(NamedTuple):
    """The name of a warm resource: one of scope `run` belongs to its run."""

    kind: str
    key: str
    run: RunId | None = None

    @property
    def scope(self) -> PinScope:
        """Who may go on using it."""
        return PinScope.SHARED if self.run is None else PinScope.RUN


@dataclass(frozen=True, slots=True)
class WarmResource:
    """Something that a device says it holds warm."""

    kind: str
    key: str
    amount: float
    """In the unit of the device's capacity for `kind`."""
    run: RunId | None = None
    """Whose it is; None: shared."""
    load_s: float | None = None
    """What loading took, where the attempt that reports it was what loaded it."""

    @property
    def name(self) -> Resource:
        """What it is called."""
        return Resource(self.kind, self.key, self.run)


@dataclass(frozen=True, slots=True)
class SkillInfo:
    """One skill as a device announces it. Schemas are JSON Schema 2020-12."""

    name: str
    description: str = ""
    input_schema: Mapping[str, Json] | None = None
    output_schema: Mapping[str, Json] | None = None
    effect: Effect = Effect.ONCE
    estimate_s: float | None = None


@dataclass(frozen=True, slots=True)
class DeviceCard:
    """What a device is and can do. `extension` is false for a plain A2A agent."""

    device: DeviceId
    name: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    skills: tuple[SkillInfo, ...] = ()
    slots: int = 1
    capacity: Mapping[str, float] = field(default_factory=dict)
    """Resource kind → how much of it may be warm at once."""
    speed: float = 1.0
    """Relative to a reference device, from 0.001 to 1,000; durations divide by it."""
    extension: bool = True
    bandwidth: float | None = None
    """Bytes per second of its link to other devices; None: its owner does not say."""
    prefetches: bool = False
    """Whether it takes hints what to fetch before an offer asks for it."""


@dataclass(frozen=True, slots=True)
class Load:
    """How busy a device says it is."""

    slots_used: int = 0
    used: Mapping[str, float] = field(default_factory=dict)
    warm: tuple[WarmResource, ...] = ()
    draining: bool = False
    battery: float | None = None
    """Share left, 0 to 1; None where there is no battery."""
