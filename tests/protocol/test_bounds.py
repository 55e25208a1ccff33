"""What is said of warm resources: its bounds, and that nothing is said where nothing is pinned."""

import json
from dataclasses import replace

import pytest
from pydantic_core import to_json

from protocol.bounds import MAX_COUNTER, MAX_NAME, MAX_PINS, MAX_SECONDS, MAX_WARM
from protocol.codec import (
    PartialOutputs,
    decode_event,
    decode_order,
    decode_reply,
    encode_heartbeat,
    encode_order,
    encode_reply,
)
from protocol.errors import LocalProtocolError, RemoteProtocolError
from protocol.messages import Renew
from protocol.types import Load
from tests.protocol.examples import FINISHED, HEARTBEAT, HELD, LAPTOP, OFFER, PIN, REPLY_TO, WARM

RENEW = Renew({"r-1": 3}, ("a-1",), 30.0)
BARE = Load()
NAN, INFINITY = float("nan"), float("inf")


def order(said):
    return encode_order(said, to=LAPTOP, reply_to=REPLY_TO, correlation=b"c")


def reply(said):
    return encode_reply(said, to=REPLY_TO, correlation=b"c", request_id="q")


def heard(message):
    return decode_reply(message, PartialOutputs())


PINNING = {
    "offer": (lambda pins: order(replace(OFFER, pins=pins)), lambda m: decode_order(m).order.pins),
    "renew": (lambda pins: order(replace(RENEW, pins=pins)), lambda m: decode_order(m).order.pins),
}
WARMING = {
    "report": (lambda warm: reply(replace(FINISHED, warm=warm)), lambda m: heard(m).warm),
    "held": (
        lambda warm: reply(replace(HELD, load=Load(warm=warm))),
        lambda m: heard(m).load.warm,
    ),
    "heartbeat": (
        lambda warm: encode_heartbeat(replace(HEARTBEAT, load=Load(warm=warm)), LAPTOP),
        lambda m: decode_event(m).load.warm,
    ),
}
LONG = "x" * (MAX_NAME + 1)
NO_AMOUNT = [-1e-300, INFINITY, NAN]
NO_SECONDS = [-1e-300, 1.01 * MAX_SECONDS, INFINITY, NAN]
NO_PIN = {
    "kind": [LONG],
    "key": [LONG],
    "amount": NO_AMOUNT,
    "token": [-1, MAX_COUNTER + 1],
    "protected_s": NO_SECONDS,
    "release_s": NO_SECONDS,
}
NO_WARM = {"kind": [LONG], "key": [LONG], "amount": NO_AMOUNT, "load_s": NO_SECONDS}


def beyond(good, most, ranges):
    yield pytest.param((good,) * (most + 1), id=f"{most + 1}")
    for field, values in ranges.items():
        for value in values:
            bad = replace(good, **{field: value})
            yield pytest.param((good, bad), id=f"{field} {str(value)[:20]}")


def refuse(write, read, good, bad):
    """Neither side lets it pass, whoever the other is."""
    with pytest.raises(LocalProtocolError, match=r"out of range|at most"):
        write(bad)
    honest = write(good)
    forged = honest.payload.replace(to_json(good), to_json(bad))
    assert forged != honest.payload
    with pytest.raises(RemoteProtocolError, match=r"out of range|at most"):
        read(replace(honest, payload=forged))


@pytest.mark.parametrize("kind", PINNING)
@pytest.mark.parametrize("bad", [*beyond(PIN, MAX_PINS, NO_PIN)])
def test_pins_out_of_bounds_are_neither_written_nor_read(kind, bad):
    refuse(*PINNING[kind], (PIN,), bad)


@pytest.mark.parametrize("kind", WARMING)
@pytest.mark.parametrize("bad", [*beyond(WARM[0], MAX_WARM, NO_WARM)])
def test_warm_resources_out_of_bounds_are_neither_written_nor_read(kind, bad):
    refuse(*WARMING[kind], WARM, bad)


@pytest.mark.parametrize("kind", PINNING)
def test_pins_at_their_bounds_come_back_as_they_were(kind):
    write, read = PINNING[kind]
    least = replace(PIN, kind="", key="", amount=0.0, token=0, protected_s=0.0, release_s=0.0)
    most = replace(
        PIN,
        kind="k" * MAX_NAME,
        key="\U0001f525" * MAX_NAME,
        amount=1.7e308,
        token=MAX_COUNTER,
        protected_s=MAX_SECONDS,
        release_s=MAX_SECONDS,
    )
    pins = (least, *[most] * (MAX_PINS - 1))
    assert read(write(pins)) == pins


@pytest.mark.parametrize("kind", WARMING)
def test_warm_resources_at_their_bounds_come_back_as_they_were(kind):
    write, read = WARMING[kind]
    least = replace(WARM[0], kind="", key="", amount=0.0, load_s=0.0)
    most = replace(
        WARM[0], kind="k" * MAX_NAME, key="\x01" * MAX_NAME, amount=1.7e308, load_s=MAX_SECONDS
    )
    warm = (least, *[most] * (MAX_WARM - 1))
    assert read(write(warm)) == warm


@pytest.mark.parametrize(
    ("message", "field"),
    [(order(replace(OFFER, pins=())), b"pins"), (reply(FINISHED), b"warm")],
    ids=["offer", "report"],
)
def test_where_nothing_is_pinned_nothing_is_said_of_it(message, field):
    assert field not in message.payload


def test_a_renewal_without_pins_is_written_as_before_there_were_pins():
    assert order(RENEW).payload == (
        b'{"method":"muster/renew","params":{"epochs":{"r-1":3},"attempts":["a-1"],"ttl_s":30.0,'
        b'"acks":[]},"jsonrpc":"2.0"}'
    )


def test_a_load_of_a_device_without_warm_resources_is_written_as_before_they_were_named():
    load = b'{"slots_used":0,"used":{},"warm":[],"draining":false,"battery":null}'
    assert load in encode_heartbeat(replace(HEARTBEAT, load=BARE), LAPTOP).payload
    assert load in reply(replace(HELD, load=BARE)).payload


def test_a_load_that_does_not_speak_of_warm_resources_has_none():
    body = json.loads(reply(HELD).payload)
    del body["result"]["held"]["load"]["warm"]
    message = replace(reply(HELD), payload=json.dumps(body).encode())
    assert heard(message) == replace(HELD, load=replace(HELD.load, warm=()))
