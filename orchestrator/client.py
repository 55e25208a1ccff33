"""A coordinator's client: calls its skills over the wire, from this machine or another.

Theory of operation (the A2A profile's requester). The reply topic is subscribed before anything is
published. A call is published at most three times, with the same task id and back-off between;
after the first sign of life it is never published again but asked for (`GetTask`). When the
coordinator's card appears or our connection comes back, waiting calls ask at once; where there is
no card they give up sooner. The card is a hint only: a missing answer is the proof.

```
ClientError
├── CoordinatorSilentError   nobody answers
├── CallFailedError          the answer is no; `kind` says why
└── CallForgottenError       the coordinator was restarted meanwhile: call again, if that is safe
```
"""

import asyncio
import random
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Final, Self, TypeAlias
from uuid import uuid4

from orchestrator.forms import not_json
from protocol import topics
from protocol.background import Background
from protocol.codec import PartialOutputs, decode_card, decode_reply, encode_order, split
from protocol.errors import (
    LocalProtocolError,
    NotConnectedError,
    QueueFullError,
    RemoteProtocolError,
    TransportError,
    UnreachableError,
)
from protocol.messages import Offer, Phase, Query, Refused, Report
from protocol.topics import Address, Kind
from protocol.transport import Message, Transport
from protocol.types import (
    AttemptId,
    Effect,
    Failed,
    FailureKind,
    Json,
    RunId,
    Succeeded,
    TaskId,
)

# The profile's defaults for a requester.
FIRST_REPLY_S: Final = 15.0
IDLE_S: Final = 30.0
BACKOFF_S: Final = (1.0, 2.0)  # between three attempts, ± 20 %

UNANNOUNCED_S: Final = 3.0  # no card says that the coordinator is there: try once, and shortly
CONNECT_S: Final = 15.0
TASK_NOT_FOUND: Final = -32001

Answer: TypeAlias = Report | Refused


class ClientError(Exception):
    """A call came to nothing."""


class CoordinatorSilentError(ClientError):
    """Nobody answers."""


class CallFailedError(ClientError):
    """The coordinator answers that it cannot or will not; `kind` says why."""

    def __init__(self, detail: str, kind: FailureKind) -> None:
        super().__init__(detail)
        self.kind = kind


class CallForgottenError(ClientError):
    """The coordinator took the call and knows nothing of it now: it was restarted."""


class Client:
    """Calls the skills of a coordinator, while entered.

    Args:
        transport: a connection of its own.
        address: who we are on the broker.
        coordinator: whom to call.
        chance: where the jitter of back-offs comes from.
    """

    def __init__(
        self,
        transport: Transport,
        address: Address,
        coordinator: Address,
        *,
        chance: random.Random | None = None,
    ) -> None:
        self.coordinator = coordinator
        self._address = address
        self._transport = transport
        self._chance = chance or random.Random()
        self._calls: dict[AttemptId, asyncio.Queue[Answer | None]] = {}
        self._outputs = PartialOutputs()
        self._announced = False

    async def __aenter__(self) -> Self:
        """Connect.

        Raises:
            TransportError: no broker answers, or it refuses us.
        """
        self._connected: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._group = await Background().__aenter__()
        self._running = self._group.create_task(self._run(), name=f"{self._address} connection")
        try:
            async with asyncio.timeout(CONNECT_S):
                await asyncio.wait([self._connected])
            self._connected.result()
        except TimeoutError as error:
            await self.__aexit__(None, None, None)
            raise UnreachableError(f"no connection to the broker in {CONNECT_S:g} s") from error
        except BaseException as error:
            await self.__aexit__(type(error), error, error.__traceback__)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._running.cancel()
        await self._group.__aexit__(kind, error, trace)

    async def _run(self) -> None:
        try:
            await self._transport.run(self)
        except TransportError as error:
            if self._connected.done():
                raise
            self._connected.set_exception(error)

    async def call(self, skill: str, args: Mapping[str, Json]) -> Mapping[str, Json]:
        """Have the coordinator do something, and return what it answers.

        Raises:
            CoordinatorSilentError: nobody answers.
            CallFailedError: it cannot or will not.
            CallForgottenError: it was restarted meanwhile.
        """
        name = str(uuid4())
        attempt = AttemptId(name)
        answers: asyncio.Queue[Answer | None] = asyncio.Queue()
        self._calls[attempt] = answers
        offer = Offer(
            attempt, RunId(name), TaskId(skill), 1, 0, 0, IDLE_S, skill, args, Effect.IDEMPOTENT
        )
        try:
            return _output(await self._answered(offer, answers))
        except LocalProtocolError as error:
            place = not_json(args) or "its arguments"
            detail = f"{skill}: {place}: this cannot be sent: {error}"
            raise CallFailedError(detail, FailureKind.BAD_INPUT) from error
        finally:
            del self._calls[attempt]

    async def _answered(self, offer: Offer, answers: asyncio.Queue[Answer | None]) -> Answer:
        order: Offer | Query = offer
        for pause_s in (*BACKOFF_S, 0.0):
            self._send(order)
            answer = await self._next(answers, order)
            while answer is not None:
                if isinstance(answer, Refused) or answer.phase is Phase.FINISHED:
                    return answer
                order = Query(offer.attempt)  # there is a sign of life
                answer = await self._next(answers, order)
            if not self._announced:
                break
            await asyncio.sleep(pause_s * self._chance.uniform(0.8, 1.2))
        raise CoordinatorSilentError(
            f"no coordinator answers at {self.coordinator}:"
            " start one with `muster coordinator`, or name another with --config"
        )

    async def _next(
        self, answers: asyncio.Queue[Answer | None], order: Offer | Query
    ) -> Answer | None:
        """Return the next answer, None for silence; ask again whenever that may help."""
        limit_s = FIRST_REPLY_S if isinstance(order, Offer) else IDLE_S
        for part_s in (UNANNOUNCED_S, limit_s - UNANNOUNCED_S):
            with suppress(TimeoutError):
                async with asyncio.timeout(part_s):
                    while (answer := await answers.get()) is None:
                        self._send(order)
                    return answer
            if not self._announced:
                break
        return None

    def _send(self, order: Offer | Query) -> None:
        with suppress(NotConnectedError, QueueFullError):  # said again once we are connected
            self._transport.publish(
                encode_order(
                    order,
                    to=self.coordinator,
                    reply_to=topics.reply(self._address, self.coordinator.agent),
                    correlation=uuid4().hex.encode(),
                )
            )

    # The connection's owner (`protocol.transport.Peer`)

    def will(self) -> None:
        """Leave no will: a caller has nothing to say when it is gone."""

    def filters(self) -> tuple[str, ...]:
        """Listen to answers, and to the coordinator's card."""
        return (
            topics.reply(self._address, self.coordinator.agent),
            topics.discovery(self.coordinator),
        )

    def connected(self) -> None:
        """Ask again for whatever was under way."""
        if not self._connected.done():
            self._connected.set_result(None)
        self._ask_again()

    def disconnected(self, reason: str) -> None:
        """Go on: the transport tries again, and every call has its time limit."""

    def received(self, message: Message) -> None:
        """Take an answer, or the coordinator's card; what makes no sense counts as silence."""
        topic = topics.parse(message.topic)
        with suppress(RemoteProtocolError):
            if topic is not None and topic.kind is Kind.DISCOVERY:
                there = decode_card(message).status == "online"
                if there and not self._announced:
                    self._ask_again()
                self._announced = there
            else:
                for each in split(message):
                    self._reply(each)

    def _reply(self, message: Message) -> None:
        match decode_reply(message, self._outputs):
            case Report(attempt=attempt) as answer:
                pass
            case Refused(request_id=name) as answer:
                attempt = AttemptId(name)
            case _:
                return
        if attempt in self._calls:
            self._calls[attempt].put_nowait(answer)

    def _ask_again(self) -> None:
        for answers in self._calls.values():
            answers.put_nowait(None)


def _output(answer: Answer) -> Mapping[str, Json]:
    if isinstance(answer, Refused):
        if answer.code == TASK_NOT_FOUND:
            raise CallForgottenError("the coordinator was restarted meanwhile: try again")
        raise CallFailedError(answer.detail or answer.name, FailureKind.SKILL_ERROR)
    match answer.outcome:
        case Succeeded(output=Mapping() as output):
            return output
        case Failed(kind=kind, detail=detail):
            raise CallFailedError(detail, kind)
        case other:
            raise CallFailedError(f"the coordinator answers {other}", FailureKind.TRANSIENT)
