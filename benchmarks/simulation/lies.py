"""What a device may say that is not so, in its own name: the broker lets it use no other."""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from benchmarks.simulation.kinds import Kind
from orchestrator.library import DEFAULT_ADDRESS
from protocol import topics
from protocol.codec import encode_heartbeat, encode_reply
from protocol.messages import Heartbeat, Phase, Report
from protocol.topics import Address
from protocol.transport import Message
from protocol.types import (
    AttemptId,
    Cancelled,
    DeviceId,
    Failed,
    FailureKind,
    Incarnation,
    Load,
    Outcome,
    Succeeded,
    Unknown,
)

# No `Rejected`: "it never started" of what did start would make anybody start it again.
_OUTCOMES: Final[Sequence[Outcome]] = (
    Succeeded("a lie"),
    Failed(FailureKind.TRANSIENT, "a lie"),
    Failed(FailureKind.SKILL_ERROR, "a lie"),
    Cancelled("a lie"),
    Unknown("a lie"),
)
Known = Mapping[DeviceId, Sequence[AttemptId]]


def lie(kind: Kind, device: DeviceId, known: Known, chance: random.Random) -> list[Message]:
    """Make up messages from a device; none where it has nothing to lie about.

    Args:
        kind: what about.
        device: who lies.
        known: the attempts that each device was given so far.
        chance: where the choice comes from.
    """
    return _LIES[kind](device, known, chance)


def _forged(device: DeviceId, _known: Known, chance: random.Random) -> list[Message]:
    made_up = AttemptId(f"00000000-0000-4000-a000-{chance.getrandbits(48):012x}")
    return [_final(device, made_up, chance)]


def _foreign(device: DeviceId, known: Known, chance: random.Random) -> list[Message]:
    others = [name for owner, names in known.items() if owner != device for name in names[-3:]]
    return [_final(device, chance.choice(others), chance)] if others else []


def _contradiction(device: DeviceId, known: Known, chance: random.Random) -> list[Message]:
    own = known.get(device, ())[-4:]
    return [_final(device, chance.choice(own), chance) for _ in range(2)] if own else []


def _another_life(device: DeviceId, _known: Known, chance: random.Random) -> list[Message]:
    life = Incarnation(f"false-{chance.getrandbits(32):x}")
    return [encode_heartbeat(Heartbeat(device, life, Load()), _address(device))]


_LIES: Final[Mapping[Kind, Callable[[DeviceId, Known, random.Random], list[Message]]]] = {
    Kind.FORGED_ATTEMPT: _forged,
    Kind.FOREIGN_RESULT: _foreign,
    Kind.CONTRADICTION: _contradiction,
    Kind.ANOTHER_LIFE: _another_life,
}


def _address(device: DeviceId) -> Address:
    return Address(DEFAULT_ADDRESS.org, DEFAULT_ADDRESS.unit, device)


def _final(device: DeviceId, attempt: AttemptId, chance: random.Random) -> Message:
    report = Report(attempt, Phase.FINISHED, outcome=chance.choice(_OUTCOMES), run_s=1.0)
    return encode_reply(
        report,
        to=topics.reply(DEFAULT_ADDRESS, device),
        correlation=b"lie",
        request_id=attempt,
    )
