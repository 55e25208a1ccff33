"""Workflows from the recipes of the package `wfcommons`, where a user has installed it.

Coleman, Casanova, Pottier, Kaushik, Deelman, Ferreira da Silva: WfCommons: a framework for
enabling scientific workflow research and development, FGCS 128, 2022. The package is under the
LGPL and brings SciPy and pandas: it is neither a dependency nor an extra.

It draws from the global generators, which are seeded here, and names things by `uuid4`: the same
seed gives the same graph as far as the package iterates in one order.
"""

import random
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from typing import Any, Final, TypeAlias

from benchmarks.frame import BenchmarkError
from benchmarks.scheduling.instances import wfformat
from benchmarks.scheduling.model import Instance

DOUBLED: Final = 6
_Theirs: TypeAlias = Any  # the package need not be installed


def recipes(tasks: int, seed: int) -> Iterator[Instance]:
    """Yield a workflow of each recipe with about so many tasks.

    A recipe whose base graphs are larger gets double the tasks, and again, until it can.

    Raises:
        BenchmarkError: the package is not installed, or a recipe cannot make a workflow.
    """
    try:
        package = import_module("wfcommons")
        numpy = import_module("numpy")
    except ImportError as error:
        raise BenchmarkError("recipes need wfcommons: pip install wfcommons") from error
    for name in sorted(each for each in dir(package) if each.endswith("Recipe")):
        random.seed(f"recipes/{name}/{seed}")
        numpy.random.seed(random.getrandbits(32))
        title = f"{name.removesuffix('Recipe').lower()}-{tasks}-{seed}"
        workflow = _built(package.WorkflowGenerator, getattr(package, name), tasks, title)
        workflow.generate_json()
        yield wfformat(workflow.workflow_json, title)


def _built(generator: _Theirs, recipe: _Theirs, tasks: int, title: str) -> _Theirs:
    for doubled in range(DOUBLED):
        with suppress(ValueError):  # its base graph has more tasks than were asked for
            return generator(recipe.from_num_tasks(tasks << doubled)).build_workflow(title)
    raise BenchmarkError(f"wfcommons makes no workflow {title!r}: ask for more tasks")
