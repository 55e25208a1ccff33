"""What comes as one message, or is no order at all, and what leaves as one."""

from protocol.codec import encode_order
from protocol.messages import (
    Held,
    Hello,
    Refused,
)
from protocol.transport import Message
from protocol.types import (
    Succeeded,
)
from tests.support.agents import RUN
from tests.support.coordinator import DEVICE
from tests.support.laptop import call, pair


def batch(*orders, reply_to="$a2a/v1/reply/muster/default/coordinator/laptop"):
    """Return one message with these orders; what is bytes goes in as it is."""
    payloads = [
        order
        if isinstance(order, bytes)
        else encode_order(order, to=DEVICE, reply_to=reply_to, correlation=b"c").payload
        for order in orders
    ]
    topic = "$a2a/v1/request/muster/default/laptop"
    payload = b"[" + b",".join(payloads) + b"]"
    return Message(topic, payload, response_topic=reply_to, correlation=b"c")


def replies_of(coordinator):
    return [each.payload for each in coordinator.messages if "/reply/" in each.topic]


async def test_results_that_are_recorded_together_leave_as_one_message(broker):
    async with pair(broker) as (coordinator, _):
        calls = [call("double", name, number=ord(name)) for name in "abc"]
        coordinator._transport.publish(batch(*calls))
        assert [await coordinator.outcome() for _ in calls] == [
            Succeeded(2 * ord(name)) for name in "abc"
        ]
        assert len(replies_of(coordinator)) == 1


async def test_the_answer_to_a_hello_leaves_on_its_own(broker):
    async with pair(broker) as (coordinator, _):
        hello = Hello("coordinator", {RUN: 1})
        coordinator._transport.publish(batch(hello, hello))
        await coordinator.reply(Held)
        await coordinator.reply(Held)
        assert [payload[:1] for payload in replies_of(coordinator)] == [b"{"] * 2


async def test_a_client_without_the_extension_is_never_answered_in_one_message(broker):
    async with pair(broker) as (coordinator, _):
        said = (
            b'{"jsonrpc":"2.0","id":%d,"method":"SendMessage","params":{"message":{"messageId":'
            b'"m%d","role":"ROLE_USER","parts":[{"data":{"skill":"double","args":{"number":1}}}]}}}'
        )
        coordinator._transport.publish(batch(said % (1, 1), said % (2, 2)))
        for _ in range(2):
            assert await coordinator.outcome() == Succeeded(2)
        assert [payload[:1] for payload in replies_of(coordinator)] == [b"{"] * 2


async def test_a_bad_element_of_a_batch_is_answered_and_the_others_are_done(broker):
    async with pair(broker) as (coordinator, _):
        coordinator._transport.publish(batch(b"{}", call("double", number=4), b"[]"))
        assert await coordinator.outcome() == Succeeded(8)
        refused = [each.code for each in coordinator.replies if isinstance(each, Refused)]
        assert refused == [-32600, -32600]


async def test_malformed_request_is_answered_and_changes_nothing(broker):
    async with pair(broker) as (coordinator, _):
        good = encode_order(
            call("double", number=1), to=DEVICE, reply_to="$a2a/v1/reply/x/y/z/laptop",
            correlation=b"1",
        )  # fmt: skip
        transport = coordinator._transport
        reply_to = f"$a2a/v1/reply/{coordinator.address}/laptop"
        transport.publish(Message(good.topic, b"{", response_topic=reply_to, correlation=b"2"))
        transport.publish(Message(good.topic, b"{"))
        transport.publish(Message(good.topic, b"{", response_topic="a/#", correlation=b"3"))
        assert (await coordinator.reply(Refused)).code == -32700
        coordinator.say(call("double", number=4))
        assert await coordinator.outcome() == Succeeded(8)
