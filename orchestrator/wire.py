"""Between the engine's vocabulary and the wire's: commands become orders, replies events. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from orchestrator.core import commands as c
from orchestrator.core import events as e
from protocol import messages as m
from protocol.types import AttemptId, DeviceId, Failed, FailureKind, Outcome, Rejected

_STARTED: Final = frozenset({m.Phase.STARTED, m.Phase.INPUT_REQUIRED, m.Phase.FINISHED})
_BUSY: Final = frozenset({"responder_unavailable", "request_expired"})
_INVALID_PARAMS: Final = -32602
_STALE: Final = "stale_epoch"
_ABOUT: Final[Mapping[type, str]] = {m.Cancel: "cancel", m.Query: "query", m.Answer: "answer"}
_FOLLOWS: Final[Mapping[int, Callable[[DeviceId, AttemptId], e.Event]]] = {
    -32001: e.AttemptMissing,  # TaskNotFoundError of A2A
    -32002: e.AttemptUnstoppable,  # TaskNotCancelableError
}


def offer_of(command: c.Offer, acks: tuple[AttemptId, ...] = ()) -> m.Offer:
    """Return what an offer says to its device; acknowledgements ride along."""
    return m.Offer(
        attempt=command.attempt,
        run=command.run,
        task=command.task,
        number=command.number,
        epoch=command.epoch,
        token=command.token,
        ttl_s=command.ttl_s,
        skill=command.skill,
        args=command.args,
        effect=command.effect,
        limit_s=command.limit_s,
        pins=tuple(map(pin_of, command.pins)),
        acks=acks,
        incarnation=command.incarnation,
    )


def pin_of(pin: c.Pin) -> m.PinGrant:
    """Return what the lease of a warm resource says; the order names its epoch."""
    kind, key, _ = pin.resource
    return m.PinGrant(
        kind,
        key,
        pin.amount,
        pin.resource.scope,
        pin.run,
        pin.token,
        pin.protected_s,
        pin.release_s,
    )


def order_of(
    command: c.CancelAttempt
    | c.QueryAttempt
    | c.RefuseAttempts
    | c.AnswerAttempt
    | c.ReleaseRun
    | c.Prefetch,
) -> m.Order:
    """Return what a command says to its device."""
    match command:
        case c.CancelAttempt(_, attempt, run, epoch):
            return m.Cancel(attempt, run, epoch)
        case c.QueryAttempt(_, attempt):
            return m.Query(attempt)
        case c.RefuseAttempts(_, attempts, epochs):
            return m.Refuse(attempts, epochs)
        case c.AnswerAttempt(_, attempt, run, epoch, value, question):
            return m.Answer(attempt, run, epoch, value, question)
        case c.ReleaseRun(_, run):
            return m.Release((run,))
        case c.Prefetch(_, run, epoch, skill, references):
            return m.Prefetch(run, epoch, skill, references)


def request_id(order: m.Order) -> str | None:
    """Return the JSON-RPC id of an order, so that an error tells what it answers.

    An error to an offer ends its attempt; one to a later order about it says much less.
    """
    match order:
        case m.Offer(attempt):
            return attempt
        case m.Cancel(attempt) | m.Query(attempt) | m.Answer(attempt):
            return f"{_ABOUT[type(order)]}.{attempt}"
        case _:
            return None


def event_of(reply: m.Reply, device: DeviceId) -> e.Event | None:
    """Return what a device's reply means to the engine; None if nothing."""
    return _EVENTS[type(reply)](reply, device)


def beat_of(heartbeat: m.Heartbeat) -> e.Beat:
    """Return what a heartbeat means to the engine."""
    return e.Beat(
        heartbeat.device,
        heartbeat.incarnation,
        heartbeat.load,
        heartbeat.attempts,
        heartbeat.connected,
        heartbeat.asking,
    )


def _report(report: m.Report, device: DeviceId) -> e.Event | None:
    match report.phase:
        case m.Phase.FINISHED if report.outcome is not None:
            return e.AttemptFinished(
                device,
                report.attempt,
                report.outcome,
                report.run_s,
                report.run,
                report.incarnation,
                report.warm,
                report.fetched_bytes,
                report.fetch_s,
            )
        case m.Phase.INPUT_REQUIRED:
            return e.AttemptAsked(device, report.attempt, report.note, report.question)
        case m.Phase.ACCEPTED | m.Phase.STARTED:
            return e.AttemptReported(device, report.attempt, report.phase is m.Phase.STARTED)
        case _:
            return None


def _held(held: m.Held, device: DeviceId) -> e.Event:
    started = {name: phase in _STARTED for name, phase in held.attempts.items()}
    return e.Reconciled(device, held.incarnation, started, warm=held.load.warm)


def _refused(refused: m.Refused, device: DeviceId) -> e.Event | None:
    """An offer that reached no skill never started; other orders did not find their attempt."""
    about, _, name = refused.request_id.rpartition(".")
    known = about in _ABOUT.values()
    attempt = AttemptId(name if known else refused.request_id)
    if refused.name == _STALE:
        return None if refused.epoch is None else e.Superseded(device, attempt, refused.epoch)
    if known:
        follows = _FOLLOWS.get(refused.code)
        return follows(device, attempt) if follows else None
    detail = refused.detail or refused.name
    outcome: Outcome
    if refused.name in _BUSY:
        outcome = Rejected(detail)
    elif refused.code == _INVALID_PARAMS:
        outcome = Failed(FailureKind.BAD_INPUT, detail)
    else:
        outcome = Failed(FailureKind.SKILL_ERROR, detail)
    return e.AttemptFinished(device, attempt, outcome, None)


_EVENTS: Final[Mapping[type, Callable[[Any, DeviceId], e.Event | None]]] = {
    m.Report: _report,
    m.Held: _held,
    m.Refused: _refused,
}
