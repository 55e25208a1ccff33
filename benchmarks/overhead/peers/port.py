"""What a peer is: a context manager of workers that are up, and gives a `Prepare`.

Entering starts the workers, leaving ends them. `Prepare` does what is not timed, such as
compiling a graph (our plan is made before the clock starts as well); the `Go` that it returns runs
every task to its end, and returns the sum of the results that came back. So no result may be
left out: the sum is compared.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from benchmarks.overhead.plans import SHAPES

WORKERS: Final = 4  # processes, as many as we have devices
IN_FLIGHT: Final = 16  # for each of them, as our slots


@dataclass(frozen=True, slots=True)
class Graph:
    """The n-th of `tasks` tasks returns n, after its predecessors. `shape`: a key of `SHAPES`."""

    shape: str
    tasks: int

    def predecessors(self, number: int) -> tuple[int, ...]:
        """Return the tasks that must be over before."""
        return tuple(SHAPES[self.shape](number))

    def waves(self) -> Sequence[Sequence[int]]:
        """Return the tasks by the length of the longest way to them, for peers without graphs."""
        depth: list[int] = []
        waves: defaultdict[int, list[int]] = defaultdict(list)
        for number in range(self.tasks):
            depth.append(max((depth[each] + 1 for each in self.predecessors(number)), default=0))
            waves[depth[number]].append(number)
        return tuple(waves.values())

    @property
    def total(self) -> int:
        """The sum of all results."""
        return self.tasks * (self.tasks - 1) // 2


Go: TypeAlias = Callable[[], int]
Prepare: TypeAlias = Callable[[Graph], Go]
Peer: TypeAlias = Callable[[Path], AbstractContextManager[Prepare]]
"""The function `peer` of a peer's module; the path is an empty folder of its own."""
