"""Payloads that once broke a reader somewhere, or could: each is read, or refused as theirs."""

from contextlib import suppress

import pytest

from protocol.codec import (
    PartialOutputs,
    decode_card,
    decode_event,
    decode_order,
    decode_reply,
)
from protocol.errors import RemoteProtocolError
from protocol.topics import discovery, event
from protocol.transport import Message
from tests.protocol.examples import LAPTOP, REPLY_TO

CORPUS = {
    "nothing": b"",
    "a nul": b"\0",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "utf-16": '{"jsonrpc": "2.0"}'.encode("utf-16"),
    "overlong utf-8": b'{"id": "\xc0\xaf"}',
    "half a character": b'{"id": "\xe2\x82',
    "a lone surrogate": b'{"jsonrpc":"2.0","id":"\\ud800","method":"GetTask",'
    b'"params":{"id":"\\udfff"}}',
    "a nul in a string": b'{"jsonrpc":"2.0","id":"\\u0000","method":"GetTask",'
    b'"params":{"id":"\\u0000"}}',
    "deep arrays": b"[" * 100_000,
    "deep closed arrays": b"[" * 10_000 + b"]" * 10_000,
    "deep objects": b'{"a":' * 100_000,
    "a number without end": b"1" * 100_000,
    "an integer of 5,000 digits as id": b'{"jsonrpc":"2.0","id":' + b"9" * 5_000 + b"}",
    "an exponent without bound": b'{"jsonrpc":"2.0","id":1e999999999,"method":"GetTask"}',
    "not a number": b'{"jsonrpc":"2.0","id":NaN}',
    "infinity": b'{"jsonrpc":"2.0","id":1,"result":{"task":-Infinity}}',
    "an empty batch": b"[]",
    "a batch of nothing": b"[null, [], {}, 1]",
    "a batch in a batch": b'[[{"jsonrpc":"2.0","id":1,"method":"GetTask","params":{"id":"a"}}]]',
    "a batch of 10,000": b"[" + b",".join([b"{}"] * 10_000) + b"]",
    "a key twice": b'{"jsonrpc":"2.0","jsonrpc":[],"id":"1","id":{}}',
    "an id that is true": b'{"jsonrpc":"2.0","id":true,"method":"GetTask","params":{"id":"a"}}',
    "an id that is a list": b'{"jsonrpc":"2.0","id":[1],"method":"GetTask","params":{"id":"a"}}',
    "a method that is a number": b'{"jsonrpc":"2.0","id":1,"method":7,"params":{}}',
    "a method of object": b'{"jsonrpc":"2.0","id":1,"method":"__class__","params":{}}',
    "params that are a list": b'{"jsonrpc":"2.0","id":1,"method":"GetTask","params":["a"]}',
    "a result and an error": b'{"jsonrpc":"2.0","id":1,"result":{},'
    b'"error":{"code":1,"message":""}}',
    "an error without a code": b'{"jsonrpc":"2.0","id":1,"error":{"message":"x"}}',
    "an error with a huge code": b'{"jsonrpc":"2.0","id":1,"error":{"code":1e300,"message":"x"}}',
    "an error with odd data": b'{"jsonrpc":"2.0","id":1,'
    b'"error":{"code":1,"message":"","data":[[1]]}}',
    "a state that is unknown": b'{"jsonrpc":"2.0","id":"1","result":{"statusUpdate":{"taskId":"a",'
    b'"contextId":"r","status":{"state":"TASK_STATE_DONE"}}}}',
    "a task without an id": b'{"jsonrpc":"2.0","id":"1","result":{"task":{"status":{}}}}',
    "a card that is a list": b"[1, 2, 3]",
    "a card with slots below zero": b'{"name":"x","capabilities":{"extensions":[{"uri":'
    b'"urn:muster:a2a:execution:1","params":{"slots":-1}}]}}',
    "a card of nulls": b'{"name":null,"skills":null,"capabilities":null}',
    "prototype pollution": b'{"__proto__":{"x":1},"constructor":{"prototype":{}}}',
    "a bomb of blanks": b" " * 1_000_000 + b"{}",
    "html": b"<html><body>502 Bad Gateway</body></html>",
    "protobuf": bytes.fromhex("0a0568656c6c6f1203776f72"),
    "gzip": bytes.fromhex("1f8b0800000000000003"),
}
READERS = {
    "order": lambda payload: decode_order(
        Message("t", payload, response_topic=REPLY_TO, correlation=b"c")
    ),
    "order without an address": lambda payload: decode_order(Message("t", payload)),
    "reply": lambda payload: decode_reply(Message(REPLY_TO, payload), PartialOutputs()),
    "card": lambda payload: decode_card(Message(discovery(LAPTOP), payload)),
    "event": lambda payload: decode_event(Message(event(LAPTOP), payload)),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", CORPUS)
def test_hostile_payload_is_read_or_refused(name, reader):
    with suppress(RemoteProtocolError):
        READERS[reader](CORPUS[name])
