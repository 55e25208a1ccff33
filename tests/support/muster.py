"""A whole small Muster in memory: a broker, devices and a coordinator on the virtual clock."""

from contextlib import AsyncExitStack, asynccontextmanager

from agents.runtime import Agent
from agents.simulated import Script, scripted
from orchestrator import AddDependency, AddTask, Dependency, EditBatch, Orchestrator, TaskSpec
from protocol.transport.memory import MemoryBroker
from protocol.types import Effect, TaskId


def spec(name, skill="work", **more):
    return TaskSpec(TaskId(name), skill, **more)


def plan(*tasks, after=()):
    """A first plan of tasks (or names of tasks) with dependencies as pairs."""
    specs = [AddTask(spec(task) if isinstance(task, str) else task) for task in tasks]
    edges = [AddDependency(Dependency(TaskId(a), TaskId(b))) for a, b in after]
    return EditBatch(0, (*specs, *edges))


def work(name="work", *, effect=Effect.PURE, **script):
    return scripted(name, Script(**script), effect=effect)


@asynccontextmanager
async def muster(devices, *, broker=None, **more):
    """Start devices (name → skills) and an orchestrator; yield it and the broker."""
    broker = broker or MemoryBroker()
    async with AsyncExitStack() as stack:
        transport = broker.transport("muster/default/coordinator")
        orchestrator = await stack.enter_async_context(Orchestrator(transport, **more))
        for name, skills in devices.items():
            link = broker.transport(f"muster/default/{name}")
            await stack.enter_async_context(Agent(name, skills, transport=link))
        yield orchestrator, broker


def state_of(run, name):
    return next(task.state for task in run.snapshot().tasks if task.spec.id == name)


async def until(run, name, state):
    """Wait until a task of a run is in a state."""
    async for _ in run.events():
        if state_of(run, name) is state:
            return
