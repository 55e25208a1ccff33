"""Builders for the agent's tests: offers, requests, and a short way to say what came of them."""

from agents.actions import (
    Action,
    AttemptRow,
    Beat,
    CancelSkill,
    DropArtifacts,
    EvictResource,
    Forget,
    ForgetRun,
    LoadResource,
    ReconcileSkill,
    Resume,
    RunRow,
    Say,
    StartSkill,
)
from agents.session import Session
from protocol.codec import Form, Request
from protocol.messages import Held, Offer, Order, PinGrant, Refused, Reply, Report
from protocol.types import (
    AttemptId,
    DeviceCard,
    DeviceId,
    Effect,
    Incarnation,
    Outcome,
    PinScope,
    RunId,
    SkillInfo,
    TaskId,
)

RUN = RunId("run")
A = AttemptId("a")
B = AttemptId("b")
COORDINATOR = "$a2a/v1/reply/muster/default/coordinator/laptop"
OTHER = "$a2a/v1/reply/muster/default/successor/laptop"
CARD = DeviceCard(
    DeviceId("laptop"),
    slots=2,
    skills=(SkillInfo("count", effect=Effect.PURE), SkillInfo("print", effect=Effect.ONCE)),
)


def offer(attempt: str = "a", **changes: object) -> Offer:
    values = {
        "attempt": AttemptId(attempt), "run": RUN, "task": TaskId(f"task-{attempt}"), "number": 1,
        "epoch": 1, "token": 1, "ttl_s": 10.0, "skill": "count", "args": {}, "effect": Effect.PURE,
    }  # fmt: skip
    return Offer(**{**values, **changes})


def once(attempt: str = "a", **changes: object) -> Offer:
    return offer(attempt, skill="print", effect=Effect.ONCE, **changes)


def pin(key: str = "a", **changes: object) -> PinGrant:
    values = {
        "kind": "model", "key": key, "amount": 4.0, "scope": PinScope.SHARED, "run": RUN,
        "token": 1, "protected_s": 10.0, "release_s": 100.0,
    }  # fmt: skip
    return PinGrant(**{**values, **changes})


def request(order: Order, *, to: str = COORDINATOR, form: Form = Form.STREAM) -> Request:
    return Request(order, to, b"correlation", "id", form)


class PromptSession(Session):
    """Begins what it orders as it orders it, as if the ledger took no time."""

    def order(self, order: Request, now: float) -> list[Action]:
        actions = super().order(order, now)
        for each in actions:
            if isinstance(each, StartSkill | ReconcileSkill):
                assert self.begins(each.offer.attempt, now) is None
        return actions


def new_session(
    card: DeviceCard = CARD, kind: type[Session] = PromptSession, **options: object
) -> Session:
    return kind(card, Incarnation("incarnation"), **options)


def told(actions: list[Action]) -> list[str]:
    """Say each action in a few words."""
    return [_words(action) for action in actions]


def finals(actions: list[Action]) -> list[Outcome | None]:
    """Return how the attempts that are reported on ended."""
    return [each.reply.outcome for each in actions if isinstance(each, Say)]


def _words(action: Action) -> str:
    if isinstance(action, Say):
        return f"say {_reply(action.reply)}"
    return _WORDS[type(action)](action)


_WORDS = {
    AttemptRow: lambda row: f"row {row.attempt} {_name(row.outcome) or 'started'}",
    RunRow: lambda row: f"row {row.run} epoch {row.epoch}",
    Forget: lambda forget: f"forget {' '.join(forget.attempts)}",
    ForgetRun: lambda forget: f"forget {forget.run}",
    StartSkill: lambda start: f"start {start.offer.attempt}",
    ReconcileSkill: lambda ask: f"look up {ask.offer.attempt}",
    CancelSkill: lambda cancel: f"cancel {cancel.attempt}",
    LoadResource: lambda load: f"load {load.resource.key}",
    EvictResource: lambda evict: f"evict {evict.resource.key}",
    DropArtifacts: lambda drop: f"drop {' '.join(drop.runs)}",
    Resume: lambda resume: f"resume {resume.attempt} {resume.value}",
    Beat: lambda beat: f"beat {' '.join(beat.heartbeat.attempts)}".strip(),
}


def _reply(reply: Reply) -> str:
    match reply:
        case Report():
            return f"{reply.attempt} {_name(reply.outcome) or reply.phase}"
        case Held():
            return f"held {' '.join(f'{each}:{phase}' for each, phase in reply.attempts.items())}"
        case Refused():
            return f"refused {reply.name or 'not found'}"


def _name(outcome: Outcome | None) -> str:
    return type(outcome).__name__ if outcome else ""
