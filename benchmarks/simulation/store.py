"""The world outside: it counts what skills really did to it, whatever anybody says of that."""

from collections import Counter
from collections.abc import Mapping

from agents.skills import Context, PermanentError
from protocol.types import RunId, TaskId

Key = tuple[RunId, TaskId]


class Store:
    """Where effects happen. It refuses a writer with an older token than it has seen (fencing)."""

    def __init__(self) -> None:
        self.starts: Counter[Key] = Counter()
        """How often a `once` skill began, by task."""
        self.effects: Counter[Key] = Counter()
        """How often a task changed something, by task."""
        self.fenced = 0
        """How many writes came from attempts that had been replaced."""
        self._tokens: dict[Key, int] = {}

    def begin(self, context: Context) -> None:
        """Note that a `once` skill begins."""
        self.starts[context.run, context.task] += 1

    def write(self, context: Context) -> None:
        """Change something.

        Raises:
            PermanentError: a newer attempt of the task has been here.
        """
        key = context.run, context.task
        if context.token < self._tokens.get(key, 0):
            self.fenced += 1
            raise PermanentError("a newer attempt has written")
        self._tokens[key] = context.token
        self.effects[key] += 1

    def twice(self) -> Mapping[Key, int]:
        """Return the `once` tasks that began or wrote more than once: there must be none."""
        return {key: n for key, n in self.starts.items() if n > 1 or self.effects[key] > 1}
