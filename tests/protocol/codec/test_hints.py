"""What is said of transfers: a device's link, hints, and what an attempt fetched."""

from dataclasses import replace

import pytest

from protocol.bounds import MAX_COUNTER, MAX_REFERENCES
from protocol.codec import RequestError, decode_card, decode_order, encode_card, encode_order
from protocol.errors import RemoteProtocolError
from protocol.messages import Prefetch
from tests.protocol.examples import CARD, LAPTOP, REPLY_TO

REFERENCE = {"$artifact": {"sha256": "ab"}}


def said(order):
    return encode_order(order, to=LAPTOP, reply_to=REPLY_TO, correlation=b"c")


def test_a_hint_is_a_notification_that_speaks_our_extension():
    request = decode_order(said(Prefetch("r", 3, "skill", (REFERENCE,) * MAX_REFERENCES)))
    assert request.request_id is None
    assert request.extension
    assert len(request.order.references) == MAX_REFERENCES


@pytest.mark.parametrize(
    "hint",
    [
        Prefetch("r", 3, "skill", (REFERENCE,) * (MAX_REFERENCES + 1)),
        Prefetch("r", -1, "skill", ()),
        Prefetch("r", MAX_COUNTER + 1, "skill", ()),
    ],
)
def test_a_hint_out_of_bounds_is_refused(hint):
    with pytest.raises(RequestError):
        decode_order(said(hint))


@pytest.mark.parametrize("bandwidth", [0.0, 0.5, -1.0, 1e16])
def test_a_bandwidth_that_no_estimate_survives_is_refused(bandwidth):
    message = encode_card(replace(CARD, bandwidth=bandwidth), address=LAPTOP)
    with pytest.raises(RemoteProtocolError, match="bandwidth"):
        decode_card(message)


def test_a_card_that_says_nothing_of_transfers_knows_no_link_and_takes_no_hints():
    card = replace(CARD, bandwidth=None, prefetches=False)
    message = encode_card(card, address=LAPTOP)
    assert b"bandwidth" not in message.payload
    assert b"prefetches" not in message.payload
    assert decode_card(message).card == card
