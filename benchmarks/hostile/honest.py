"""One honest message of each kind: what mutations start from."""

from dataclasses import replace
from typing import Final

from protocol import codec, topics
from protocol import messages as m
from protocol import types as t
from protocol.topics import Address
from protocol.transport import Message

COORDINATOR: Final = Address("bench", "hostile", "coordinator")
DEVICE: Final = Address("bench", "hostile", "victim")
SKILL: Final = "noop"
CARD: Final = t.DeviceCard(
    t.DeviceId(DEVICE.agent),
    "A victim",
    {"room": "12"},
    (t.SkillInfo(SKILL, "Do nothing", {"type": "object"}, None, t.Effect.PURE, 0.5),),
    4,
    {"vram": 8.0},
)

_RUN, _TASK, _ATTEMPT = t.RunId("run"), t.TaskId("task"), t.AttemptId("attempt")
_LIFE: Final = t.Incarnation("life")
_PIN: Final = m.PinGrant("vram", "llama", 4.0, t.PinScope.SHARED, _RUN, 1, 30.0, 60.0)
_WARM: Final = (
    t.WarmResource("vram", "llama", 4.0, load_s=12.5),
    t.WarmResource("vram", "chat", 0.5, _RUN),
)
_LOAD: Final = t.Load(1, {"vram": 4.5}, _WARM, battery=0.5)
_OUTCOMES: Final = (
    t.Succeeded({"lines": [1, 2.5, None, "x", True]}),
    t.Failed(t.FailureKind.TRANSIENT, "busy disk", 2.0),
    t.Rejected("draining"),
    t.Cancelled("told to"),
    t.Unknown("crashed after the start"),
)
ORDERS: Final[tuple[m.Order, ...]] = (
    m.Offer(
        _ATTEMPT, _RUN, _TASK, 1, 1, 1, 30.0, SKILL, {"number": 1}, t.Effect.PURE, 60.0,
        acks=(t.AttemptId("before"),),
    ),
    m.Offer(
        t.AttemptId("pinned"), _RUN, _TASK, 2, 1, 2, 30.0, SKILL, {}, t.Effect.PURE,
        pins=(_PIN, replace(_PIN, key="chat", amount=0.5, scope=t.PinScope.RUN)),
    ),
    m.Cancel(_ATTEMPT, _RUN, 1),
    m.Query(_ATTEMPT),
    m.Answer(_ATTEMPT, _RUN, 1, {"choice": ["yes", None]}),
    m.Renew({_RUN: 1}, (_ATTEMPT,), 30.0, (t.AttemptId("before"),)),
    m.Renew({_RUN: 1}, (), 1.0, pins=(replace(_PIN, token=2, release_s=0.0),)),
    m.Hello(str(COORDINATOR), {_RUN: 1}),
    m.Refuse({_ATTEMPT: _RUN}, {_RUN: 1}),
    m.Drain(on=False),
)  # fmt: skip
REPLIES: Final[tuple[m.Reply, ...]] = (
    m.Report(_ATTEMPT, m.Phase.ACCEPTED, _RUN, _LIFE),
    m.Report(_ATTEMPT, m.Phase.STARTED, _RUN, _LIFE, progress=0.5, note="half way"),
    m.Report(_ATTEMPT, m.Phase.INPUT_REQUIRED, _RUN, _LIFE, note="Which one?"),
    *(m.Report(_ATTEMPT, m.Phase.FINISHED, _RUN, _LIFE, each, 0.25) for each in _OUTCOMES),
    m.Report(_ATTEMPT, m.Phase.FINISHED, _RUN, _LIFE, _OUTCOMES[0], 0.25, warm=_WARM),
    m.Held(CARD.device, _LIFE, {_ATTEMPT: m.Phase.STARTED}, _LOAD),
    m.Refused(_ATTEMPT, -32004, "responder_unavailable", "too many requests"),
)


def to_device() -> tuple[Message, ...]:
    """Return a request of each kind."""
    reply_to = topics.reply(COORDINATOR, DEVICE.agent)
    return tuple(
        codec.encode_order(order, to=DEVICE, reply_to=reply_to, correlation=b"c")
        for order in ORDERS
    )


def to_coordinator() -> tuple[Message, ...]:
    """Return a reply of each kind, a card and a heartbeat."""
    reply_to = topics.reply(COORDINATOR, DEVICE.agent)
    beat = m.Heartbeat(CARD.device, _LIFE, _LOAD, (_ATTEMPT,), connected=True)
    return (
        *(
            codec.encode_reply(reply, to=reply_to, correlation=b"c", request_id="attempt")
            for reply in REPLIES
        ),
        codec.encode_card(CARD, address=DEVICE),
        codec.encode_heartbeat(beat, DEVICE),
    )
