"""Runs as a judge or a planner sees them."""

from orchestrator.core.facts import RunStatus
from orchestrator.core.lifecycle import TaskState
from orchestrator.core.model import Dependency, TaskSpec
from orchestrator.core.snapshot import RunSnapshot, TaskSnapshot
from protocol.types import TaskId


def row(name, output=None, *, state=TaskState.SUCCEEDED, waits=(), skill="s", **args):
    spec = TaskSpec(TaskId(name), skill, args)
    edges = tuple(Dependency(TaskId(before), spec.id) for before in waits)
    return TaskSnapshot(spec, state, "", output, edges)


def run(*rows, status=RunStatus.SUCCEEDED, request="do it", revision=3):
    return RunSnapshot("r", request, revision, status, rows)
