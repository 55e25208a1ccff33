"""Python objects: a loaded model, an open database, whatever a function makes.

```python
async def open_index(key: str) -> Index: ...

resources = {"index": ResourceKind(Objects(open_index, close=Index.aclose), capacity=8e9)}
```
A function that is not async, and its close, run in a thread.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from protocol.artifacts.tasks import in_thread

Function: TypeAlias = Callable[[Any], Any]


class Objects:
    """The adapter.

    Args:
        make: makes the object that a key names.
        close: lets an object go; if left out, it is only forgotten.
        size: says what an object takes up; if left out, what was expected counts.
    """

    def __init__(
        self,
        make: Callable[[str], object] | Callable[[str], Awaitable[object]],
        *,
        close: Function | None = None,
        size: Callable[[Any], float | None] | None = None,
    ) -> None:
        self._make = make
        self._close = close
        self._size = size

    async def load(self, key: str) -> object:
        """See `Adapter`."""
        if inspect.iscoroutinefunction(self._make):
            return await self._make(key)
        made: list[object] = []
        try:
            await in_thread(lambda: made.append(self._make(key)))
        except asyncio.CancelledError:
            for each in made:  # the thread came to its end all the same
                await self.evict(each)
            raise
        return made[0]

    async def evict(self, handle: object) -> None:
        """See `Adapter`."""
        if inspect.iscoroutinefunction(self._close):
            await self._close(handle)
        elif self._close is not None:
            await in_thread(self._close, handle)

    def size(self, handle: object) -> float | None:
        """See `Adapter`."""
        return None if self._size is None else self._size(handle)
