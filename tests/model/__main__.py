"""Explore a larger world: `python -m tests.model [once|pure] [attempts] [epochs] [crashes]`."""

import sys

from tests.model.explore import explore, stuck
from tests.model.words import World


def main() -> int:
    """Say how much was explored, and the shortest way to whatever is wrong."""
    kind, *sizes = [*sys.argv[1:], "once"][: len(sys.argv[1:]) or 1]
    names = ("attempts", "epochs", "crashes")
    world = World(kind == "once", **dict(zip(names, map(int, sizes), strict=False)))
    explored = explore(world)
    hung = [] if explored.broken else stuck(world, explored.came)
    lines = [f"{len(explored.came)} states, {explored.steps} steps", *explored.trace]
    lines.append(f"broken: {explored.broken or 'nothing'}; without an end: {len(hung)}")
    sys.stdout.write("\n".join(lines) + "\n")
    return bool(explored.broken or hung)


sys.exit(main())
