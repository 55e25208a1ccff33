"""The coordinator as an A2A agent: whoever can send it a request can submit, follow and steer.

Theory of operation. Each request names a task; the first with that id runs a skill of `SKILLS` in
a task of its own, every repeat joins it or is answered from memory. Memory is bounded (the oldest
answers go first), so each skill is harmless when repeated, or says that it cannot be.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Final, Self

from pydantic import ValidationError

from orchestrator.coordinator import COORDINATOR, ROLE
from orchestrator.core.errors import RequestError, UnknownRunError
from orchestrator.journal import JournalError
from orchestrator.library import Orchestrator
from orchestrator.service.skills import SKILLS
from protocol.background import Background
from protocol.codec import (
    ErrorCode,
    Form,
    Request,
    decode_order,
    encode_card,
    encode_refusal,
    encode_reply,
)
from protocol.codec import RequestError as BadRequestError
from protocol.errors import LocalProtocolError, NotConnectedError, QueueFullError
from protocol.messages import Cancel, Offer, Phase, Query, Refused, Reply, Report
from protocol.nearest import nearest
from protocol.sentences import complaint
from protocol.transport import Message, Transport
from protocol.types import (
    AttemptId,
    Cancelled,
    DeviceCard,
    DeviceId,
    Failed,
    FailureKind,
    Json,
    Outcome,
    Rejected,
    SkillInfo,
    Succeeded,
)

__all__ = ["SKILLS", "Service"]

OPEN_CALLS: Final = 256  # a person or program has one or two at a time
ANSWERS_KEPT: Final = 256  # of 64 KiB at most: 16 MiB
FAREWELL_S: Final = 2.0


@dataclass(slots=True)
class _Call:
    """A request whose skill runs."""

    request: Request
    """The latest with its id: who asks again has lost the answer to the former."""
    running: asyncio.Task[Outcome]


class Service:
    """Answers for an orchestrator, while entered; enter the orchestrator first.

    ```python
    service = Service(orchestrator, transport)
    async with orchestrator, service:
        ...
    ```

    Args:
        orchestrator: not yet entered, since its connection must listen to requests.
        transport: the orchestrator's.
    """

    def __init__(self, orchestrator: Orchestrator, transport: Transport) -> None:
        self._orchestrator = orchestrator
        self._transport = transport
        self._closed = True  # or not yet there
        self._group = Background()
        self._open: dict[AttemptId, _Call] = {}
        self._answers: OrderedDict[AttemptId, Report] = OrderedDict()
        self._address = orchestrator.coordinator.address
        self._card = _card(DeviceId(self._address.agent))
        orchestrator.coordinator.front = self

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self._closed = False
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closed = True
        for call in self._open.values():
            call.running.cancel()
        self._publish(encode_card(self._card, address=self._address, status="offline"))
        with suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_S):
                await self._transport.flush()
        await self._group.__aexit__(kind, error, trace)

    def card(self, *, online: bool) -> Message:
        """Return the retained card; not `online` makes it the last will."""
        if online:
            return encode_card(self._card, address=self._address)
        return encode_card(self._card, address=self._address, status="offline", source="lwt")

    def received(self, message: Message) -> None:
        """Take one request.

        Raises:
            RequestError: it made no sense; its sender was told if it said where.
        """
        try:
            request = decode_order(message)
        except BadRequestError as error:
            if refusal := encode_refusal(error, message):
                self._publish(refusal)
            raise
        match request.order:
            case Offer() as offer:
                self._offered(request, offer)
            case Query(attempt):
                self._say(self._report(attempt) or _unknown(), request)
            case Cancel(attempt):
                self._cancel(request, attempt)
            case _ if request.request_id is not None:
                refused = ErrorCode.UNSUPPORTED_OPERATION.refused(
                    "a coordinator takes SendMessage, SendStreamingMessage, GetTask and CancelTask"
                )
                self._say(refused, request)
            case _:
                pass  # a notification: nobody waits for an answer

    def _offered(self, request: Request, offer: Offer) -> None:
        attempt = offer.attempt
        if attempt in self._answers:
            self._say(self._answers[attempt], request)
            return
        if attempt in self._open:
            self._open[attempt].request = request
        elif self._closed or len(self._open) >= OPEN_CALLS:
            busy = Rejected("the coordinator has no room for another call; try again")
            self._say(Report(attempt, Phase.FINISHED, offer.run, outcome=busy), request)
            return
        else:
            acting = self._outcome(offer.skill, offer.args)
            running = self._group.create_task(acting, name=f"call {offer.skill}")
            self._open[attempt] = _Call(request, running)
            running.add_done_callback(partial(self._ended, offer))
        if request.form is Form.STREAM:
            self._say(Report(attempt, Phase.ACCEPTED, offer.run), request)

    async def _outcome(self, name: str, given: Mapping[str, Json]) -> Outcome:
        if name == "" and isinstance(text := given.get("text"), str):
            name, given = "submit", {"request": text}  # a client that only sends words
        if name not in SKILLS:
            detail = f"the coordinator has no skill {name!r}{nearest(name, SKILLS)}"
            return Failed(FailureKind.BAD_INPUT, detail)
        skill = SKILLS[name]
        try:
            args = skill.arguments.model_validate(given)
            return Succeeded(await skill.act(self._orchestrator, args))
        except ValidationError as error:
            return Failed(FailureKind.BAD_INPUT, f"{name}: {complaint(error, skill.arguments)}")
        except (RequestError, UnknownRunError) as error:
            return Failed(FailureKind.BAD_INPUT, str(error))
        except JournalError as error:
            return Failed(FailureKind.TRANSIENT, str(error))

    def _ended(self, offer: Offer, running: asyncio.Task[Outcome]) -> None:
        call = self._open.pop(offer.attempt)
        # A cancelled task may never have begun, so only here is its end seen in every case.
        if running.cancelled():
            outcome: Outcome = Cancelled("the call was cancelled")
        elif running.exception() is None:
            outcome = running.result()
        else:
            return  # our bug: the group ends the service with it
        report = Report(offer.attempt, Phase.FINISHED, offer.run, outcome=outcome)
        self._answers[offer.attempt] = report
        if len(self._answers) > ANSWERS_KEPT:
            self._answers.popitem(last=False)
        self._say(report, call.request)

    def _report(self, attempt: AttemptId) -> Report | None:
        if attempt in self._open:
            return Report(attempt, Phase.STARTED)
        return self._answers.get(attempt)

    def _cancel(self, request: Request, attempt: AttemptId) -> None:
        if attempt in self._answers:
            refused = ErrorCode.TASK_NOT_CANCELABLE.refused("the call is finished")
            self._say(refused, request)
        elif attempt in self._open:
            call = self._open[attempt]
            call.request = request
            call.running.cancel()
        else:
            self._say(_unknown(), request)

    def _say(self, reply: Reply, request: Request) -> None:
        try:
            message = encode_reply(
                reply,
                to=request.reply_to,
                correlation=request.correlation,
                request_id=request.request_id,
                form=request.form,
            )
        except LocalProtocolError as error:
            message = encode_reply(
                ErrorCode.INTERNAL_ERROR.refused(str(error)),
                to=request.reply_to,
                correlation=request.correlation,
                request_id=request.request_id,
            )
        self._publish(message)

    def _publish(self, message: Message) -> None:
        """Send, or do not: who waits for an answer asks again."""
        with suppress(NotConnectedError, QueueFullError, LocalProtocolError):
            self._transport.publish(message)


def _card(device: DeviceId) -> DeviceCard:
    return DeviceCard(
        device,
        "Muster coordinator",
        {ROLE: COORDINATOR},
        tuple(
            SkillInfo(
                name,
                skill.about,
                skill.arguments.model_json_schema(),
                effect=skill.effect,
            )
            for name, skill in SKILLS.items()
        ),
        slots=OPEN_CALLS,
    )


def _unknown() -> Refused:
    return ErrorCode.TASK_NOT_FOUND.refused("the coordinator knows no such call")
