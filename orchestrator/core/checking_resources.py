"""What must hold of warm resources, checked in full. For tests: O(state)."""

from collections import Counter

from orchestrator.core.errors import InvariantError
from orchestrator.core.moves import PENDING
from orchestrator.core.state import Device, State
from protocol.types import Resource


def check_warmth(state: State) -> None:
    """Raise `InvariantError` where I3, I5, I8 or I14 does not hold of warm resources."""
    wanted: Counter[Resource] = Counter()
    for run in state.runs.values():
        for task in run.tasks.values():
            if task.state in PENDING:
                wanted.update(task.needs.keys())
    for name, count in wanted.items():
        if len(list(state.warmth.uses.of(name))) != count:
            raise InvariantError("I14", f"{name} has {count} uses to come, others are counted")
    for device in state.devices.values():
        _check_device(state, device, wanted)
    if state.warmth.touched:
        raise InvariantError("I8", "a step ended with warm resources still to be looked at")


def _check_device(state: State, device: Device, wanted: Counter[Resource]) -> None:
    where, warm = device.card.device, device.warm.warm
    used = Counter(name for attempt in device.attempts.values() for name in attempt.resources)
    for name in used:
        if name not in warm:
            raise InvariantError("I3", f"{name} on {where} is not held for its users")
    held: dict[str, float] = {}
    for name, each in warm.items():
        held[name.kind] = held.get(name.kind, 0.0) + each.amount
        if where not in state.warmth.at.get(name, ()):
            raise InvariantError("I14", f"nobody knows that {name} is on {where}")
        if each.users != used[name] or (each.idle_since is None) != bool(each.users):
            raise InvariantError("I3", f"{name} on {where} has {used[name]} users and no lease")
        if (where in state.warmth.idle.get(name, ())) is bool(each.users):
            raise InvariantError("I14", f"whether {name} on {where} is idle is not known")
        since = each.protected_until if each.idle_since is None else each.idle_since
        planned = name.run is not None and bool(state.runs[name.run].asks)
        if each.protected_until > since and not (wanted[name] or planned):
            raise InvariantError("I14", f"{name} on {where} is protected past its last use")
    for kind, amount in held.items():
        idle = any(name.kind == kind and not each.users for name, each in warm.items())
        if idle and amount > device.warm.capacity.get(kind, 0.0) * (1.0 + 1e-9):
            raise InvariantError("I5", f"{where} holds {amount:g} of {kind}")
