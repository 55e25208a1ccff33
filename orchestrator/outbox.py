"""What goes to devices: encoded, addressed, with acknowledgements riding along.

An acknowledgement waits for the next offer or renewal to its device, `ACK_AFTER_S` at the most, so
that it costs no message of its own while work flows. Nothing here is kept for a retry: the engine
repeats what matters when its deadline passes, and says hello when a device comes back. Pin leases
change by a renewal that names no attempt.

Orders gather until `flush`; those to one device with our extension leave as one message then.
"""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from orchestrator.core import commands as c
from orchestrator.wire import offer_of, order_of, pin_of, request_id
from protocol import messages as m
from protocol import topics
from protocol.bounds import MAX_PINS
from protocol.codec import Batches, encode_order, encode_plain_offer
from protocol.errors import LocalProtocolError, NotConnectedError, QueueFullError
from protocol.topics import Address
from protocol.transport import Message
from protocol.types import AttemptId, DeviceCard, DeviceId, RunId

ACK_AFTER_S = 0.25  # well under a heartbeat; a device keeps what is not acknowledged
ACKS_AT_ONCE = 64  # so that a renewal stays small
HELLOS = 8  # by device: one goes out every 2 s at most, so an answer may take 16 s
DEVICES = 1024  # looked through for those that are gone when there are twice as many as last time
REMEMBERED = 4096  # orders to plain agents whose errors name only the correlation


@dataclass(slots=True)
class _Known:
    streaming: bool = True
    hellos: OrderedDict[bytes, float] = field(default_factory=OrderedDict)
    """Correlation of each of the last ones → when it was sent."""


class Outbox:
    """Sends the engine's orders to devices."""

    def __init__(
        self,
        address: Address,
        *,
        publish: Callable[[Message], None],
        card: Callable[[DeviceId], DeviceCard | None],
        unsayable: Callable[[c.Command, str], None],
        clock: Callable[[], float],
    ) -> None:
        self._address = address
        self._publish = publish
        self._batches = Batches(self._put)
        self._card = card
        self._unsayable = unsayable
        self._clock = clock
        self._known: dict[DeviceId, _Known] = {}
        self._room = DEVICES
        self._acks: dict[DeviceId, list[AttemptId]] = {}
        self._speaking: dict[DeviceId, dict[RunId, int]] = {}
        """The epochs of the runs that waiting acknowledgements are of."""
        self._timer: asyncio.TimerHandle | None = None
        self._count, self._life = 0, secrets.token_urlsafe(6)
        self._plain: OrderedDict[str, str] = OrderedDict()

    def close(self) -> None:
        """Stop the timer; what was not acknowledged will be reported again."""
        if self._timer is not None:
            self._timer.cancel()

    def flush(self) -> None:
        """Send what was ordered."""
        self._batches.flush()

    def announced(self, device: DeviceId, *, streaming: bool) -> None:
        """Note what a card says: whether a plain agent streams."""
        self._about(device).streaming = streaming

    def perform(self, command: c.Command) -> None:
        """Order it, for the next flush; `unsayable` hears of what no message can carry."""
        try:
            self._perform(command)
        except LocalProtocolError as error:
            self._unsayable(command, str(error))

    def _perform(self, command: c.Command) -> None:
        match command:
            case c.Offer():
                self._offer(command)
            case c.Acknowledge(device, attempt, run, epoch):
                if run is not None:
                    self._speaking.setdefault(device, {})[run] = epoch
                self._acknowledge(device, attempt)
            case c.RenewLeases(device, attempts, epochs, ttl_s):
                self._renew(device, epochs, attempts, ttl_s)
            case c.GrantPins(device, pins):
                for first in range(0, len(pins), MAX_PINS):
                    some = pins[first : first + MAX_PINS]
                    self._renew(device, {pin.run: pin.epoch for pin in some}, pins=some)
            case c.SayHello(device, epochs):
                acks, speaking = self._take_acks(device)
                hello = m.Hello(str(self._address), {**speaking, **epochs}, acks)
                self._hello(device, hello)
            case (
                c.CancelAttempt()
                | c.QueryAttempt()
                | c.RefuseAttempts()
                | c.AnswerAttempt()
                | c.ReleaseRun()
                | c.Prefetch()
            ):
                self._send(command.device, order_of(command))
            case c.AskPlanner() | c.ImprovePlan():
                raise TypeError("who is asked that is no device")

    def request_of(self, named: str) -> str:
        """Return the request that an error answers: plain agents name our correlation."""
        return self._plain.get(named, named)

    def asked_at(self, device: DeviceId, correlation: bytes | None) -> float | None:
        """Return when the hello was sent that this answers, if it was one of the last ones."""
        known = self._known.get(device)
        return known.hellos.get(correlation or b"") if known else None

    def _hello(self, device: DeviceId, hello: m.Hello) -> None:
        asked = self._about(device).hellos
        correlation = self._correlation()
        asked[correlation] = self._clock()
        if len(asked) > HELLOS:
            asked.popitem(last=False)
        self._send(device, hello, correlation)  # on its own: its answer names the correlation

    def _offer(self, command: c.Offer) -> None:
        card = self._card(command.device)
        if card is None or card.extension:
            alone = self._speaking.get(command.device, {}).keys() <= {command.run}
            acks = self._take_acks(command.device)[0] if alone else ()  # it names no other epoch
            self._send(command.device, offer_of(command, acks))
            return
        offer, correlation = offer_of(command), self._correlation()
        self._remember(correlation, offer.attempt)
        message = encode_plain_offer(
            offer,
            to=self._to(command.device),
            reply_to=topics.reply(self._address, command.device),
            correlation=correlation,
            streaming=self._about(command.device).streaming,
        )
        self._put(message)

    def _renew(
        self,
        device: DeviceId,
        epochs: Mapping[RunId, int],
        attempts: tuple[AttemptId, ...] = (),
        ttl_s: float = 1.0,  # of no attempt
        pins: tuple[c.Pin, ...] = (),
    ) -> None:
        acks, speaking = self._take_acks(device)
        grants = tuple(map(pin_of, pins))
        self._send(device, m.Renew({**speaking, **epochs}, attempts, ttl_s, acks, grants))

    def _send(self, device: DeviceId, order: m.Order, correlation: bytes = b"") -> None:
        card = self._card(device)
        extension = card is not None and card.extension
        if card is not None and not extension and not isinstance(order, m.Cancel | m.Query):
            return  # a plain agent knows none of the others
        correlated, about = correlation or self._correlation(), request_id(order)
        if about is not None and not extension:
            self._remember(correlated, about)
        send = self._batches.add if extension and not correlation else self._batches.send
        send(
            encode_order(
                order,
                to=self._to(device),
                reply_to=topics.reply(self._address, device),
                correlation=correlated,
                request_id=about,
            )
        )

    def _about(self, device: DeviceId) -> _Known:
        """Return what is known of a device; now and then let go of those that are gone."""
        known = self._known.get(device)
        if known is None:
            if len(self._known) >= self._room:
                self._known = {name: of for name, of in self._known.items() if self._card(name)}
                self._room = 2 * len(self._known) + DEVICES
            known = self._known[device] = _Known()
        return known

    def _remember(self, correlation: bytes, about: str) -> None:
        self._plain[correlation.decode()] = about
        if len(self._plain) > REMEMBERED:
            self._plain.popitem(last=False)

    def _put(self, message: Message) -> None:
        try:
            self._publish(message)
        except (NotConnectedError, QueueFullError):
            return  # as if the network had lost it

    def _acknowledge(self, device: DeviceId, attempt: AttemptId) -> None:
        acks = self._acks.setdefault(device, [])
        acks.append(attempt)
        if len(acks) >= ACKS_AT_ONCE:
            self._renew(device, {})
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(ACK_AFTER_S, self._acknowledge_all)

    def _acknowledge_all(self) -> None:
        self._timer = None
        for device in list(self._acks):
            self._renew(device, {})
        self.flush()

    def _take_acks(self, device: DeviceId) -> tuple[tuple[AttemptId, ...], Mapping[RunId, int]]:
        """Take what waits, and the epochs with which it is said."""
        return tuple(self._acks.pop(device, ())), self._speaking.pop(device, {})

    def _to(self, device: DeviceId) -> Address:
        return Address(self._address.org, self._address.unit, device)

    def _correlation(self) -> bytes:
        """New for every publish, as the profile asks, those of former lives included."""
        self._count += 1
        return f"{self._life}{self._count:x}".encode()
