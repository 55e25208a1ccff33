"""What must hold of every step in the world of `delivery`, by the numbers of the engine."""

from collections.abc import Callable, Iterable, Mapping

from tests.model.delivery import hear, obey
from tests.model.words import (
    LIVE,
    RUNS,
    Device,
    Held,
    Order,
    Phase,
    Stage,
    State,
    Task,
    View,
    World,
)


def i4(_w: World, _s: State, _label: tuple[object, ...], t: State) -> bool:
    """One attempt is live while the task is active, and none else."""
    live = sum(each.stage in LIVE for each in t.journal.attempts)
    return live == (t.journal.task is Task.ACTIVE)


def i5(_w: World, _s: State, _label: tuple[object, ...], t: State) -> bool:
    """A device is charged with all that runs on it: what is over for its coordinator is over."""
    return not any(
        each.stage is Stage.ENDED
        and each.life == t.devices[each.device].life
        and (hold := t.devices[each.device].holds[n]) is not None
        and hold.phase in RUNS
        for n, each in enumerate(t.journal.attempts)
    )


def leases(_w: World, _s: State, _label: tuple[object, ...], t: State) -> bool:
    """At most one attempt that was seen to start runs under a lease."""
    held = [
        n
        for n, each in enumerate(t.journal.attempts)
        if each.seen
        and (hold := t.devices[each.device].holds[n]) is not None
        and hold.phase is Phase.RUNNING
    ]
    return len(held) <= 1


def i9(_w: World, s: State, _label: tuple[object, ...], t: State) -> bool:
    """Tokens and epochs rise; within a life, a device starts nothing below what it has seen."""
    if t.journal.epoch < s.journal.epoch or len(t.journal.attempts) < len(s.journal.attempts):
        return False
    for was, now in zip(s.devices, t.devices, strict=True):
        if was is now or was.life != now.life:
            continue
        new = [h for h, g in zip(now.holds, was.holds, strict=True) if h and h != g and not g]
        if now.epoch < was.epoch or any(hold.epoch < was.epoch for hold in new):
            return False
    return True


def i12(w: World, s: State, label: tuple[object, ...], t: State) -> bool:
    """What is repeated or stale changes nothing."""
    if label[0] == "beat":
        _, role, device, life = label
        return life == _view(s, role).lives[device] or s == t
    if label[0] != "deliver":
        return True
    message = label[-1]
    if isinstance(message, Order):
        was, now = s.devices[message.device], t.devices[message.device]
        old = message.epoch < was.epoch and message.kind != "ack"  # it is as true as ever
        stale = old or message.life not in {0, was.life}
        again, sends = obey(w, now, message)
        started = any(isinstance(each, Order) for each in sends)
        return _written(again) == _written(now) and not started and (was == now or not stale)
    was, now = _view(s, label[1]), _view(t, label[1])
    if isinstance(message, Held) and message.life < was.lives[message.device]:
        return was == now
    return now is None or hear(w, now, message)[0] == now


def _written(device: Device) -> Device:
    """What is said is written first, also when it is said again: that alone may change."""
    holds = tuple(hold and hold._replace(recorded=True) for hold in device.holds)
    return device._replace(holds=holds)


def i13(_w: World, _s: State, _label: tuple[object, ...], t: State) -> bool:
    """A `once` skill starts at most once."""
    return t.starts <= 1


def acknowledged(_w: World, _s: State, _label: tuple[object, ...], t: State) -> bool:
    """No result is forgotten that the journal does not have."""
    return all(
        hold is None or hold.phase is not Phase.ACKED or _ended(t.journal, n)
        for device in t.devices
        for n, hold in enumerate(device.holds)
    )


def _ended(view: View, n: int) -> bool:
    return n < len(view.attempts) and view.attempts[n].stage is Stage.ENDED


def _view(s: State, role: object) -> View | None:
    return s.owner if role == "owner" else s.old


PROPERTIES: Mapping[str, Callable[[World, State, tuple[object, ...], State], bool]] = {
    "I13": i13,
    "I4": i4,
    "I5": i5,
    "leases": leases,
    "I9": i9,
    "I12": i12,
    "acknowledged": acknowledged,
}
STEPWISE = frozenset({"I9", "I12"})
"""Those that are about a step; the others are about where it leads."""


def broken(
    w: World, s: State, label: tuple[object, ...], t: State, names: Iterable[str]
) -> str | None:
    """Return the first of these properties that a step breaks."""
    return next((name for name in names if not PROPERTIES[name](w, s, label, t)), None)
