"""What the coordinator's orders become on the wire."""

import asyncio
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core import commands as c
from orchestrator.outbox import ACK_AFTER_S, ACKS_AT_ONCE, DEVICES, Outbox
from protocol import messages as m
from protocol.bounds import MAX_PINS
from protocol.codec import decode_orders
from protocol.topics import Address
from protocol.types import AttemptId, DeviceCard, DeviceId, Effect, Resource, RunId, TaskId

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
def unsayable():
    return []


@pytest.fixture
def outbox(sent, unsayable):
    return outbox_to(sent, unsayable)


def outbox_to(sent, unsayable):
    return Outbox(
        Address("muster", "default", "c"),
        publish=sent.append,
        card=CARDS.get,
        unsayable=lambda *said: unsayable.append(said),
        clock=lambda: 0.0,
    )


def pin(token=1, *, run=RUN, epoch=3, protected_s=5.0):
    return c.Pin(Resource("kv", "chat", run), 1.0, run, epoch, token, protected_s, 9.0)


def grant(*tokens, device=OURS):
    return c.GrantPins(device, tuple(map(pin, tokens)))


def offer(name, *tokens, device=OURS):
    return c.Offer(
        device, AttemptId(name), RUN, TaskId("t"), 1, 3, 1, 20.0, "work", {}, Effect.PURE, 60.0,
        pins=tuple(map(pin, tokens)),
    )  # fmt: skip


def orders(message):
    return [request.order for request in decode_orders(message)]


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


def test_pins_leave_as_a_renewal_of_no_attempt_with_the_epochs_of_their_runs(outbox, sent):
    other = RunId("other")
    outbox.perform(c.GrantPins(OURS, (pin(1), pin(2, run=other, epoch=8))))
    outbox.flush()
    [message] = sent
    [renew] = orders(message)
    assert (renew.epochs, renew.attempts) == ({RUN: 3, other: 8}, ())
    assert [(each.run, each.token) for each in renew.pins] == [(RUN, 1), (other, 2)]


async def test_acknowledgements_ride_on_pins_with_the_epochs_of_both(outbox, sent):
    outbox.perform(c.Acknowledge(OURS, AttemptId("a"), RunId("over"), 5))
    outbox.perform(grant(1))
    outbox.flush()
    await asyncio.sleep(2 * ACK_AFTER_S)
    [message] = sent
    [renew] = orders(message)
    assert (renew.acks, renew.attempts) == (("a",), ())
    assert renew.epochs == {RunId("over"): 5, RUN: 3}


tokens = st.lists(st.integers(0, 9), max_size=3)


@settings(deadline=None)
@given(
    st.lists(
        st.builds(lambda some: grant(*some), tokens)
        | st.builds(lambda some: offer("a", *some), tokens)
        | st.just(c.RenewLeases(OURS, (AttemptId("a"),), {RUN: 3}, 20.0)),
        min_size=1,
        max_size=12,
    )
)
def test_pins_and_offers_of_a_flush_are_one_message_in_the_order_they_were_given(commands):
    sent = []
    outbox = outbox_to(sent, [])
    for command in commands:
        outbox.perform(command)
    outbox.flush()
    assert len(sent) <= 1
    told = [
        (type(order), [each.token for each in order.pins])
        for message in sent
        for order in orders(message)
    ]
    kinds = {c.GrantPins: m.Renew, c.RenewLeases: m.Renew, c.Offer: m.Offer}
    given_ = [
        (kinds[type(command)], [each.token for each in getattr(command, "pins", ())])
        for command in commands
        if not (isinstance(command, c.GrantPins) and not command.pins)
    ]
    assert told == given_


def test_more_pins_than_a_message_may_carry_are_several_renewals(outbox, sent):
    outbox.perform(grant(*range(2 * MAX_PINS + 1)))
    outbox.flush()
    renewals = [order for message in sent for order in orders(message)]
    assert [len(renew.pins) for renew in renewals] == [MAX_PINS, MAX_PINS, 1]
    assert [each.token for renew in renewals for each in renew.pins] == [*range(2 * MAX_PINS + 1)]


def test_a_plain_agent_hears_of_no_pins(outbox, sent):
    outbox.perform(grant(1, device=PLAIN))
    outbox.perform(offer("a", 2, device=PLAIN))
    outbox.flush()
    [message] = sent
    assert b"pins" not in message.payload
    assert [order.skill for order in orders(message)] == ["work"]


@pytest.mark.parametrize(
    "command",
    [
        offer("a", *range(MAX_PINS + 1)),
        c.GrantPins(OURS, (pin(protected_s=-1.0),)),
    ],
    ids=["too many for an offer", "out of range"],
)
def test_pins_that_no_device_would_read_are_not_sent(outbox, sent, unsayable, command):
    outbox.perform(command)
    outbox.flush()
    assert sent == []
    [(said, why)] = unsayable
    assert said is command
    assert "pin" in why
