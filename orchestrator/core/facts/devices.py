"""What happened to devices."""

from dataclasses import dataclass

from protocol.types import (
    DeviceCard,
    DeviceId,
    Incarnation,
    Load,
)


@dataclass(frozen=True, slots=True)
class DeviceJoined:
    """A device announced itself, for the first time or with another card."""

    card: DeviceCard


@dataclass(frozen=True, slots=True)
class DeviceOnline:
    """A device is there; a changed incarnation voids what the former one held."""

    device: DeviceId
    incarnation: Incarnation | None
    at: float


@dataclass(frozen=True, slots=True)
class DeviceLost:
    """A device fell silent or said it goes; its leases run out at `due`."""

    device: DeviceId
    reason: str
    due: float


@dataclass(frozen=True, slots=True)
class DeviceLeft:
    """Its owner unregistered the device."""

    device: DeviceId


@dataclass(frozen=True, slots=True)
class LoadSeen:
    """A heartbeat: alive, and this busy; lost if nothing more comes by `due`."""

    device: DeviceId
    load: Load
    at: float
    due: float


@dataclass(frozen=True, slots=True)
class TransferSeen:
    """A device fetched so many bytes from another, in so many seconds."""

    source: DeviceId
    device: DeviceId
    size_bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class DeadlineMoved:
    """Nothing happened by a deadline that was only a reminder: the next one is at `due`."""

    key: tuple[str, ...]
    due: float
