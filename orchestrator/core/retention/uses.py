"""Which pending tasks use a resource: what the graph knows of its next and its last use.

The engine keeps it under edits: a task is entered when it is added, and taken out when it starts
its use, ends, is cancelled or removed. When the last one goes, nothing may be protected for it.
"""

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from protocol.types import Resource, RunId, TaskId

TaskName: TypeAlias = tuple[RunId, TaskId]


class PendingUses:
    """The pending tasks by resource, and back. All in O(needs of the task)."""

    __slots__ = ("_needs", "_tasks")

    def __init__(self) -> None:
        self._tasks: dict[Resource, dict[TaskName, None]] = {}
        self._needs: dict[TaskName, tuple[Resource, ...]] = {}

    def set(
        self, task: TaskName, needs: Iterable[Resource], *, again: bool = False
    ) -> tuple[Resource, ...]:
        """Enter a task, or say what it needs now; return the resources that this concerns.

        An empty `needs` takes the task out. One that is entered `again`, after a try of it, comes
        before the others, in O(their number).
        """
        after = tuple(dict.fromkeys(needs))
        if after == self._needs.get(task, ()):
            return after
        before = self._needs.pop(task, ())
        for resource in before:
            tasks = self._tasks[resource]
            del tasks[task]
            if not tasks:
                del self._tasks[resource]
        for resource in after:
            others = self._tasks.setdefault(resource, {})
            if again:
                self._tasks[resource] = {task: None, **others}
            else:
                others[task] = None
        if after:
            self._needs[task] = after
        return tuple(dict.fromkeys((*before, *after)))

    def of(self, resource: Resource) -> Iterator[TaskName]:
        """Return the pending tasks that use it, in the order in which they were entered."""
        return iter(self._tasks.get(resource, ()))

    def __contains__(self, resource: Resource) -> bool:
        return resource in self._tasks
