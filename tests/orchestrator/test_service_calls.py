"""Calls of the coordinator: repeated, asked for, cancelled, malformed, too many, and its card."""

import asyncio
import json

import pytest

from orchestrator import service as service_module
from orchestrator.client import CallFailedError
from orchestrator.library import DEFAULT_ADDRESS
from orchestrator.service import SKILLS
from protocol import topics
from protocol.messages import Cancel, Hello, Phase, Query, Refused, Renew
from protocol.transport import Message
from protocol.transport.memory import MemoryBroker
from protocol.types import AttemptId, Cancelled, Rejected, RunId, Succeeded
from tests.support.coordinator import ScriptedCoordinator
from tests.support.service import TWO, call, coordinator, served

NOTHING = Query(AttemptId("nothing"))


async def test_a_repeated_request_is_answered_from_memory_and_not_done_again():
    broker = MemoryBroker()
    async with coordinator(broker) as orchestrator:
        async with ScriptedCoordinator(broker.transport("c"), "caller", DEFAULT_ADDRESS) as caller:
            submission = call("submit", request="x", plan=TWO)
            await caller.news()
            caller.say(submission)
            first = await caller.outcome()
            caller.say(submission)
            assert await caller.outcome() == first
            caller.say(Query(submission.attempt))
            assert await caller.outcome() == first
        assert len(orchestrator.runs()) == 1


async def test_a_call_under_way_is_asked_for_joined_and_cancelled():
    broker = MemoryBroker()
    async with coordinator(broker) as orchestrator:
        run = await orchestrator.submit("x", plan=None, key="k")
        await run.result()
        waiting = await orchestrator.submit("y", plan=plan_that_waits(), key="l")
        after = [entry.seq async for entry in _now(waiting)][-1]
        async with ScriptedCoordinator(broker.transport("c"), "caller", DEFAULT_ADDRESS) as caller:
            poll = call("events", run=waiting.id, after=after, wait_s=20.0)
            await caller.news()
            caller.say(poll)
            assert (await caller.reply()).phase is Phase.ACCEPTED
            caller.say(poll)
            assert (await caller.reply()).phase is Phase.ACCEPTED
            caller.say(Query(poll.attempt))
            assert (await caller.reply()).phase is Phase.STARTED
            caller.say(Cancel(poll.attempt, RunId(""), 0))
            assert isinstance(await caller.outcome(), Cancelled)
            caller.say(Cancel(poll.attempt, RunId(""), 0))
            assert (await caller.reply(Refused)).detail == "the call is finished"


def plan_that_waits():
    return service_module.skills.a.BatchPart.model_validate(TWO).batch(0)


async def _now(run):
    stream = run.events()
    try:
        async with asyncio.timeout(0.01):
            async for entry in stream:
                yield entry
    except TimeoutError:
        pass


@pytest.mark.parametrize("order", [NOTHING, Cancel(AttemptId("nothing"), RunId(""), 0)])
async def test_a_call_that_nobody_made_is_not_found(order):
    assert (await _refusal(order)).code == -32001


async def test_what_only_devices_do_is_refused():
    refused = await _refusal(Hello("someone", {}))
    assert refused.detail.startswith("a coordinator takes SendMessage")


async def _refusal(order):
    broker = MemoryBroker()
    async with (
        coordinator(broker),
        ScriptedCoordinator(broker.transport("c"), "caller", DEFAULT_ADDRESS) as caller,
    ):
        await caller.news()
        caller.say(Renew({}, (), 1.0))  # a notification: nobody answers
        caller.say(order)
        return await caller.reply(Refused)


async def test_malformed_requests_are_answered_where_they_say_how():
    broker = MemoryBroker()
    async with (
        coordinator(broker),
        ScriptedCoordinator(broker.transport("c"), "caller", DEFAULT_ADDRESS) as caller,
    ):
        await caller.news()
        back = topics.reply(caller.address, DEFAULT_ADDRESS.agent)
        broker.publish(Message(topics.request(DEFAULT_ADDRESS), b"{"))
        broker.publish(
            Message(topics.request(DEFAULT_ADDRESS), b"{", response_topic=back, correlation=b"c")
        )
        assert (await caller.reply(Refused)).code == -32700


async def test_a_client_that_only_sends_words_submits_them():
    broker = MemoryBroker()
    async with (
        coordinator(broker) as orchestrator,
        ScriptedCoordinator(broker.transport("c"), "caller", DEFAULT_ADDRESS) as caller,
    ):
        await caller.news()
        body = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "SendMessage",
            "params": {
                "message": {
                    "messageId": "m",
                    "role": "ROLE_USER",
                    "parts": [{"text": "count the sheep"}],
                }
            },
        }
        back = topics.reply(caller.address, DEFAULT_ADDRESS.agent)
        broker.publish(
            Message(
                topics.request(DEFAULT_ADDRESS),
                json.dumps(body).encode(),
                response_topic=back,
                correlation=b"c",
            )
        )
        outcome = await caller.outcome()
        (run,) = orchestrator.runs()
    assert isinstance(outcome, Succeeded)
    assert run.request == "count the sheep"


async def test_more_calls_than_there_is_room_for_are_rejected(monkeypatch):
    monkeypatch.setattr(service_module, "OPEN_CALLS", 0)
    broker = MemoryBroker()
    async with (
        coordinator(broker),
        ScriptedCoordinator(broker.transport("c"), "caller", DEFAULT_ADDRESS) as caller,
    ):
        await caller.news()
        caller.say(call("runs"))
        assert isinstance(await caller.outcome(), Rejected)


async def test_memory_of_answers_is_bounded(monkeypatch):
    monkeypatch.setattr(service_module, "ANSWERS_KEPT", 1)
    broker = MemoryBroker()
    async with (
        coordinator(broker),
        ScriptedCoordinator(broker.transport("c"), "caller", DEFAULT_ADDRESS) as caller,
    ):
        await caller.news()
        for name in ("first", "second"):
            caller.say(call("runs", name))
            await caller.outcome()
        caller.say(Query(AttemptId("first")))
        assert (await caller.reply(Refused)).code == -32001


async def test_an_answer_that_json_cannot_say_is_an_error(monkeypatch):
    async def odd(*_):
        return {"x": float("nan")}

    row = service_module.skills.CoordinatorSkill(SKILLS["runs"].arguments, odd)
    monkeypatch.setitem(service_module.SKILLS, "runs", row)
    async with served() as (_, client):
        with pytest.raises(CallFailedError, match="JSON cannot say this"):
            await client.call("runs", {})


async def test_a_bug_in_a_skill_ends_the_service(monkeypatch):
    async def broken(*_):
        raise ZeroDivisionError

    row = service_module.skills.CoordinatorSkill(SKILLS["runs"].arguments, broken)
    monkeypatch.setitem(service_module.SKILLS, "runs", row)
    with pytest.RaisesGroup(ZeroDivisionError, flatten_subgroups=True):
        async with served() as (_, client):
            await client.call("runs", {})


async def test_calls_under_way_are_cancelled_when_the_coordinator_leaves():
    broker = MemoryBroker()
    async with ScriptedCoordinator(broker.transport("c"), "caller", DEFAULT_ADDRESS) as caller:
        async with coordinator(broker) as orchestrator:
            run = await orchestrator.submit("y", plan=plan_that_waits())
            after = [entry.seq async for entry in _now(run)][-1]
            caller.say(call("events", run=run.id, after=after, wait_s=20.0))
            assert (await caller.reply()).phase is Phase.ACCEPTED
        while caller.cards[-1].status != "offline":
            await caller.news()
    assert caller.cards[-1].source == "agent"


async def test_the_card_says_that_this_is_no_device():
    broker = MemoryBroker()
    async with ScriptedCoordinator(broker.transport("c"), "caller", DEFAULT_ADDRESS) as caller:
        async with coordinator(broker) as orchestrator:
            while not caller.cards:
                await caller.news()
            assert orchestrator.devices() == ()
        card = caller.cards[0].card
    assert card.labels == {"muster.role": "coordinator"}
    assert {info.name for info in card.skills} == set(SKILLS)
    assert all(info.description and info.input_schema for info in card.skills)
