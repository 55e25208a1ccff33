"""Which warm resources are kept, and how long: the port between the graph and `retention`.

`retain` runs in every step in which something changed that a gap depends on: a use ended, a
predecessor of the next user started or ended, an edit, a device's word. Continuum (Li et al.,
arXiv 2511.02230) decides by the last tool call; here the graph says what the gap waits for.
"""

from collections.abc import Collection, Sequence
from math import inf
from typing import Final

from orchestrator.core import facts as f
from orchestrator.core.commands import GrantPins, Pin
from orchestrator.core.decisions.next_use import PLANNER, next_users, outlook, planned_by
from orchestrator.core.lifecycle import TaskState
from orchestrator.core.retention.keys import GapKey
from orchestrator.core.retention.warm_set import Admitted, Warm
from orchestrator.core.state import Attempt, Device, State, Task
from orchestrator.core.step import Step
from protocol.types import DeviceId, PinScope, Resource, WarmResource

MATTERS: Final = 0.1  # share of what is left by which a lease must change to be told
NAMED: Final = 256  # a device that says so many may hold more
LONGEST_LOAD_S: Final = 3600.0
SETTLING_S: Final = 5.0  # a device's word this old may not know of the use that has just ended


def retain(step: Step) -> None:
    """Look at every resource that something changed for: keep it, or let it go (I14)."""
    warmth = step.state.warmth
    touched, warmth.touched = warmth.touched, {}
    for name in touched:
        users = next_users(step.state, name)
        _end_gaps(step, name, users)
        for device in tuple(warmth.idle.get(name, ())):
            _consider(step, step.state.devices[device], name, users)


def review(step: Step) -> None:
    """Look at everything anew: outlooks are not saved."""
    warmth = step.state.warmth
    warmth.touch([*warmth.at, *warmth.gaps])
    for device in step.state.devices.values():
        if device.warm.warm:
            expire(step, device)


def make_room(step: Step, device: Device, task: Task) -> None:
    """Let go of what stands in the way of an attempt that is placed now (I5)."""
    plan = step.state.board.admission(device, task, step.at)
    assert isinstance(plan, Admitted)  # noqa: S101 - the policy asked the board
    for name in plan.evicted:
        _release(step, device, name, f.Cause.EVICTED)


def pins_of(step: Step, attempt: Attempt) -> tuple[Pin, ...]:
    """Return the leases of an offer: what holds after the use if nobody is there to say more."""
    run, device = step.state.runs[attempt.run], step.state.devices[attempt.device]
    cap_s, pins = step.tuning.pin_cap_s, []
    for name in attempt.resources:
        users = next_users(step.state, name)
        key, known = outlook(step.state, device, name, users, step.at)
        lease_s = 0.0 if known is None else step.state.keeping.protect_s(known, 0.0)
        if key is None and known is not None:
            lease_s = cap_s  # a consumer is queued
        amount = device.warm.warm[name].amount
        lease = min(lease_s, cap_s), cap_s
        pins.append(Pin(name, amount, run.id, run.epoch, attempt.token, *lease))
    return tuple(pins)


def settle_uses(
    step: Step, attempt: Attempt, warm: Collection[WarmResource], *, ran: bool
) -> None:
    """Compare what a device says it has of an attempt's needs with what it is charged with."""
    device = step.state.devices[attempt.device]
    said = {each.name: each for each in warm}
    for name in attempt.resources:
        known, seen = device.warm.warm[name], said.get(name)
        if seen is not None:
            if seen.load_s is not None:  # a device that lies must not spoil it for all others
                load_s = min(seen.load_s, LONGEST_LOAD_S)
                step.emit(f.ResourceLoaded(attempt.device, name, name.run, load_s))
        elif not known.users and (ran or known.loading):
            reason = "its device did not keep it"
            step.emit(f.ResourceEvicted(attempt.device, name, name.run, reason))


def compare_warm(step: Step, device: Device, warm: Sequence[WarmResource]) -> None:
    """Take a device's word for what it holds: its own evictions, and what is not known here."""
    said = {each.name: each for each in warm}
    whole = len(said) < NAMED
    for name, known in tuple(device.warm.warm.items()) if whole else ():
        settled = known.idle_since is not None and known.age_s(step.at) > SETTLING_S
        if name not in said and not known.users and settled:
            reason = "its device gave it up"
            step.emit(f.ResourceEvicted(device.card.device, name, name.run, reason))
    for name, each in said.items():
        if name not in device.warm:
            _adopt(step, device, each)


def void(step: Step, device: Device) -> None:
    """Take it that nothing is warm any more: the incarnation that held it is gone."""
    where = device.card.device
    for name, gaps in tuple(step.state.warmth.gaps.items()):
        if where in gaps:
            _observe(step, where, name, cut=True)
    if device.warm.warm:
        step.emit(f.WarmSetVoided(where))


def expire(step: Step, device: Device) -> None:
    """Let go of what lay idle up to the cap."""
    for name in device.warm.expired(step.at):
        _release(step, device, name, f.Cause.EXPIRED)
    due = device.warm.next_release()
    if due < inf:
        step.emit(f.DeadlineMoved(("pins", device.card.device), due))


def _consider(step: Step, device: Device, name: Resource, users: Sequence[Task]) -> None:
    """Renew what is known of the next use here of what nobody uses, and its lease."""
    warm = device.warm.warm[name]
    key, warm.outlook = outlook(step.state, device, name, users, step.at)
    warm.queued = int(warm.outlook is not None and key is None)
    if warm.outlook is None and name.scope is PinScope.RUN:
        _release(step, device, name, f.Cause.LAST_USE)
        return
    since = step.at if warm.idle_since is None else warm.idle_since
    cap = since + step.tuning.pin_cap_s
    until = cap if warm.queued else min(_until(step, warm, since), cap)
    if key is not None and key.skill == PLANNER:
        until = min(until, planned_by(step.state, name))
    if step.at >= cap:
        _release(step, device, name, f.Cause.EXPIRED)
    elif not device.warm.has_room(name.kind, 0.0):  # its card shrank
        _release(step, device, name, f.Cause.EVICTED)
    elif _is_news(step, warm, until) or _renamed(step.state, device, name, key):
        _grant(step, device, name, key, since=since, until=until, cap=cap)


def _until(step: Step, warm: Warm, since: float) -> float:
    if warm.outlook is None:
        return since
    return since + step.state.keeping.protect_s(warm.outlook, step.at - since)


def _is_news(step: Step, warm: Warm, until: float) -> bool:
    if warm.idle_since is None:
        return True
    left_s = max(warm.protected_until, until) - step.at
    return abs(until - warm.protected_until) > MATTERS * max(left_s, 0.0)


def _renamed(state: State, device: Device, name: Resource, key: GapKey | None) -> bool:
    gap = state.warmth.gaps.get(name, {}).get(device.card.device)
    return key is not None and (gap is None or gap.key != key)


def _grant(
    step: Step,
    device: Device,
    name: Resource,
    key: GapKey | None,
    *,
    since: float,
    until: float,
    cap: float,
) -> None:
    warm, where = device.warm.warm[name], device.card.device
    told = (warm.protected_until, warm.release_at) if warm.idle_since is not None else None
    reload_s, index = 0.0, 0.0
    if warm.outlook is not None:
        reload_s, index = warm.outlook.reload_s, warm.outlook.curve.index(step.at - since)
    awaits, device_class = (key.skill, key.device_class) if key is not None else ("", "")
    step.emit(
        f.PinGranted(
            where,
            name,
            name.run,
            step.state.token + 1,
            since,
            until,
            cap,
            awaits,
            device_class,
            reload_s,
            index,
        )
    )
    if told != (until, cap):
        said = WarmResource(name.kind, name.key, warm.amount, warm.speaker)
        _order(step, device, name, said, lease=(until - step.at, cap - step.at))


def _release(step: Step, device: Device, name: Resource, cause: f.Cause) -> None:
    warm = device.warm.warm[name]
    _let_go(
        step, device, WarmResource(name.kind, name.key, warm.amount, warm.speaker), name, cause
    )


def _let_go(
    step: Step, device: Device, said: WarmResource, name: Resource, cause: f.Cause
) -> None:
    where = device.card.device
    step.emit(f.ResourceReleased(where, name, name.run, step.state.token + 1, cause))
    _order(step, device, name, said, lease=(0.0, 0.0))


def _order(
    step: Step, device: Device, name: Resource, said: WarmResource, *, lease: tuple[float, float]
) -> None:
    """Change a lease; a run that is forgotten says no more, and the device's lease runs out."""
    run = step.state.runs.get(said.run) if said.run is not None else None
    if run is not None and not run.superseded:
        protected_s, release_s = (max(0.0, seconds) for seconds in lease)
        pin = Pin(name, said.amount, run.id, run.epoch, step.state.token, protected_s, release_s)
        step.order(GrantPins(device.card.device, (pin,)))


def _adopt(step: Step, device: Device, each: WarmResource) -> None:
    name, where = each.name, device.card.device
    run = step.state.runs.get(name.run) if name.run is not None else None
    wanted = name.run is None or (run is not None and run.ended_at is None)
    if wanted and device.warm.has_room(name.kind, each.amount):
        step.emit(f.ResourceAdopted(where, name, name.run, each.amount, step.at))
    elif run is not None and not run.superseded:  # else it is not ours to let go
        _let_go(step, device, each, name, f.Cause.UNWANTED)


# Gaps


def _end_gaps(step: Step, name: Resource, users: Sequence[Task]) -> None:
    """Take the gaps that are over: the next user is ready, or there will be none."""
    gaps = step.state.warmth.gaps.get(name)
    if not gaps:
        return
    ready = any(task.state is TaskState.READY for task in users)
    thinking = planned_by(step.state, name) > -inf
    for where, gap in tuple(gaps.items()):
        if gap.key.skill == PLANNER and not thinking:
            step.emit(f.ReuseObserved(where, name, name.run, bool(users)))
        if ready or not (users or thinking):
            _observe(step, where, name, cut=not ready)


def _observe(step: Step, where: DeviceId, name: Resource, *, cut: bool) -> None:
    gap = step.state.warmth.gaps[name][where]
    step.emit(
        f.GapObserved(
            where, name, name.run, gap.key.skill, gap.key.device_class, step.at - gap.since, cut
        )
    )
