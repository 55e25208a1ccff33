"""What devices say of themselves: there, busy, gone, and what they hold."""

from collections.abc import Mapping, Sequence
from heapq import nsmallest
from typing import Final

from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.commands import AskPlanner, CancelAttempt, RenewLeases, SayHello
from orchestrator.core.decisions.attempts import note_start
from orchestrator.core.decisions.hedging import watch_all
from orchestrator.core.decisions.offers import (
    offer_again,
    query_doubts,
    query_plain,
    refuse,
    shorten_hopeless,
)
from orchestrator.core.decisions.outcomes import (
    awaits_planner,
    give_up_on,
    lose_attempt,
    readmit_all,
)
from orchestrator.core.decisions.pins import compare_warm, review, void
from orchestrator.core.decisions.questions import still_open
from orchestrator.core.decisions.retention import forget_ended, release
from orchestrator.core.lifecycle import LIVE, AttemptState
from orchestrator.core.state import Attempt, Device
from orchestrator.core.step import Step
from protocol.types import AttemptId, DeviceId, Effect, Failed, FailureKind, Incarnation, RunId

CROWDED_OUT: Final = 0.01  # share of devices forgotten at once: each look at all makes much room


def start(step: Step, event: e.Start) -> None:
    """Take over what the journal holds: epochs rise, clocks are re-based, devices are asked."""
    shift_s = 0.0
    if event.last_wall is not None and event.last_elapsed is not None:
        away_s = max(0.0, step.now.wall - event.last_wall)
        shift_s = step.at - (event.last_elapsed + away_s)
    step.emit(f.CoordinatorStarted(step.now.wall, step.at, shift_s))
    for device in step.state.devices.values():
        query_plain(step, device)
        if device.online and device.card.extension:
            # It had no chance to be heard while nobody listened.
            step.emit(
                f.DeadlineMoved(("device", device.card.device), step.at + step.tuning.lost_after_s)
            )
    for doubted in step.state.doubts.values():
        step.emit(f.DeadlineMoved(doubted.key, step.at + step.tuning.query_s))
    forget_ended(step)
    review(step)
    watch_all(step)
    for run in [step.state.runs[name] for name in step.state.live]:
        shorten_hopeless(step, run, run.tasks)
        for ask in run.asks.values():
            # The planner that was asked is gone with its process: ask again.
            limit_s = run.submitted.limits.plan_s
            step.emit(f.DeadlineMoved(("ask", run.id, ask.ask), step.at + limit_s))
            if ask.cause != f.REST:
                step.order(AskPlanner(run.id, ask.ask, ask.task, ask.cause, limit_s, ask.kind))
            task = run.tasks.get(ask.task) if ask.task is not None else None
            if task is not None and awaits_planner(task):
                step.emit(f.DeadlineMoved(task.key, step.at + limit_s))
    readmit_all(step)  # for how long they were to wait yet, nobody saved


def connected(step: Step, _event: e.Connected) -> None:
    """Ask every device what it holds: what it said before, nobody heard."""
    epochs: dict[DeviceId, dict[RunId, int]] = {}
    for run in step.state.live:
        row = step.state.runs[run]
        for name in row.devices:
            epochs.setdefault(name, {})[run] = row.epoch
    for device in step.state.devices.values():
        if device.card.extension:
            step.order(SayHello(device.card.device, epochs.get(device.card.device, {})))
        query_doubts(step, device)
        query_plain(step, device)


def announced(step: Step, event: e.Announced) -> None:
    """Take a device's card; whether it is online is only a hint for one with our extension.

    Beyond `Tuning.devices` a new device that is there takes the place of one that is not.
    """
    card = event.card
    device = step.device(card.device)
    if device is None and not _room(step, event):
        return
    if device is None or device.card != card:
        step.emit(f.DeviceJoined(card))
        readmit_all(step)
        device = step.state.devices[card.device]
    if device.online and card.extension and step.state.timers.get(("device", card.device)) is None:
        # It was a plain agent, from which no heartbeat is awaited.
        due = step.at + step.tuning.lost_after_s
        step.emit(f.DeadlineMoved(("device", card.device), due))
    if event.online and not device.online:
        if card.extension:
            _say_hello(step, card.device)
        else:
            _online(step, device, None)
    elif not event.online and device.online:
        _lose(step, device, "it went offline")


def unregistered(step: Step, event: e.Unregistered) -> None:
    """Forget a device that its owner took away."""
    device = step.device(event.device)
    if device is None:
        return
    _void(step, device, "its owner unregistered the device")
    step.emit(f.DeviceLeft(event.device))
    readmit_all(step)


def beat(step: Step, event: e.Beat) -> None:
    """Take a heartbeat: it keeps the device here and renews the leases that it holds."""
    device = step.device(event.device)
    if device is None:
        return  # its card comes first
    if _another(device, event.incarnation):
        _say_hello(step, event.device)  # only its answer shows who lives now
        return
    new = _welcome(step, device, event.incarnation)
    took = device.available
    due = step.at + step.tuning.lost_after_s
    release(step, event.device)
    step.emit(f.LoadSeen(event.device, event.load, step.at, due))
    if device.available != took:
        readmit_all(step)
    if event.load.warm or device.warm.warm:
        compare_warm(step, device, event.load.warm)
    held = [a for a in device.attempts.values() if a.state in LIVE]
    if new or event.connected or _misses_some(device, event.attempts):
        _say_hello(step, event.device)  # what is asked follows its answer
    elif event.asking:
        still_open(step, event.device, event.asking)
    for attempt in device.attempts.values():
        if attempt.state is AttemptState.LAPSED and attempt.id in event.attempts:
            _stop_unwanted(step, attempt)  # again: what it was told may have been lost
    if held:
        epochs = {a.run: step.state.runs[a.run].epoch for a in held}
        step.order(
            RenewLeases(event.device, tuple(a.id for a in held), epochs, step.tuning.lease_s)
        )


def reconciled(step: Step, event: e.Reconciled) -> None:
    """Compare what a device holds with what it is charged with, and mend the difference."""
    device = step.device(event.device)
    if device is None:
        return
    if _another(device, event.incarnation) and event.asked_at < device.since:
        return  # a life that was over before this one
    _welcome(step, device, event.incarnation)
    due = step.at + step.tuning.lost_after_s
    step.emit(f.DeadlineMoved(("device", event.device), due))
    if event.warm or device.warm.warm:
        compare_warm(step, device, event.warm)
    for attempt in list(device.attempts.values()):
        started = event.held.get(attempt.id)
        if started is None:
            _absent(step, attempt, event.asked_at)
        elif not step.state.wants(attempt):
            _stop_unwanted(step, attempt)
        elif started:
            note_start(step, attempt)


def device_silent(step: Step, device: DeviceId) -> None:
    """Three heartbeats were missed."""
    row = step.device(device)
    if row is not None and row.online and row.card.extension:
        _lose(step, row, "it fell silent")


def leases_over(step: Step, device: DeviceId) -> None:
    """The leases of a lost device ran out: nothing that it holds is live any more."""
    row = step.device(device)
    if row is None or row.online:
        return
    for attempt in list(row.attempts.values()):
        if attempt.state in LIVE:
            give_up_on(
                step, attempt, FailureKind.DEVICE_LOST, f"{device} was lost while it held the task"
            )


def _room(step: Step, event: e.Announced) -> bool:
    """Make room for a new device; return whether there is some.

    Those go that are away and charged with nothing: first who was never heard, then who was heard
    longest ago.
    """
    state, limit = step.state, step.tuning.devices
    if len(state.devices) < limit:
        return True
    if not event.online:
        return False
    idle = (d for d in state.devices.values() if not d.online and not d.attempts)
    gone = nsmallest(
        max(1, int(limit * CROWDED_OUT)),
        idle,
        key=lambda d: (d.incarnation is not None, d.seen_at, d.order),
    )
    for device in gone:
        step.emit(f.DeviceLeft(device.card.device))
    return bool(gone)


def _say_hello(step: Step, device: DeviceId) -> None:
    step.order(SayHello(device, _epochs(step, device)))


def _epochs(step: Step, device: DeviceId) -> Mapping[RunId, int]:
    """Return the epochs of the runs that a device was offered work of: no other concerns it."""
    runs = step.state.runs
    return {run: epoch for run, epoch in step.epochs().items() if device in runs[run].devices}


def _another(device: Device, incarnation: Incarnation) -> bool:
    return device.incarnation not in {None, incarnation}


def _welcome(step: Step, device: Device, incarnation: Incarnation) -> bool:
    """Let a device be online; return whether that is news."""
    if device.online and device.incarnation == incarnation:
        return False
    if _another(device, incarnation):
        _void(step, device, "the device came back without its ledger")
    _online(step, device, incarnation)
    return True


def _online(step: Step, device: Device, incarnation: Incarnation | None) -> None:
    step.emit(f.DeviceOnline(device.card.device, incarnation, step.at))
    query_doubts(step, device)
    query_plain(step, device)
    readmit_all(step)


def _misses_some(device: Device, named: Sequence[AttemptId]) -> bool:
    """Tell whether an attempt that was taken is not held any more: its report may be lost."""
    attempts = device.attempts.values()
    return any(a.state is not AttemptState.OFFERED and a.id not in named for a in attempts)


def _stop_unwanted(step: Step, attempt: Attempt) -> None:
    if not step.state.wants(attempt):
        epoch = step.state.runs[attempt.run].epoch
        step.order(CancelAttempt(attempt.device, attempt.id, attempt.run, epoch))


def _lose(step: Step, device: Device, reason: str) -> None:
    # A heartbeat renews all leases; what was given since then counts from there. Heartbeats are
    # not journaled, so after a restart that may be all there is.
    heard = [a.started_at or a.offered_at for a in device.attempts.values() if a.state in LIVE]
    due = max(step.at, max(device.seen_at, *heard, 0.0) + step.tuning.lease_s)
    step.emit(f.DeviceLost(device.card.device, reason, due))
    for attempt in list(device.attempts.values()):
        # Not even accepted: no reason to wait for the lease, except where it may have started.
        if attempt.state is AttemptState.OFFERED and attempt.effect is not Effect.ONCE:
            reason = f"{device.card.device} was lost before it took the task"
            give_up_on(step, attempt, FailureKind.DEVICE_LOST, reason)
    readmit_all(step)


def _void(step: Step, device: Device, reason: str) -> None:
    """The incarnation is gone: what it held will never be reported."""
    for attempt in list(device.attempts.values()):
        was_live = attempt.state in LIVE
        step.emit(f.AttemptLost(attempt.run, attempt.task, attempt.id, reason))
        if was_live:
            lose_attempt(step, attempt, Failed(FailureKind.DEVICE_LOST, reason))
    void(step, device)


def _absent(step: Step, attempt: Attempt, asked_at: float) -> None:
    """The same incarnation does not know the attempt: offer it again, or take it as gone.

    One that was accepted may have come after the answer; if it knows it, it says how it stands.
    """
    if attempt.state in {AttemptState.OFFERED, AttemptState.ACCEPTED}:
        offer_again(step, attempt)
    elif attempt.state is AttemptState.LAPSED:
        refuse(step, attempt)
    elif (attempt.started_at or attempt.offered_at) < asked_at:
        reason = f"{attempt.device} no longer knows the attempt"
        step.emit(f.AttemptLost(attempt.run, attempt.task, attempt.id, reason))
        lose_attempt(step, attempt, Failed(FailureKind.DEVICE_LOST, reason))
