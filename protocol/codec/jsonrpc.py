"""JSON-RPC 2.0: bytes in bounds, and errors with the codes of three specifications.

Every reader here raises only `RemoteProtocolError`, whatever the bytes.
"""

from collections.abc import Collection, Mapping
from enum import Enum
from typing import Final, TypeAlias, TypeVar

from pydantic import StrictInt, StrictStr, TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from protocol.errors import LocalProtocolError, RemoteProtocolError
from protocol.messages import Refused

MAX_PAYLOAD_BYTES: Final = 1 << 20  # larger things are artifacts and do not cross the broker

RequestId: TypeAlias = StrictStr | StrictInt

_T = TypeVar("_T")


class ErrorCode(Enum):
    """Why a request came to nothing: its JSON-RPC code, and its name where codes collide.

    -32001 to -32009 are core A2A's; the MQTT binding gives three of them a second meaning and
    tells them apart by `error.data.a2a_error`.
    """

    PARSE_ERROR = (-32700, "")
    INVALID_REQUEST = (-32600, "")
    METHOD_NOT_FOUND = (-32601, "")
    INVALID_PARAMS = (-32602, "")
    INTERNAL_ERROR = (-32603, "")
    TASK_NOT_FOUND = (-32001, "")
    TASK_NOT_CANCELABLE = (-32002, "")
    UNSUPPORTED_OPERATION = (-32004, "")
    REQUEST_EXPIRED = (-32003, "request_expired")
    RESPONDER_UNAVAILABLE = (-32004, "responder_unavailable")
    TRANSPORT_PROTOCOL_ERROR = (-32005, "transport_protocol_error")

    def refused(self, detail: str, *, request_id: RequestId | None = None) -> Refused:
        """Return the error as a reply for `encode_reply`."""
        code, name = self.value
        return Refused("" if request_id is None else str(request_id), code, name, detail)


class RequestError(RemoteProtocolError):
    """A request came to nothing. Where it has a response topic, `refused` is owed as the answer.

    Attributes:
        refused: why, ready for `encode_reply`.
        request_id: what the answer's id must be; None where the bytes did not say.
    """

    def __init__(self, code: ErrorCode, detail: str, *, request_id: RequestId | None) -> None:
        super().__init__(detail)
        self.refused = code.refused(detail, request_id=request_id)
        self.request_id = request_id


def dump(body: object) -> bytes:
    """Write JSON.

    Raises:
        LocalProtocolError: JSON cannot say this (not a number, unknown type, lone surrogate, too
            deep), or it is larger than `MAX_PAYLOAD_BYTES`.
    """
    try:
        payload = to_json(body, fallback=_plain)
        _check_finite(payload)
    except ValueError as error:
        raise LocalProtocolError(f"JSON cannot say this: {error}") from error
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise LocalProtocolError(
            f"{len(payload)} bytes do not fit in a message of {MAX_PAYLOAD_BYTES}"
        )
    return payload


def load(shape: TypeAdapter[_T], payload: bytes) -> _T:
    """Read JSON of this shape: size and depth bounded, numbers finite.

    Not strict about how a number is written: protobuf turns the 3 in metadata into 3.0.

    Raises:
        RemoteProtocolError: the bytes are something else.
    """
    bounded(payload)
    try:
        body = shape.validate_json(payload)
        if _may_overflow(payload):
            _check_finite(to_json(body))
    except ValidationError as error:
        raise RemoteProtocolError(complaint(error)) from error
    except ValueError as error:
        raise RemoteProtocolError(f"a number without a value: {error}") from error
    return body


def bounded(payload: bytes) -> None:
    """Refuse to read what is too large.

    Raises:
        RemoteProtocolError: it is.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise RemoteProtocolError(
            f"{len(payload)} bytes in one message; at most {MAX_PAYLOAD_BYTES} are read"
        )


def request_error(
    payload: bytes, cause: RemoteProtocolError, *, methods: Collection[str]
) -> RequestError:
    """Say in JSON-RPC's terms what is wrong with a request that `load` refused."""
    try:
        body = from_json(payload) if len(payload) <= MAX_PAYLOAD_BYTES else None
    except ValueError:
        return RequestError(ErrorCode.PARSE_ERROR, str(cause), request_id=None)
    if not isinstance(body, dict):
        return RequestError(ErrorCode.INVALID_REQUEST, str(cause), request_id=None)
    request_id = body.get("id")
    if isinstance(request_id, bool) or not isinstance(request_id, str | int):
        request_id = None
    return RequestError(_code(body, methods), str(cause), request_id=request_id)


def _code(body: Mapping[str, object], methods: Collection[str]) -> ErrorCode:
    method = body.get("method")
    if body.get("jsonrpc") != "2.0" or not isinstance(method, str):
        return ErrorCode.INVALID_REQUEST
    return ErrorCode.INVALID_PARAMS if method in methods else ErrorCode.METHOD_NOT_FOUND


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise ValueError(f"{type(value).__name__} is not JSON")


_OUTLINE: Final = bytes.maketrans(b"123456789E", b"000000000e")
_EXPONENT: Final = b"0e000"
_LONG: Final = b"0" * 200  # with an exponent of two digits it takes 210 to pass 1.8e308


def _may_overflow(payload: bytes) -> bool:
    """Tell whether a number may be read as infinity or NaN: never wrongly no, rarely wrongly yes.

    1e999 is read as infinity, which nothing after us can write. Writing all again would find out,
    and costs more than reading it; here all digits look alike, and so do all exponents.
    """
    outline = payload.translate(_OUTLINE, b"+")
    return _EXPONENT in outline or _LONG in outline or b"NaN" in payload or b"Infinity" in payload


def _check_finite(payload: bytes) -> None:
    if b"NaN" in payload or b"Infinity" in payload:
        from_json(payload, allow_inf_nan=False)  # raises, unless a string says so


def complaint(error: ValidationError) -> str:
    """Return the first thing that pydantic found wrong, with its place, in one line."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(step) for step in first["loc"])
    return (f"{place}: {first['msg']}" if place else first["msg"])[:300]  # it quotes their bytes
