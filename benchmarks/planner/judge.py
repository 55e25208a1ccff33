"""What a run has delivered, held to the known answer: outputs count, a run's status does not."""

from collections.abc import Mapping
from typing import Final

from benchmarks.planner.requests import Case
from orchestrator.core.lifecycle import TaskState
from orchestrator.core.snapshot import RunSnapshot
from protocol.types import Json

VERSION: Final = "~"
"""Between the name of a task and the number of its version."""
_DELIVERING: Final = ({"name", "value"}, {"to", "names"})


def right(case: Case, run: RunSnapshot) -> bool:
    """Tell whether a run delivered the known answer, all of it and nothing else.

    What is delivered twice, alike, is delivered once; another value under a name is wrong.
    """
    delivered = list[Mapping[str, Json]]()
    for task in run.tasks:
        output = task.output
        done = task.state is TaskState.SUCCEEDED and isinstance(output, Mapping)
        if done and isinstance(output, Mapping) and output.keys() in _DELIVERING:
            delivered += [output] if output not in delivered else []
    return len(delivered) == len(case.answer) and all(each in delivered for each in case.answer)


def completed(case: Case, run: RunSnapshot) -> float:
    """Return the share of the right plan's tasks that succeeded, in whatever version."""
    done = {
        str(task.spec.id).partition(VERSION)[0]
        for task in run.tasks
        if task.state is TaskState.SUCCEEDED
    }
    wanted = case.tasks
    return len(done & wanted) / len(wanted)
