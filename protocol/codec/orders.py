"""Orders as JSON-RPC requests, and back.

| order | method | answered |
| --- | --- | --- |
| `Offer`, `Answer` | `SendStreamingMessage` | by a stream of reports |
| `Query` | `GetTask` | by one report |
| `Cancel` | `CancelTask` | by one report |
| `Hello` | `muster/hello` | by `Held` |
| `Refuse` | `muster/refuse` | by reports on the attempts |
| `Renew`, `Drain`, `Release`, `Prefetch` | `muster/renew`, `muster/drain`, … | never |

What is never answered is a notification, without id.

An order on one attempt has the attempt as its JSON-RPC id, so that an error maps back to it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, assert_never

from protocol import a2a, topics
from protocol.bounds import check_pins, check_renewal, ours
from protocol.codec.batches import split
from protocol.codec.bodies import BODY, METHODS, Body
from protocol.codec.content import call, content
from protocol.codec.jsonrpc import (
    ErrorCode,
    RequestError,
    RequestId,
    dump,
    load,
    request_error,
)
from protocol.errors import RemoteProtocolError
from protocol.extension import (
    DRAIN,
    EXTENSION_URI,
    HELLO,
    PREFETCH,
    REFUSE,
    RELEASE,
    RENEW,
    AnswerTerms,
    OfferTerms,
)
from protocol.messages import (
    Answer,
    Cancel,
    Drain,
    Hello,
    Offer,
    Order,
    Prefetch,
    Query,
    Refuse,
    Release,
    Renew,
)
from protocol.topics import Address
from protocol.transport import Message
from protocol.types import AttemptId, Effect, RunId, TaskId

FOREIGN_TTL_S: Final = 300.0  # the lease of a client that knows no leases: nobody renews it
_EXTENSIONS: Final = [EXTENSION_URI]


class Form(StrEnum):
    """What shape of answer a request asked for."""

    STREAM = "stream"
    """Items as they come, until a final state."""
    MESSAGE = "message"
    """One answer, when the task is finished or asks for input."""
    TASK = "task"
    """One answer, at once: the task as it stands."""


@dataclass(frozen=True, slots=True)
class Request:
    """An order, and where its answers go."""

    order: Order
    reply_to: str
    correlation: bytes
    request_id: RequestId | None
    """None for a notification: nobody waits for an answer."""
    form: Form = Form.STREAM
    extension: bool = False
    """Whether it speaks our extension, so that its sender reads batches."""


_NOTICES: Final[dict[type, str]] = {Drain: DRAIN, Release: RELEASE, Prefetch: PREFETCH}
_FORMS: Final = {"SendMessage": Form.MESSAGE, "GetTask": Form.TASK, "CancelTask": Form.TASK}


def encode_order(
    order: Order,
    *,
    to: Address,
    reply_to: str,
    correlation: bytes,
    request_id: str | None = None,
) -> Message:
    """Write an order for an agent with our extension.

    Args:
        order: what to ask.
        to: the agent.
        reply_to: a topic that is subscribed already.
        correlation: new for every publish, never a task id, UTF-8: peers decode it as text.
        request_id: the JSON-RPC id, by default the attempt, or else the correlation in hex.

    Raises:
        LocalProtocolError: JSON cannot say the order, or it is too large, or its pins are too
            many or out of range.
    """
    match order:
        case Offer():
            data = {"skill": order.skill, "args": order.args}
            body = _send(order, [{"data": data}], _offer_terms(order))
        case Answer():
            body = _send(order, [{"data": order.value}], _answer_terms(order))
        case Query():
            body = {"id": order.attempt, "method": "GetTask", "params": {"id": order.attempt}}
        case Cancel():
            metadata = {EXTENSION_URI: {"run": order.run, "epoch": order.epoch}}
            params = {"id": order.attempt, "metadata": metadata}
            body = {"id": order.attempt, "method": "CancelTask", "params": params}
        case Hello():
            body = {"id": correlation.hex(), "method": HELLO, "params": order}
        case Refuse():
            body = {"id": correlation.hex(), "method": REFUSE, "params": order}
        case Renew():
            body = {"method": RENEW, "params": _renewal(order)}
        case Drain() | Release() | Prefetch():
            body = {"method": _NOTICES[type(order)], "params": order}
        case _:
            assert_never(order)
    return _published(body, to, reply_to, correlation, request_id)


def encode_plain_offer(
    offer: Offer,
    *,
    to: Address,
    reply_to: str,
    correlation: bytes,
    request_id: str | None = None,
    streaming: bool = True,
) -> Message:
    """Write an offer for an agent without our extension.

    Its first part is for agents that read text: the argument `text` where there is one, else all
    arguments as JSON. The second names the skill, for agents that read data.

    Raises:
        LocalProtocolError: JSON cannot say the offer, or it is too large.
    """
    text = offer.args.get("text")
    if not isinstance(text, str):
        text = dump(offer.args).decode()
    data = {"skill": offer.skill, "args": offer.args}
    body = _send(offer, [{"text": text}, {"data": data}])
    if not streaming:
        body["method"] = "SendMessage"
    return _published(body, to, reply_to, correlation, request_id)


def decode_order(message: Message) -> Request:
    """Read a request to our agent.

    A client without our extension makes an `Offer` too: effect ONCE, epoch and token 0, a lease
    of `FOREIGN_TTL_S`, the run its `contextId` (or the attempt), the attempt its `taskId` (or its
    `messageId`, which a retry repeats). The skill and its arguments are a data part, or the JSON
    in a text part, `{"skill": …, "args": {…}}`; any other text becomes the argument `text` of the
    skill `""`: the agent chooses.

    Raises:
        RequestError: the request came to nothing; its `refused` is owed as the answer.
    """
    try:
        body = load(BODY, message.payload)
    except RemoteProtocolError as error:
        raise request_error(message.payload, error, methods=METHODS) from error
    request_id = body.get("id")
    reply_to, correlation = message.response_topic, message.correlation
    if not reply_to or not correlation:
        raise RequestError(
            ErrorCode.TRANSPORT_PROTOCOL_ERROR,
            "a request needs a response topic and correlation data",
            request_id=request_id,
        )
    form = _FORMS.get(body["method"], Form.STREAM)
    try:
        order, extension = _order(body)
    except RemoteProtocolError as error:
        raise RequestError(ErrorCode.INVALID_PARAMS, str(error), request_id=request_id) from error
    return Request(order, reply_to, correlation, request_id, form, extension)


def decode_orders(message: Message) -> Iterator[Request | RequestError]:
    """Read the requests of a message: one, or those of a batch, each as `decode_order` would."""
    try:
        elements = split(message)
    except RemoteProtocolError as error:
        yield request_error(message.payload, error, methods=METHODS)
        return
    for element in elements:
        try:
            yield decode_order(element)
        except RequestError as error:
            yield error


def _send(
    order: Offer | Answer, parts: list[a2a.Part], terms: OfferTerms | AnswerTerms | None = None
) -> dict[str, object]:
    said: a2a.Message = {
        "messageId": order.attempt,
        "contextId": order.run,
        "taskId": order.attempt,
        "role": "ROLE_USER",
        "parts": parts,
    }
    if terms is not None:
        said["extensions"] = _EXTENSIONS
        said["metadata"] = {EXTENSION_URI: terms}
    return {"id": order.attempt, "method": "SendStreamingMessage", "params": {"message": said}}


def _offer_terms(offer: Offer) -> OfferTerms:
    terms: OfferTerms = {
        "task": offer.task,
        "number": offer.number,
        "epoch": offer.epoch,
        "token": offer.token,
        "ttl_s": offer.ttl_s,
        "effect": offer.effect,
    }
    if offer.limit_s is not None:
        terms["limit_s"] = offer.limit_s
    if offer.pins:
        terms["pins"] = ours(check_pins, offer.pins)
    if offer.acks:
        terms["acks"] = offer.acks
    if offer.incarnation is not None:
        terms["incarnation"] = offer.incarnation
    return terms


def _answer_terms(answer: Answer) -> AnswerTerms:
    terms: AnswerTerms = {"answers": answer.epoch}
    if answer.question:
        terms["question"] = answer.question
    return terms


def _renewal(renew: Renew) -> object:
    if renew.pins:
        return ours(check_renewal, renew)
    return {  # most renewals pin nothing, and do not say so
        "epochs": renew.epochs,
        "attempts": renew.attempts,
        "ttl_s": renew.ttl_s,
        "acks": renew.acks,
    }


def _published(
    body: dict[str, object], to: Address, reply_to: str, correlation: bytes, request_id: str | None
) -> Message:
    body["jsonrpc"] = "2.0"
    if request_id is not None and "id" in body:
        body["id"] = request_id
    return Message(
        topics.request(to), dump(body), response_topic=reply_to, correlation=correlation
    )


def _order(body: Body) -> tuple[Order, bool]:
    """Return an order, and whether it speaks our extension."""
    match body["method"]:
        case "SendStreamingMessage" | "SendMessage":
            return _sent(body["params"]["message"])
        case "GetTask":
            return Query(AttemptId(body["params"]["id"])), False
        case "CancelTask":
            params = body["params"]
            terms = params.get("metadata", {}).get(EXTENSION_URI)
            attempt = AttemptId(params["id"])
            if terms is None:
                return Cancel(attempt, RunId(""), 0), False
            return Cancel(attempt, terms["run"], terms["epoch"]), True
        case _:
            return body["params"], True


def _sent(said: a2a.Message) -> tuple[Offer | Answer, bool]:
    attempt = AttemptId(said.get("taskId") or said.get("messageId", ""))
    if not attempt:
        raise RemoteProtocolError("params.message: neither taskId nor messageId")
    run = RunId(said.get("contextId") or attempt)
    terms = said.get("metadata", {}).get(EXTENSION_URI)
    if terms is not None and "answers" in terms:
        value, question = content(said["parts"]), terms.get("question", 0)
        return Answer(attempt, run, terms["answers"], value, question), True
    skill, args = call(said["parts"])
    if terms is None:
        offer = Offer(
            attempt, run, TaskId(attempt), 1, 0, 0, FOREIGN_TTL_S, skill, args, Effect.ONCE
        )
        return offer, False
    offer = Offer(
        attempt,
        run,
        terms["task"],
        terms["number"],
        terms["epoch"],
        terms["token"],
        terms["ttl_s"],
        skill,
        args,
        terms["effect"],
        terms.get("limit_s"),
        terms.get("pins", ()),
        terms.get("acks", ()),
        terms.get("incarnation"),
    )
    return offer, True
