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
        acks=acks,
    )


def order_of(command: c.CancelAttempt | c.RefuseAttempts | c.AnswerAttempt) -> m.Order:
    """Return what a command says to its device."""
    match command:
        case c.CancelAttempt(_, attempt, run, epoch):
            return m.Cancel(attempt, run, epoch)
        case c.RefuseAttempts(_, attempts, epochs):
            return m.Refuse(attempts, epochs)
        case c.AnswerAttempt(_, attempt, run, epoch, value):
            return m.Answer(attempt, run, epoch, value)


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
    )


def _report(report: m.Report, device: DeviceId) -> e.Event | None:
    match report.phase:
        case m.Phase.FINISHED if report.outcome is not None:
            return e.AttemptFinished(device, report.attempt, report.outcome, report.run_s)
        case m.Phase.INPUT_REQUIRED:
            return e.AttemptAsked(device, report.attempt, report.note)
        case m.Phase.ACCEPTED | m.Phase.STARTED:
            return e.AttemptReported(device, report.attempt, report.phase is m.Phase.STARTED)
        case _:
            return None


def _held(held: m.Held, device: DeviceId) -> e.Event:
    started = {name: phase in _STARTED for name, phase in held.attempts.items()}
    return e.Reconciled(device, held.incarnation, started)


def _refused(refused: m.Refused, device: DeviceId) -> e.Event | None:
    """A request that never reached a skill: the attempt it was about never started."""
    if refused.name == _STALE:
        return None  # an order from before our restart came late: it says nothing of the attempt
    detail = refused.detail or refused.name
    outcome: Outcome
    if refused.name in _BUSY:
        outcome = Rejected(detail)
    elif refused.code == _INVALID_PARAMS:
        outcome = Failed(FailureKind.BAD_INPUT, detail)
    else:
        outcome = Failed(FailureKind.SKILL_ERROR, detail)
    return e.AttemptFinished(device, AttemptId(refused.request_id), outcome, None)


_EVENTS: Final[Mapping[type, Callable[[Any, DeviceId], e.Event | None]]] = {
    m.Report: _report,
    m.Held: _held,
    m.Refused: _refused,
}
