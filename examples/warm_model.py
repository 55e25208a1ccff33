"""A model that is loaded once, and kept warm for the task that wants it next."""

import asyncio
from dataclasses import dataclass

from agents import Agent, Context, skill
from agents.warm.adapters import ResourceKind
from agents.warm.adapters.objects import Objects
from orchestrator import AddTask, EditBatch, Needs, Orchestrator, TaskSpec
from protocol.transport.memory import MemoryBroker
from protocol.types import PinScope, ResourceNeed

LLAMA = Needs(resources=(ResourceNeed("model", "llama", 4e9, PinScope.SHARED),))


@dataclass
class Model:
    """Stands for what takes long to load."""

    name: str
    answers: int = 0


async def load_model(key: str) -> Model:
    """Load a model by its name."""
    print("loading", key)
    await asyncio.sleep(0.2)
    return Model(key)


async def close_model(model: Model) -> None:
    """Give its memory back."""
    print("closing", model.name, "after", model.answers, "answers")


@skill
async def answer(context: Context, question: str) -> str:
    """Answer a question."""
    model: Model = context.resource("model")
    model.answers += 1
    return f"{question} {model.name} says yes, {model.answers}"


async def main() -> None:
    """Ask twice; the second task finds warm what the first one had loaded."""
    first = TaskSpec("first", "answer", {"question": "Now?"}, needs=LLAMA)
    then = TaskSpec("then", "answer", {"question": {"$from": "first"}}, needs=LLAMA)
    plan = EditBatch(0, (AddTask(first), AddTask(then)))
    broker = MemoryBroker()
    kinds = {"model": ResourceKind(Objects(load_model, close=close_model), capacity=8e9)}
    server = Agent("server", [answer], transport=broker.transport("server"), resources=kinds)
    async with Orchestrator(broker.transport("coordinator")) as orchestrator, server:
        run = await orchestrator.submit("ask twice", plan=plan)
        print((await run.result()).outputs)


asyncio.run(main())
