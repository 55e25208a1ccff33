"""The shapes of JSON-RPC requests, as `orders` reads them: one for each method."""

from typing import Annotated, Final, Literal, NotRequired, TypeAlias, TypeVar

from pydantic import AfterValidator, Field, TypeAdapter
from typing_extensions import TypedDict

from protocol import a2a
from protocol.bounds import MAX_COUNTER, check_prefetch, check_renewal
from protocol.codec.jsonrpc import RequestId
from protocol.extension import DRAIN, HELLO, PREFETCH, REFUSE, RELEASE, RENEW
from protocol.messages import Drain, Hello, Prefetch, Refuse, Release, Renew


class _Send(TypedDict):
    jsonrpc: Literal["2.0"]
    id: RequestId
    method: Literal["SendStreamingMessage", "SendMessage"]
    params: a2a.SendMessageRequest


class _GetTask(TypedDict):
    jsonrpc: Literal["2.0"]
    id: RequestId
    method: Literal["GetTask"]
    params: a2a.GetTaskRequest


class _CancelTask(TypedDict):
    jsonrpc: Literal["2.0"]
    id: RequestId
    method: Literal["CancelTask"]
    params: a2a.CancelTaskRequest


_Epochs = TypeVar("_Epochs", Renew, Hello, Refuse)


def _counters(order: _Epochs) -> _Epochs:
    if not all(0 <= epoch <= MAX_COUNTER for epoch in order.epochs.values()):
        raise ValueError("an epoch is out of range")
    return order


class _Renew(TypedDict):
    jsonrpc: Literal["2.0"]
    id: NotRequired[RequestId]
    method: Literal["muster/renew"]
    params: Annotated[Renew, AfterValidator(_counters), AfterValidator(check_renewal)]


class _Hello(TypedDict):
    jsonrpc: Literal["2.0"]
    id: RequestId
    method: Literal["muster/hello"]
    params: Annotated[Hello, AfterValidator(_counters)]


class _Refuse(TypedDict):
    jsonrpc: Literal["2.0"]
    id: RequestId
    method: Literal["muster/refuse"]
    params: Annotated[Refuse, AfterValidator(_counters)]


class _Drain(TypedDict):
    jsonrpc: Literal["2.0"]
    id: NotRequired[RequestId]
    method: Literal["muster/drain"]
    params: Drain


class _Release(TypedDict):
    jsonrpc: Literal["2.0"]
    id: NotRequired[RequestId]
    method: Literal["muster/release"]
    params: Release


class _Prefetch(TypedDict):
    jsonrpc: Literal["2.0"]
    id: NotRequired[RequestId]
    method: Literal["muster/prefetch"]
    params: Annotated[Prefetch, AfterValidator(check_prefetch)]


_Notice: TypeAlias = _Renew | _Drain | _Release | _Prefetch
Body: TypeAlias = _Send | _GetTask | _CancelTask | _Hello | _Refuse | _Notice
BODY: Final = TypeAdapter[Body](Annotated[Body, Field(discriminator="method")])
METHODS: Final = {
    "SendStreamingMessage",
    "SendMessage",
    "GetTask",
    "CancelTask",
    RENEW,
    HELLO,
    REFUSE,
    DRAIN,
    RELEASE,
    PREFETCH,
}
