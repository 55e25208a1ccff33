"""Task graphs by seed: the same arguments give the same graph."""

import random
from collections.abc import Callable, Mapping
from typing import TypeAlias

from benchmarks.scheduling.model import Edge, Instance, Task

Generator: TypeAlias = Callable[[int, int], Instance]


def layered(tasks: int, seed: int) -> Instance:
    """Layers of 1 to 2·√n tasks; each task has 1 to 3 predecessors in the layer above."""
    chance = random.Random(f"layered/{tasks}/{seed}")
    layers: list[list[int]] = []
    edges: list[Edge] = []
    made = 0
    while made < tasks:
        width = min(tasks - made, chance.randint(1, max(1, round(2 * tasks**0.5))))
        layer = list(range(made, made + width))
        above = layers[-1] if layers else []
        for task in layer:
            parents = chance.sample(above, min(len(above), chance.randint(1, 3)))
            edges += [Edge(parent, task, _size(chance)) for parent in sorted(parents)]
        layers.append(layer)
        made += width
    return _instance(
        "layered", tasks, seed, [_task(chance, f"s{n % 5}") for n in range(tasks)], edges
    )


def fork_join(tasks: int, seed: int) -> Instance:
    """Stages in a row: a fork, 2 to 8 branches of one task, a join that is the next fork."""
    chance = random.Random(f"fork_join/{tasks}/{seed}")
    kinds, edges = ["fork"], []
    while len(kinds) < tasks:
        fork, width = len(kinds) - 1, chance.randint(2, 8)
        branches = range(len(kinds), len(kinds) + width)
        join = branches.stop
        kinds += ["branch"] * width + ["fork"]
        edges += [Edge(fork, branch, _size(chance)) for branch in branches]
        edges += [Edge(branch, join, _size(chance)) for branch in branches]
    return _instance("fork_join", tasks, seed, [_task(chance, kind) for kind in kinds], edges)


def montage(tasks: int, seed: int) -> Instance:
    """The shape of the Montage workflow: project, compare neighbours, fit, correct, add up.

    Of `width` images: width projections, width - 1 comparisons of neighbours, one model of all,
    width corrections, and a chain of 3. About `tasks` tasks, 9 at least.
    """
    chance = random.Random(f"montage/{tasks}/{seed}")
    width = max(2, (tasks - 3) // 3)
    project = range(width)
    compare = range(width, 2 * width - 1)
    model = compare.stop
    correct = range(model + 1, model + 1 + width)
    add, shrink = correct.stop, correct.stop + 1
    pairs = [
        *((p, c) for c, left in zip(compare, project, strict=False) for p in (left, left + 1)),
        *((c, model) for c in compare),
        *((model, b) for b in correct),
        *zip(project, correct, strict=True),
        *((b, add) for b in correct),
        (add, shrink),
    ]
    kinds = [
        *["project"] * width, *["compare"] * (width - 1), "model", *["correct"] * width,
        "add", "shrink",
    ]  # fmt: skip
    edges = [Edge(u, v, _size(chance)) for u, v in pairs]
    return _instance("montage", tasks, seed, [_task(chance, kind) for kind in kinds], edges)


GENERATORS: Mapping[str, Generator] = {
    "layered": layered,
    "fork_join": fork_join,
    "montage": montage,
}
"""Name → generator, which takes about how many tasks, and the seed."""


def _task(chance: random.Random, skill: str) -> Task:
    return Task(chance.lognormvariate(2.0, 0.6), skill)


def _size(chance: random.Random) -> float:
    return chance.lognormvariate(5.5, 0.8)


def _instance(name: str, size: int, seed: int, tasks: list[Task], edges: list[Edge]) -> Instance:
    return Instance(f"{name}-{size}-{seed}", tuple(tasks), tuple(edges), name)
