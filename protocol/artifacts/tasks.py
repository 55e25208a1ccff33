"""Work beside a coroutine, in a thread or a task, that never goes on behind its back."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import ParamSpec, TypeVar

from protocol.background import Background

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a short piece of blocking work in a thread; when cancelled, wait for its end first.

    So whoever comes next finds files that nobody is writing. Cut long work into pieces.
    """
    loop = asyncio.get_running_loop()
    running = loop.run_in_executor(None, partial(work, *args, **kwargs))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        running.exception()  # nobody wants it now
        raise


@asynccontextmanager
async def beside(
    work: Coroutine[None, None, None],
    *,
    name: str,
    stop: Callable[[asyncio.Task[None]], object] = asyncio.Task.cancel,
) -> AsyncIterator[None]:
    """Run `work` as a task until the block ends; then `stop` it and wait for its end.

    An error of the block stays as it is, outside of any group.
    """
    async with Background() as group:
        task = group.create_task(work, name=name)
        try:
            yield
        finally:
            stop(task)
