"""The device of the model as code: a session, its ledger, and the skills that run.

Its time is told to it; `expire` alone lets more pass than a report needs.
"""

from collections.abc import Iterable

from agents.actions import Action, AttemptRow, Beat, CancelSkill, RunRow, Say, StartSkill
from agents.ledger import MemoryLedger
from agents.session import Session
from protocol.codec import (
    Request,
    decode_order,
    encode_heartbeat,
    encode_reply,
)
from protocol.messages import Held as SaidHeld
from protocol.messages import Query, Report
from protocol.topics import Address
from protocol.transport import Message
from protocol.types import (
    AttemptId,
    Cancelled,
    DeviceId,
    Effect,
    Incarnation,
    Succeeded,
)
from tests.model import words as m
from tests.support.world import card

LEASE_S = 1e5
NAMES = (DeviceId("d0"), DeviceId("d1"))


class Device:
    """A session, its ledger, and the skills that it has running."""

    def __init__(self, name: int, *, once: bool) -> None:
        self.name = name
        self.address = Address("acme", "lab", NAMES[name])
        self.card = card(NAMES[name], effect=Effect.ONCE if once else Effect.PURE)
        self.once = once
        self.life, self.at, self.starts = 0, 0.0, 0
        self.beats: dict[int, Message] = {}
        self.lose_disk()

    def crash(self) -> None:
        self.running: dict[AttemptId, bool] = {}
        """What runs, and whether it was told to stop."""
        self.session = Session(self.card, self.ledger.incarnation, rows=[*self.ledger.rows()])
        (beat,) = self.session.connected(self.at)
        assert isinstance(beat, Beat)
        self.beats[self.life] = encode_heartbeat(beat.heartbeat, self.address)

    def lose_disk(self) -> None:
        self.life += 1
        self.ledger = MemoryLedger(Incarnation(f"{NAMES[self.name]}-{self.life}"))
        self.crash()

    def take(self, message: Message) -> list[tuple[Message, Report | SaidHeld]]:
        return self.act(self.session.order(decode_order(message), self.at))

    def act(self, actions: Iterable[Action]) -> list[tuple[Message, Report | SaidHeld]]:
        """Do what the session orders; return what it says."""
        said = []
        for action in actions:
            match action:
                case Say(reply, to):
                    if isinstance(reply, Report | SaidHeld):
                        said.append((_encoded(reply, to), reply))
                case StartSkill(offer):
                    assert self.session.begins(offer.attempt, self.at) is None
                    self.running[offer.attempt] = False
                    self.starts += self.once
                case CancelSkill(attempt):
                    self.running[attempt] = True
                case Beat():
                    pass
                case _:
                    self.ledger.write([action], lambda _: None)
        self.session.check()
        return said

    def announce(self, attempt: AttemptId):
        self.session.progress(attempt, 0.5, "", self.at)
        self.at += 0.6
        return self.act(self.session.tick(self.at))

    def finish(self, attempt: AttemptId, end: str):
        del self.running[attempt]
        outcome = Succeeded(1) if end == "DONE" else Cancelled("it stopped")
        return self.act(self.session.finished(attempt, outcome, self.at))

    def expire(self) -> None:
        self.at += LEASE_S
        self.act(self.session.tick(self.at))

    def seen(self, attempts: Iterable[AttemptId], slots: int) -> m.Device:
        """Return the device as the model would have it; floors in force cannot be seen."""
        rows = {row.attempt: row for row in self.ledger.rows() if isinstance(row, AttemptRow)}
        run = next((row for row in self.ledger.rows() if isinstance(row, RunRow)), None)
        holds = [self._hold(attempt, rows.get(attempt)) for attempt in attempts]
        epoch, floor = (run.epoch, run.floor) if run else (1, (-1, -1))
        holds += [None] * (slots - len(holds))
        return m.Device(self.life, epoch, max(floor, (0, 0)), (0, 0), tuple(holds))

    def _hold(self, attempt: AttemptId, row: AttemptRow | None) -> m.Hold | None:
        if attempt in self.running:
            phase = m.Phase.RUNNING
            if self.running[attempt]:
                phase = m.Phase.STOPPING
            elif not self.session.lease_live(attempt, self.at):
                phase = m.Phase.LAPSED
            return m.Hold(phase, 0, recorded=row is not None)
        query = Request(Query(attempt), "nobody", b"", attempt)
        (said,) = self.session.order(query, self.at)
        if not (isinstance(said, Say) and isinstance(said.reply, Report)):
            return None
        phase = m.Phase.LOST
        if row is None:
            phase = m.Phase.ACKED
        elif row.closed:
            phase = m.Phase.REFUSED
        elif isinstance(row.outcome, Succeeded):
            phase = m.Phase.DONE
        return m.Hold(phase, 0, recorded=True)


def _encoded(reply: Report | SaidHeld, to: Request) -> Message:
    return encode_reply(
        reply, to=to.reply_to, correlation=to.correlation, request_id=to.request_id, form=to.form
    )
