"""The reference implementation `a2a-over-mqtt`, live over mosquitto and in both directions."""

import asyncio
import json
from contextlib import asynccontextmanager
from uuid import uuid4

import a2a_over_mqtt as peer
import pytest

from agents.runtime import Agent
from agents.skills import skill
from benchmarks.roll_call import roll_call
from orchestrator import Orchestrator
from orchestrator.library import DEFAULT_ADDRESS
from orchestrator.service import Service
from protocol.types import Effect
from tests.support.muster import plan, spec

pytestmark = pytest.mark.broker
SPACE = peer.TopicSpace("muster", "default")


@skill
async def count(text: str) -> int:
    """Count words."""
    if not text:
        raise ValueError("nothing to count")
    return len(text.split())


async def last_reply(broker, agent, text):
    """Ask an agent with its client, once it is there, and return the end of the stream."""
    async with roll_call(broker.transport("roll-call")) as roll:
        await roll.present([agent])
    requester = peer.Requester(peer.MqttConfig(port=broker.port), SPACE)
    request = peer.A2ARequest(text=text, request_id=str(uuid4()))
    replies = [each async for each in requester.stream(agent, request.to_json(), "correlation")]
    return replies[-1]


# Its client


async def test_its_client_runs_a_skill_on_our_agent(broker):
    request = json.dumps({"skill": "count", "args": {"text": "one two three"}})
    async with Agent("laptop", [count], transport=broker.transport("laptop")):
        reply = await last_reply(broker, "laptop", request)

    assert reply == (peer.REPLY_TERMINAL, "3")


async def test_its_client_hears_why_a_skill_failed(broker):
    request = json.dumps({"skill": "count", "args": {"text": ""}})
    async with Agent("laptop", [count], transport=broker.transport("laptop")):
        reply = await last_reply(broker, "laptop", request)

    assert reply == (peer.REPLY_FAILED, "ValueError: nothing to count")


async def test_its_client_submits_a_request_to_our_coordinator(broker):
    transport = broker.transport(str(DEFAULT_ADDRESS))
    orchestrator = Orchestrator(transport)
    async with orchestrator, Service(orchestrator, transport):
        reply = await last_reply(broker, "coordinator", "make coffee")
        (run,) = orchestrator.runs()

    kind, content = reply
    assert (kind, json.loads(content)["run"]) == (peer.REPLY_TERMINAL, run.run)
    assert run.request == "make coffee"


# Its agent


class Echo(peer.Responder):
    """Says what it is asked in capitals; it has one skill, named by its card."""

    def __init__(self, broker):
        super().__init__(
            agent_id="echo",
            mqtt=peer.MqttConfig(port=broker.port),
            topics=SPACE,
            card=peer.build_card(name="Echo", description="Says it back", url="mqtt://localhost"),
        )
        self.asked = []

    async def on_request(self, request, stream):
        self.asked.append(request.text)
        await stream("thinking")
        if "fail" in request.text:
            raise ValueError("no")
        return request.text.upper()


@asynccontextmanager
async def echoing(broker):
    """Start its agent and our coordinator; yield both."""
    echo = Echo(broker)
    async with (
        Orchestrator(broker.transport("coordinator")) as orchestrator,
        asyncio.TaskGroup() as group,
    ):
        running = group.create_task(echo.run())
        yield echo, orchestrator
        running.cancel()


async def test_our_coordinator_uses_its_agent_as_a_device(broker):
    async with echoing(broker) as (echo, orchestrator):
        first = spec("first", "echo", args={"text": "hello"})
        then = spec("then", "echo", args={"text": {"$from": "first"}})
        run = await orchestrator.submit("echo", plan=plan(first, then))
        result = await run.result()
        (device,) = orchestrator.devices()

    assert result.outputs == {"then": "HELLO"}
    assert not device.card.extension
    assert device.card.skills[0].effect is Effect.ONCE
    assert echo.asked == ["hello", "HELLO"]


async def test_failure_of_its_agent_is_the_failure_of_the_task_and_tried_once(broker):
    async with echoing(broker) as (echo, orchestrator):
        task = spec("task", "echo", args={"text": "fail"})
        run = await orchestrator.submit("echo", plan=plan(task))
        result = await run.result()

    assert not result.succeeded
    assert len(echo.asked) == 1
