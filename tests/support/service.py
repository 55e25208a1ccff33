"""A small Muster in memory whose coordinator answers over the wire, and a client of it."""

from contextlib import AsyncExitStack, asynccontextmanager

from agents.runtime import Agent
from orchestrator import Orchestrator
from orchestrator.client import Client
from orchestrator.library import DEFAULT_ADDRESS
from orchestrator.service import Service
from protocol.messages import Offer
from protocol.topics import Address
from protocol.transport.memory import MemoryBroker
from protocol.types import AttemptId, Effect, RunId, TaskId

CALLER = Address("muster", "default", "caller")
TWO = {
    "edits": [
        {"add_task": {"id": "one", "skill": "work"}},
        {"add_task": {"id": "two", "skill": "work", "args": {"x": {"$from": "one"}}}},
    ]
}
"""A plan of two tasks, as it is sent."""


@asynccontextmanager
async def coordinator(broker, **more):
    """Start a coordinator that answers."""
    transport = broker.transport(str(DEFAULT_ADDRESS))
    orchestrator = Orchestrator(transport, **more)
    service = Service(orchestrator, transport)
    async with orchestrator, service:
        yield orchestrator


@asynccontextmanager
async def served(devices=(), *, broker=None, **more):
    """Start devices (name → skills), a coordinator that answers, and a client; yield both."""
    broker = broker or MemoryBroker()
    async with AsyncExitStack() as stack:
        orchestrator = await stack.enter_async_context(coordinator(broker, **more))
        for name, skills in dict(devices).items():
            link = broker.transport(f"muster/default/{name}")
            await stack.enter_async_context(Agent(name, skills, transport=link))
        yield orchestrator, await stack.enter_async_context(client(broker))


def client(broker, **more):
    return Client(broker.transport(str(CALLER)), CALLER, DEFAULT_ADDRESS, **more)


def call(skill, attempt="call", **args):
    """An offer as a caller makes it."""
    name = AttemptId(attempt)
    return Offer(name, RunId(attempt), TaskId(skill), 1, 0, 0, 30.0, skill, args, Effect.ONCE)
