"""A hostile MQTT client, in a process of its own, that has the rights of one device.

It floods with mutated messages, forges results of attempts that others hold, announces devices
that are not there, replays whatever it hears, and now and then sends 256 MiB. What it does not do
is write well-formed requests to others: who may do that is the broker's access list to say.
Run as `python -m benchmarks.hostile.attacker SETTINGS` with the fields of `Attack` as JSON.
"""

import asyncio
import json
import random
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from typing import Final

from benchmarks.hostile import honest
from benchmarks.hostile.mutations import mutated
from benchmarks.overhead.processes import say
from protocol import codec, topics
from protocol.errors import LocalProtocolError, NotConnectedError, QueueFullError
from protocol.messages import Phase, Report
from protocol.topics import Address, Kind
from protocol.transport import Message
from protocol.transport.filters import MAX_PAYLOAD_BYTES
from protocol.transport.mqtt import MqttSettings, MqttTransport
from protocol.types import AttemptId, DeviceCard, DeviceId, Succeeded

HUGE_BYTES: Final = MAX_PAYLOAD_BYTES  # the most that MQTT can carry: 256 MiB
AT_ONCE: Final = 100
HUGE_EVERY: Final = 500  # times as many messages
HUGE_FIRST: Final = 10
HEARD: Final = 256
GHOSTS: Final = 1_000_000
"""So many names of devices that are not there."""


@dataclass(frozen=True, slots=True)
class Attack:
    """Attack the coordinator of a unit and its devices, as one of them."""

    host: str
    port: int
    org: str
    unit: str
    coordinator: str
    identity: str
    seed: int


class Attacker:
    """The owner of a connection who means no good."""

    def __init__(self, attack: Attack) -> None:
        self._attack = attack
        self._chance = random.Random(attack.seed)
        self._self = Address(attack.org, attack.unit, attack.identity)
        self._coordinator = Address(attack.org, attack.unit, attack.coordinator)
        settings = MqttSettings(str(self._self), attack.host, attack.port)
        self._transport = MqttTransport(settings, first_connect="raise")
        self._heard: deque[Message] = deque(maxlen=HEARD)
        self._up = asyncio.Event()
        self._deeds: tuple[Callable[[], Message], ...] = (
            self._garbage, self._garbage, self._forge, self._ghost, self._replay,
        )  # fmt: skip

    async def run(self) -> None:
        """Attack until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._transport.run(self))
            await self._up.wait()
            say("ready")
            for turn in count(1):
                await self._up.wait()  # whoever is thrown out comes back
                for _ in range(AT_ONCE):
                    self._send(self._chance.choice(self._deeds)())
                if turn % HUGE_EVERY == HUGE_FIRST:
                    topic = topics.reply(self._coordinator, self._self.agent)
                    self._send(Message(topic, bytes(HUGE_BYTES), qos=0))
                await self._transport.flush()
                await asyncio.sleep(0)

    def will(self) -> Message | None:
        """See `Peer`."""
        return None

    def filters(self) -> tuple[str, ...]:
        """Listen to everything."""
        return ("$a2a/v1/#",)

    def connected(self) -> None:
        """See `Peer`."""
        self._up.set()

    def disconnected(self, reason: str) -> None:  # noqa: ARG002 - it is `Peer`'s
        """See `Peer`."""
        self._up.clear()

    def received(self, message: Message) -> None:
        """Remember what others say."""
        if len(message.payload) < 4096:  # noqa: PLR2004 - what is worth replaying
            self._heard.append(message)

    def _send(self, message: Message) -> None:
        with suppress(NotConnectedError, QueueFullError, LocalProtocolError):
            self._transport.publish(message)

    def _garbage(self) -> Message:
        message = self._chance.choice(honest.to_coordinator())
        topic = self._chance.choice(
            (
                topics.reply(self._coordinator, self._self.agent),
                topics.discovery(self._self),
                topics.event(self._self),
                topics.request(self._coordinator),
            )
        )
        return replace(message, topic=topic, payload=mutated(message.payload, self._chance))

    def _forge(self) -> Message:
        """Say that an attempt of somebody else has succeeded."""
        attempt = AttemptId("none")
        for message in reversed(self._heard):
            topic = topics.parse(message.topic)
            if topic is not None and topic.kind is Kind.REQUEST and b'"id"' in message.payload:
                with suppress(ValueError, TypeError, KeyError):
                    body = json.loads(message.payload)
                    attempt = AttemptId(str((body[0] if isinstance(body, list) else body)["id"]))
                break
        return codec.encode_reply(
            Report(attempt, Phase.FINISHED, outcome=Succeeded("forged"), run_s=0.0),
            to=topics.reply(self._coordinator, self._self.agent),
            correlation=b"forged",
            request_id=attempt,
        )

    def _ghost(self) -> Message:
        name = DeviceId(f"ghost-{self._chance.randrange(GHOSTS)}")
        card = DeviceCard(name, skills=honest.CARD.skills)
        address = Address(self._attack.org, self._attack.unit, name)
        return codec.encode_card(card, address=address, status="offline", source="agent")

    def _replay(self) -> Message:
        """Say again what somebody said, on the topics that this device may write."""
        if not self._heard:
            return self._garbage()
        heard = self._chance.choice(self._heard)
        topic = topics.reply(self._coordinator, self._self.agent)
        return replace(heard, topic=topic, retain=False)


if __name__ == "__main__":
    asyncio.run(Attacker(Attack(**json.loads(sys.argv[1]))).run())
