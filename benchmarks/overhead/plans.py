"""The task graphs that overhead is measured on. Their tasks do nothing."""

from collections.abc import Callable, Iterator, Mapping

from agents.skills import skill
from orchestrator import AddDependency, AddTask, Dependency, EditBatch, TaskSpec
from protocol.types import Effect, TaskId

SKILL = "noop"
WIDTH = 256  # of a layer: four times what is in flight, so that layers do not empty the devices


@skill(name=SKILL, effect=Effect.PURE)
async def noop(number: int) -> int:
    """Do nothing."""
    return number


def plan(shape: str, tasks: int) -> EditBatch:
    """Return the plan of a whole run. `shape` is a key of `SHAPES`."""
    specs = (AddTask(TaskSpec(_name(i), SKILL, {"number": i})) for i in range(tasks))
    edges = (
        AddDependency(Dependency(_name(predecessor), _name(i)))
        for i in range(tasks)
        for predecessor in SHAPES[shape](i)
    )
    return EditBatch(0, (*specs, *edges))


def _name(number: int) -> TaskId:
    return TaskId(f"t{number}")


def _independent(_number: int) -> Iterator[int]:
    return iter(())


def _chain(number: int) -> Iterator[int]:
    if number:
        yield number - 1


def _layered(number: int) -> Iterator[int]:
    """Yield two parents: the one above, and its right neighbour (round the corner)."""
    layer, place = divmod(number, WIDTH)
    if layer:
        above = (layer - 1) * WIDTH
        yield above + place
        yield above + (place + 1) % WIDTH


SHAPES: Mapping[str, Callable[[int], Iterator[int]]] = {
    "independent": _independent,
    "chain": _chain,
    "layered": _layered,
}
"""Shape → the predecessors of the n-th task."""
