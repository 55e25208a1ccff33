"""A task group for what runs behind an `async with` of our own."""

import asyncio
from types import TracebackType


class Background(asyncio.TaskGroup):
    """A task group that leaves an error of its body as it is, outside of any group.

    Whoever leaves it ends its tasks first: an error of the body cancels none of them.
    """

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait for the tasks; their errors are raised as a group."""
        if not isinstance(error, asyncio.CancelledError):
            kind = error = trace = None
        await super().__aexit__(kind, error, trace)
