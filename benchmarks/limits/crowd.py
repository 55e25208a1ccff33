"""Many devices at almost no cost: no agents, one transport that answers as they would.

The coordinator sees the bytes it would see. Each device has a card, beats every 2 s, naming what
it holds, and answers each offer with a start and, after the task's time, a success.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from protocol import topics
from protocol.codec import (
    Form,
    Request,
    decode_orders,
    encode_card,
    encode_heartbeat,
    encode_reply,
)
from protocol.messages import Heartbeat, Held, Hello, Offer, Phase, Reply, Report
from protocol.topics import Address
from protocol.transport import Message, Peer
from protocol.types import (
    AttemptId,
    DeviceCard,
    DeviceId,
    Effect,
    Incarnation,
    Load,
    RunId,
    SkillInfo,
    Succeeded,
)

SKILL: Final = "noop"
BEAT_S: Final = 2.0
HOP_S: Final = 0.001
_LIFE: Final = Incarnation("1")


@dataclass(slots=True)
class _Device:
    address: Address
    held: dict[AttemptId, RunId] = field(default_factory=dict)


class Crowd:
    """A `Transport` with devices behind it.

    Args:
        devices: how many.
        slots: of each.
        task_s: how long every task takes.
    """

    def __init__(self, devices: int, *, slots: int, task_s: float) -> None:
        self.running = self.peak = 0
        """Attempts that devices hold, now and at most."""
        self._task_s = task_s
        self._devices = {
            f"d{n}": _Device(Address("muster", "default", f"d{n}")) for n in range(devices)
        }
        skills = (SkillInfo(SKILL, effect=Effect.PURE, estimate_s=task_s),)
        self._cards = [
            DeviceCard(DeviceId(name), skills=skills, slots=slots) for name in self._devices
        ]

    async def run(self, peer: Peer) -> None:
        """See `Transport`."""
        self._peer = peer
        self._loop = asyncio.get_running_loop()
        peer.connected()
        for number, (card, device) in enumerate(
            zip(self._cards, self._devices.values(), strict=True)
        ):
            due_s = BEAT_S * number / len(self._cards)
            self._loop.call_later(due_s / 100, self._announce, card, device)
            self._loop.call_later(due_s / 100 + HOP_S, self._beat, device, True)  # noqa: FBT003 - passed on by the loop
            self._loop.call_later(due_s + BEAT_S, self._beat_on, device)
        await asyncio.Event().wait()

    def publish(self, message: Message) -> None:
        """See `Transport`."""
        topic = topics.parse(message.topic)
        if topic is None or topic.address.agent not in self._devices:
            return
        self._loop.call_later(HOP_S, self._take, self._devices[topic.address.agent], message)

    async def flush(self) -> None:
        """See `Transport`."""

    def _announce(self, card: DeviceCard, device: _Device) -> None:
        self._peer.received(encode_card(card, address=device.address))

    def _beat(self, device: _Device, connected: bool) -> None:  # noqa: FBT001 - passed on by the loop
        beat = Heartbeat(
            DeviceId(device.address.agent),
            _LIFE,
            Load(len(device.held)),
            tuple(device.held),
            connected=connected,
        )
        self._peer.received(encode_heartbeat(beat, device.address))

    def _beat_on(self, device: _Device) -> None:
        self._beat(device, False)  # noqa: FBT003 - as above
        self._loop.call_later(BEAT_S, self._beat_on, device)

    def _take(self, device: _Device, message: Message) -> None:
        for request in decode_orders(message):
            match request:
                case Request(Offer() as offer):
                    self._start(device, offer, request)
                case Request(Hello()):
                    held = dict.fromkeys(device.held, Phase.STARTED)
                    self._say(Held(DeviceId(device.address.agent), _LIFE, held), request)
                case _:
                    pass

    def _start(self, device: _Device, offer: Offer, request: Request) -> None:
        if offer.attempt in device.held:
            return
        device.held[offer.attempt] = offer.run
        self.running += 1
        self.peak = max(self.peak, self.running)
        self._say(Report(offer.attempt, Phase.STARTED, offer.run), request)
        self._loop.call_later(self._task_s, self._finish, device, offer, request)

    def _finish(self, device: _Device, offer: Offer, request: Request) -> None:
        del device.held[offer.attempt]
        self.running -= 1
        outcome = Succeeded(offer.args.get("number"))
        report = Report(
            offer.attempt, Phase.FINISHED, offer.run, outcome=outcome, run_s=self._task_s
        )
        self._say(report, request)

    def _say(self, reply: Reply, request: Request) -> None:
        self._peer.received(
            encode_reply(
                reply,
                to=request.reply_to,
                correlation=request.correlation,
                request_id=request.request_id,
                form=Form.STREAM,
            )
        )
