"""A side effect with a fence: what was given up, and does not know it yet, changes nothing."""

import asyncio
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from agents.runtime import Agent
from agents.skills import Context, skill
from orchestrator import AddTask, EditBatch, Limits, Orchestrator, TaskSpec
from protocol.transport.memory import MemoryBroker
from protocol.types import Effect


class Page:
    """A file that keeps the greatest fence it was written with, and refuses a smaller one."""

    def __init__(self, path: Path) -> None:
        self.path, self.fence, self.lock = path, (0, 0), threading.Lock()

    def write(self, text: str, fence: tuple[int, int], after_s: float) -> None:
        """Write after a while in which nobody can stop it, as in a process that was suspended."""
        time.sleep(after_s)
        with self.lock:  # comparing and writing are one step
            if fresh := fence >= self.fence:
                self.fence = fence
                self.path.write_text(text)
            print("written" if fresh else "refused", text, fence)


def device(name: str, page: Page, broker: MemoryBroker, *, after_s: float) -> Agent:
    """Make a device that writes its name to the page."""

    @skill(effect=Effect.IDEMPOTENT)
    async def sign(context: Context) -> str:
        context.guard()  # cheap, and right nearly always; the fence is right always
        await asyncio.to_thread(page.write, name, context.fence, after_s)
        return name

    return Agent(name, [sign], transport=broker.transport(name))


async def main() -> None:
    """Give a task up on a device that hangs, and have it done by another one."""
    broker = MemoryBroker()
    with TemporaryDirectory() as folder:
        page = Page(Path(folder) / "page.txt")
        async with Orchestrator(broker.transport("coordinator")) as orchestrator:
            task = TaskSpec("sign", "sign", limits=Limits(run_s=0.3))
            async with device("sleepy", page, broker, after_s=1.0):
                run = await orchestrator.submit("sign", plan=EditBatch(0, (AddTask(task),)))
                await asyncio.sleep(0.1)
                async with device("awake", page, broker, after_s=0.0):
                    print((await run.result()).outputs)
                    await asyncio.sleep(1.0)  # until the other one wakes up
        print("the page says", page.path.read_text())


asyncio.run(main())
