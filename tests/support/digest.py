"""What two states of an engine are compared by: everything but what is volatile (I11, I12)."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache

from orchestrator.core import facts as f
from orchestrator.core.model import Dependency, TaskSpec
from orchestrator.core.retention.warmth import Warmth
from orchestrator.core.state import State

NOT_COMPARED = {"load", "seen_at", "ticket", "demand", "outgoing"} | {
    *("keeping", "charged", "outlook", "queued"),  # what is known of warm resources
}
UNCHANGING = {TaskSpec, Dependency, f.RunSubmitted}  # compared as they are


def plain(value: object) -> object:
    """Return a value as nested tuples that compare and print the same under any hash seed."""
    kind = type(value)
    if kind in UNCHANGING or (names := compared(kind)) is None:
        return value
    if names:
        return (kind.__name__, *[plain(getattr(value, name)) for name in names])
    if isinstance(value, Mapping):
        return tuple((plain(key), plain(item)) for key, item in value.items())
    if isinstance(value, frozenset):
        return tuple(sorted(map(str, value)))
    return tuple(map(plain, value))


@cache
def compared(kind: type) -> tuple[str, ...] | None:
    """Return the fields of a dataclass, nothing for a collection, and None for anything else."""
    if is_dataclass(kind):
        return tuple(each.name for each in fields(kind) if each.name not in NOT_COMPARED)
    return () if issubclass(kind, Mapping | frozenset | list | tuple) else None


def digest(state: State) -> tuple[object, ...]:
    """What a restart keeps: everything but loads, heartbeats and when reminders are due.

    (Reminders of devices and runs may come once more after a restart, and change nothing then.)
    """
    return (
        plain(state.runs),
        plain(state.keys),
        plain(state.devices),
        sorted(state.attempts),
        [t.demand is not None for run in state.runs.values() for t in run.tasks.values()],
        sorted(key for key in state.timers.pending() if key[0] in {"task", "ask", "hedge"}),
        (state.token, state.arrivals),
        warmth(state.warmth),
        {name: dict(state.warmth.loads.utility(name)) for name in state.devices},
    )


def warmth(warmth: Warmth) -> tuple[object, ...]:
    """What is known of warm resources, in an order that a restart does not change."""
    learned = [(key, warmth.histories.known(key)) for key in warmth.histories]
    ran = [
        (device, skill, gaps.samples())
        for device, skills in warmth.durations.items()
        for skill, gaps in skills.items()
    ]
    return (
        sorted(str((name, sorted(where))) for name, where in warmth.at.items()),
        sorted(str((name, sorted(gaps.items()))) for name, gaps in warmth.gaps.items()),
        sorted(str(each) for each in (*learned, *ran, *warmth.reuse.items())),
    )
