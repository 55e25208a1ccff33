import asyncio
import contextlib

import pytest

from orchestrator import client as client_module
from orchestrator.client import CallFailedError, CallForgottenError, CoordinatorSilentError
from orchestrator.library import DEFAULT_ADDRESS
from protocol import topics
from protocol.codec import decode_order, encode_card, encode_reply
from protocol.codec.jsonrpc import ErrorCode
from protocol.errors import RefusedLoginError, UnreachableError
from protocol.messages import Held, Offer, Phase, Query, Report
from protocol.transport import Message
from protocol.transport.memory import MemoryBroker
from protocol.types import DeviceCard, DeviceId, Failed, FailureKind, Incarnation, Succeeded
from tests.support.peers import RecordingPeer, connected
from tests.support.service import CALLER, client, coordinator

DONE = Succeeded({"done": True})


class Answering(RecordingPeer):
    """A coordinator whose answers a test decides: `answers` yields what to say to each request."""

    def __init__(self, broker, answer, *, announced=True):
        super().__init__(topics.request(DEFAULT_ADDRESS))
        self.requests = []
        self.times = []
        self.transport = broker.transport("answering")
        self._answer = answer
        self._announced = announced
        self.on_message = self._respond
        self.on_connect = self._announce

    def _announce(self):
        if self._announced:
            self.transport.publish(card())

    def _respond(self, message):
        request = decode_order(message)
        self.requests.append(request.order)
        self.times.append(asyncio.get_running_loop().time())
        for reply in self._answer(len(self.requests), request.order):
            self.transport.publish(
                encode_reply(
                    reply,
                    to=request.reply_to,
                    correlation=request.correlation,
                    request_id=request.request_id,
                    form=request.form,
                )
            )


def card(status="online"):
    shown = DeviceCard(DeviceId(DEFAULT_ADDRESS.agent))
    return encode_card(shown, address=DEFAULT_ADDRESS, status=status)


def finished(order, outcome=DONE):
    return Report(order.attempt, Phase.FINISHED, outcome=outcome)


def the_second_time(number, order):
    return [finished(order)] if number == 2 else []


@contextlib.asynccontextmanager
async def answering(answer, **more):
    broker = MemoryBroker()
    peer = Answering(broker, answer, **more)
    async with connected(peer.transport, peer), client(broker) as caller:
        yield caller, peer, broker


async def test_a_call_is_answered():
    async with answering(lambda _, order: [finished(order)]) as (caller, peer, _):
        assert await caller.call("runs", {}) == {"done": True}
    assert peer.requests[0].skill == "runs"


async def test_a_lost_request_is_repeated_with_the_same_task_and_back_off():
    def third(number, order):
        return [finished(order)] if number == 3 else []

    async with answering(third) as (caller, peer, _):
        await caller.call("runs", {})
    assert len({order.attempt for order in peer.requests}) == 1
    first, second = peer.times[1] - peer.times[0], peer.times[2] - peer.times[1]
    assert 15.8 <= first <= 16.2
    assert 16.6 <= second <= 17.4


async def test_a_silent_coordinator_is_given_up_after_three_attempts():
    async with answering(lambda *_: []) as (caller, peer, _):
        with pytest.raises(
            CoordinatorSilentError, match=r"no coordinator answers at .* start one"
        ):
            await caller.call("runs", {})
    assert len(peer.requests) == 3


async def test_a_coordinator_that_nobody_announced_is_given_up_soon():
    broker = MemoryBroker()
    async with client(broker) as caller:
        with pytest.raises(CoordinatorSilentError):
            await caller.call("runs", {})
    assert asyncio.get_running_loop().time() < 4.0


async def test_a_coordinator_without_a_card_may_still_answer():
    async with answering(lambda _, order: [finished(order)], announced=False) as (caller, _, _):
        assert await caller.call("runs", {}) == {"done": True}


async def test_after_a_sign_of_life_the_call_is_asked_for_and_not_repeated():
    def slowly(number, order):
        if number == 1:
            return [Report(order.attempt, Phase.ACCEPTED)]
        return [finished(order)]

    async with answering(slowly) as (caller, peer, _):
        await caller.call("runs", {})
    assert [type(order) for order in peer.requests] == [Offer, Query]
    assert peer.times[1] - peer.times[0] >= 30.0


async def test_a_coordinator_that_comes_back_is_asked_at_once():
    async with answering(the_second_time) as (caller, peer, broker), asyncio.TaskGroup() as group:
        calling = group.create_task(caller.call("runs", {}))
        await peer.got(1)
        broker.publish(card("offline"))
        await asyncio.sleep(1)
        broker.publish(card())
        await calling
    assert peer.times[1] - peer.times[0] < 1.1


async def test_a_call_outlives_the_broker():
    async with answering(the_second_time) as (caller, peer, broker), asyncio.TaskGroup() as group:
        calling = group.create_task(caller.call("runs", {}))
        await peer.got(1)
        broker.stop()
        await asyncio.sleep(1)
        broker.start()
        assert await calling == {"done": True}
    assert asyncio.get_running_loop().time() < 15.0


async def test_a_call_made_while_the_broker_is_gone_is_sent_once_it_is_back():
    async with answering(lambda _, order: [finished(order)]) as (caller, _, broker):
        broker.stop()
        await asyncio.sleep(1)
        async with asyncio.TaskGroup() as group:
            calling = group.create_task(caller.call("runs", {}))
            await asyncio.sleep(1)
            broker.start()
            assert await calling == {"done": True}


async def test_a_call_that_a_restarted_coordinator_forgot_is_told_so():
    broker = MemoryBroker()

    def accept(_, order):
        return [Report(order.attempt, Phase.ACCEPTED)]

    peer = Answering(broker, accept)
    async with client(broker) as caller, asyncio.TaskGroup() as group:
        async with connected(peer.transport, peer):
            calling = group.create_task(outcome_of(caller))
            await peer.got(1)
            broker.publish(card("offline"))
        async with coordinator(broker):
            assert isinstance(await calling, CallForgottenError)


async def outcome_of(caller):
    try:
        return await caller.call("runs", {})
    except client_module.ClientError as error:
        return error


async def test_what_the_coordinator_cannot_do_is_an_error_with_its_kind():
    failed = Failed(FailureKind.BAD_INPUT, "there is no run 'x'")
    async with answering(lambda _, order: [finished(order, failed)]) as (caller, _, _):
        with pytest.raises(CallFailedError, match="there is no run 'x'") as caught:
            await caller.call("show", {"run": "x"})
    assert caught.value.kind is FailureKind.BAD_INPUT


async def test_a_refused_request_is_an_error():
    def refuse(_, order):
        return [ErrorCode.INTERNAL_ERROR.refused("out of order", request_id=order.attempt)]

    async with answering(refuse) as (caller, _, _):
        with pytest.raises(CallFailedError, match="out of order"):
            await caller.call("runs", {})


async def test_an_answer_that_makes_no_sense_is_an_error():
    async with answering(lambda _, order: [finished(order, Succeeded(7))]) as (caller, _, _):
        with pytest.raises(CallFailedError, match="7"):
            await caller.call("runs", {})


async def test_messages_that_make_no_sense_count_as_silence():
    held = Held(DeviceId("x"), Incarnation("y"), {})
    stray = Report("stray", Phase.FINISHED, outcome=DONE)
    async with answering(lambda _, order: [held, stray, finished(order)]) as (
        caller,
        peer,
        broker,
    ):
        back = topics.reply(CALLER, DEFAULT_ADDRESS.agent)
        broker.publish(Message(back, b"{"))
        assert await caller.call("runs", {}) == {"done": True}
        broker.publish(card())
        await asyncio.sleep(1)
    assert len(peer.requests) == 1


class Failing:
    """A connection that ends as told, at once or after a while."""

    def __init__(self, error, *, after_s=0.0, connects=False):
        self.error, self.after_s, self.connects = error, after_s, connects

    async def run(self, peer):
        if self.connects:
            peer.connected()
        await asyncio.sleep(self.after_s)
        raise self.error

    def publish(self, message):
        """Lose it."""


async def test_an_unreachable_broker_is_the_error_of_entering():
    failing = client_module.Client(Failing(UnreachableError("no broker")), CALLER, DEFAULT_ADDRESS)
    with pytest.raises(UnreachableError, match="no broker"):
        await failing.__aenter__()


async def test_a_broker_that_does_not_answer_is_unreachable():
    silent = Failing(UnreachableError("too late"), after_s=1e6)
    with pytest.raises(UnreachableError, match="in 15 s"):
        await client_module.Client(silent, CALLER, DEFAULT_ADDRESS).__aenter__()


async def test_a_login_refused_later_ends_the_calls():
    refusing = Failing(RefusedLoginError("not you"), after_s=1.0, connects=True)
    with pytest.RaisesGroup(RefusedLoginError):
        async with client_module.Client(refusing, CALLER, DEFAULT_ADDRESS) as caller:
            await caller.call("runs", {})
