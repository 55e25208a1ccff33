"""What the coordinator's orders become on the wire."""

import asyncio
import json

import pytest

from orchestrator.core import commands as c
from orchestrator.outbox import ACK_AFTER_S, ACKS_AT_ONCE, DEVICES, Outbox
from protocol.topics import Address
from protocol.types import AttemptId, DeviceCard, DeviceId, RunId

RUN = RunId("r")
OURS, OTHER, PLAIN, UNKNOWN = map(DeviceId, ("ours", "other", "plain", "unknown"))
CARDS = {
    OURS: DeviceCard(OURS),
    OTHER: DeviceCard(OTHER),
    PLAIN: DeviceCard(PLAIN, extension=False),
}


@pytest.fixture
def sent():
    return []


@pytest.fixture
def outbox(sent):
    return Outbox(
        Address("muster", "default", "c"),
        publish=sent.append,
        card=CARDS.get,
        unsayable=lambda *_: None,
        clock=lambda: 0.0,
    )


def cancel(device, name):
    return c.CancelAttempt(device, AttemptId(name), RUN, 1)


def said(sent):
    """Return the device of each message, and the attempts it is about, or its method."""
    return [
        (
            message.topic.rsplit("/")[-1],
            [each["params"].get("id", each["method"]) for each in all_],
        )
        for message in sent
        for all_ in [json.loads(b"[%b]" % message.payload.strip(b"[]"))]
    ]


def test_orders_leave_with_the_flush_one_message_a_device_in_order(outbox, sent):
    for device, name in [(OURS, "1"), (OTHER, "2"), (OURS, "3")]:
        outbox.perform(cancel(device, name))
    assert sent == []
    outbox.flush()
    assert said(sent) == [("ours", ["1", "3"]), ("other", ["2"])]
    assert len({message.correlation for message in sent}) == 2


@pytest.mark.parametrize("device", [PLAIN, UNKNOWN])
def test_who_has_not_announced_our_extension_is_sent_each_order_by_itself(outbox, sent, device):
    for name in "12":
        outbox.perform(cancel(device, name))
    outbox.flush()
    assert said(sent) == [(device, ["1"]), (device, ["2"])]


def test_a_hello_goes_alone_between_what_came_before_and_after_it(outbox, sent):
    outbox.perform(cancel(OURS, "1"))
    outbox.perform(c.SayHello(OURS, {RUN: 1}))
    outbox.perform(cancel(OURS, "2"))
    outbox.flush()
    hello = sent[1].correlation
    assert said(sent) == [("ours", ["1"]), ("ours", ["muster/hello"]), ("ours", ["2"])]
    assert outbox.asked_at(OURS, hello) == 0.0


async def test_acknowledgements_that_nothing_carries_leave_by_themselves(outbox, sent):
    outbox.perform(c.Acknowledge(OURS, AttemptId("a")))
    outbox.flush()
    assert sent == []
    await asyncio.sleep(2 * ACK_AFTER_S)
    assert said(sent) == [("ours", ["muster/renew"])]
    for number in range(ACKS_AT_ONCE):
        outbox.perform(c.Acknowledge(OURS, AttemptId(str(number))))
    outbox.flush()
    assert len(sent) == 2


def test_what_is_known_of_devices_that_are_gone_is_let_go(sent):
    cards = dict(CARDS)
    outbox = Outbox(
        Address("muster", "default", "c"),
        publish=sent.append,
        card=cards.get,
        unsayable=lambda *_: None,
        clock=lambda: 7.0,
    )
    outbox.perform(c.SayHello(OURS, {}))
    for n in range(10 * DEVICES):
        gone = DeviceId(str(n))
        cards[gone] = DeviceCard(gone)
        outbox.announced(gone, streaming=False)
        del cards[gone]
    assert len(vars(outbox)["_known"]) < 3 * DEVICES
    assert outbox.asked_at(OURS, sent[0].correlation) == 7.0
