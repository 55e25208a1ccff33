"""A skill of one's own: typed, with progress, and with errors that say what recovery may do."""

import asyncio
from typing import Annotated

from pydantic import Field

from agents.runtime import Agent
from agents.skills import Context, TemporaryError, skill
from orchestrator import AddTask, EditBatch, Orchestrator, TaskSpec
from protocol.transport.memory import MemoryBroker
from protocol.types import Effect

jams = ["the paper is jammed"]  # the printer takes only the second try


@skill(effect=Effect.IDEMPOTENT, estimate_s=0.1)
async def print_labels(
    context: Context, text: str, copies: Annotated[int, Field(ge=1)] = 1
) -> str:
    """Print a label some times and return the job number."""
    for copy in range(copies):
        context.progress(copy / copies, f"printing {copy + 1} of {copies}")
        if copy == 1 and jams:
            raise TemporaryError(jams.pop(), retry_after_s=0.1)
    return f"job-{len(text)}-{copies}"


async def main() -> None:
    """Ask for three labels, and for none, which misses the schema."""
    broker = MemoryBroker()
    printer = Agent("printer", [print_labels], transport=broker.transport("printer"))
    async with Orchestrator(broker.transport("coordinator")) as orchestrator, printer:
        for copies in (3, 0):
            task = TaskSpec("labels", "print_labels", {"text": "Ada", "copies": copies})
            run = await orchestrator.submit("labels", plan=EditBatch(0, (AddTask(task),)))
            result = await run.result()
            for event in await run.story(task.id):
                print(type(event.fact).__name__, getattr(event.fact, "detail", ""))
            print(result.status, result.outputs, result.missing)


asyncio.run(main())
