"""Finished runs made from plans, as the engine leaves them."""

from dataclasses import replace

from orchestrator.core.edits import AddDependency, AddTask, EditBatch
from orchestrator.core.facts import RunStatus
from orchestrator.core.model import Dependency, TaskSpec
from orchestrator.core.references import predecessors
from orchestrator.core.snapshot import RunSnapshot, TaskSnapshot


def task(name, skill="look", /, *, args=None, **more):
    return TaskSpec(name, skill, args or {}, **more)


def plan(*specs, edges=()):
    return EditBatch(0, (*map(AddTask, specs), *(AddDependency(Dependency(*e)) for e in edges)))


def finished(run, request, batch, *, status=RunStatus.SUCCEEDED):
    """Return the snapshot of a run that did a plan, its for_each expanded to two children."""
    specs = [edit.task for edit in batch.edits if isinstance(edit, AddTask)]
    edges = [edit.dependency for edit in batch.edits if isinstance(edit, AddDependency)]
    rows = []
    for spec in specs:
        told = [each for each in edges if each.successor == spec.id]
        known = {each.predecessor for each in told}
        implied = [Dependency(p, spec.id) for p in predecessors(spec) if p not in known]
        rows.append(TaskSnapshot(spec, "succeeded", "", {"done": 1}, (*told, *implied), None, 1))
        for item in ("one", "two") if spec.for_each else ():
            child = replace(spec, id=f"{spec.id}[{item}]", for_each=None)
            rows.append(TaskSnapshot(child, "succeeded", "", {}, (), None, 1, spec.id))
    return RunSnapshot(run, request, 1, status, tuple(rows))


def same(batch):
    """Return what a plan says, whatever the order of its dependencies."""
    specs = [edit.task for edit in batch.edits if isinstance(edit, AddTask)]
    edges = [edit.dependency for edit in batch.edits if isinstance(edit, AddDependency)]
    return specs, sorted(edges, key=lambda each: (each.successor, each.predecessor))
