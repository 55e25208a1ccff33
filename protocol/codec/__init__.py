"""Messages as A2A 1.0 over MQTT 5, and back: the only place that knows the bytes.

Pure: no clock, chance or I/O. Readers raise only `RemoteProtocolError`, on any bytes; writers
raise `LocalProtocolError` for what JSON cannot say. `jsonrpc` bounds the bytes, `orders` are
requests, `replies` responses, `batches` several of either, `cards` what an agent says to all.
"""

from protocol.codec.batches import Batches, split
from protocol.codec.cards import (
    Announcement,
    Source,
    Status,
    clear_card,
    decode_card,
    decode_event,
    encode_card,
    encode_heartbeat,
)
from protocol.codec.jsonrpc import MAX_PAYLOAD_BYTES, ErrorCode, RequestError, RequestId
from protocol.codec.orders import (
    Form,
    Request,
    decode_order,
    decode_orders,
    encode_order,
    encode_plain_offer,
)
from protocol.codec.outputs import PartialOutputs
from protocol.codec.replies import decode_reply, encode_refusal, encode_reply

__all__ = [
    "MAX_PAYLOAD_BYTES",
    "Announcement",
    "Batches",
    "ErrorCode",
    "Form",
    "PartialOutputs",
    "Request",
    "RequestError",
    "RequestId",
    "Source",
    "Status",
    "clear_card",
    "decode_card",
    "decode_event",
    "decode_order",
    "decode_orders",
    "decode_reply",
    "encode_card",
    "encode_heartbeat",
    "encode_order",
    "encode_plain_offer",
    "encode_refusal",
    "encode_reply",
    "split",
]
