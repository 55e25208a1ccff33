"""Retention: which warm resources are kept, and how long.

The port only; its first policy keeps nothing beyond the attempt that uses it, which is what a
device does that was granted no pin lease.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from orchestrator.core.state import State, Task
from protocol.types import DeviceId, PinScope


@dataclass(frozen=True, slots=True)
class Pin:
    """Keep a warm resource on a device: protected for so long, released after so long."""

    device: DeviceId
    kind: str
    key: str
    scope: PinScope
    protected_s: float
    release_s: float


class Retain(Protocol):
    """A pinning policy: called with the tasks whose place in the graph changed."""

    def __call__(self, state: State, changed: Iterable[Task], now: float) -> Sequence[Pin]:
        """Return the pins to grant or change at `now` (elapsed seconds)."""


def nothing(state: State, changed: Iterable[Task], now: float) -> Sequence[Pin]:  # noqa: ARG001
    """Keep nothing warm beyond its use."""
    return ()
