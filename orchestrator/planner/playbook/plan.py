"""One playbook: loaded, and turned into a plan."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import to_json

from orchestrator.core.edits import AddDependency, AddTask, EditBatch
from orchestrator.core.model import Dependency, ForEach, Limits, Needs, On, Predicate, TaskSpec
from orchestrator.core.references import predecessors
from orchestrator.planner import PlanningError
from orchestrator.planner.playbook.document import PlaybookError, read
from orchestrator.planner.playbook.expressions import fill, fill_text, split_path
from orchestrator.planner.playbook.format import (
    AfterPart,
    ForEachPart,
    Labels,
    PlaybookPart,
    TaskPart,
    WhenPart,
)
from orchestrator.planner.playbook.matching import Match, match
from orchestrator.planner.playbook.parameters import checked
from orchestrator.planner.playbook.rules import patterns, problems
from protocol.sentences import told
from protocol.types import DeviceId, Json, ResourceNeed, TaskId


@dataclass(frozen=True, slots=True)
class Playbook:
    """The plan for one kind of request."""

    part: PlaybookPart
    source: str
    patterns: tuple[re.Pattern[str], ...]

    @property
    def name(self) -> str:
        """What it is called; a request of just this word matches it."""
        return self.part.name

    def match(self, request: str) -> Match | None:
        """Tell how well the playbook answers a request, if it does."""
        return match(self.patterns, request)

    def plan(self, given: Mapping[str, Json]) -> EditBatch:
        """Return the plan for these parameters.

        Raises:
            PlanningError: a parameter is unknown, missing or of the wrong type.
        """
        parameters = self._parameters(given)
        specs = {task.id: _spec(task, parameters) for task in self.part.tasks}
        dependencies = [
            dependency
            for task in self.part.tasks
            for edge in task.edges
            if (dependency := _dependency(edge, task, parameters)).on is not On.SUCCESS
            or edge.task not in predecessors(specs[task.id])
        ]
        return EditBatch(0, (*map(AddTask, specs.values()), *map(AddDependency, dependencies)))

    def _parameters(self, given: Mapping[str, Json]) -> Mapping[str, Json]:
        known = self.part.parameters
        if unknown := [name for name in given if name not in known]:
            raise PlanningError(
                f"playbook {self.name!r} has no parameter {unknown[0]!r}, "
                f"it has {', '.join(known) or 'none'}"
            )
        if missing := [
            name for name, each in known.items() if each.required and name not in given
        ]:
            raise PlanningError(
                f"playbook {self.name!r} needs the parameter {missing[0]!r}: "
                f"{known[missing[0]].description}"
            )
        return {
            name: self._value(name, given.get(name, each.default)) for name, each in known.items()
        }

    def _value(self, name: str, value: Json) -> Json:
        try:
            return checked(self.part.parameters[name], value)
        except ValueError as error:
            raise PlanningError(f"playbook {self.name!r}: parameter {name!r} {error}") from error


def _spec(task: TaskPart, parameters: Mapping[str, Json]) -> TaskSpec:
    args = fill(task.args, parameters)
    return TaskSpec(
        id=TaskId(task.id),
        skill=task.skill,
        args=args if isinstance(args, Mapping) else {},
        title=fill_text(task.title, parameters),
        needs=Needs(
            device=_device(task.device, parameters),
            labels=_labels(task.labels, parameters),
            resources=tuple(
                ResourceNeed(r.kind, fill_text(r.key, parameters), r.amount, r.scope)
                for r in task.resources
            ),
        ),
        limits=Limits(**task.limits.model_dump()),
        effect=task.effect,
        estimate_s=task.estimate_s,
        for_each=_for_each(task.for_each, parameters) if task.for_each else None,
        expect=_predicate(task.expect, parameters) if task.expect else None,
    )


def _for_each(part: ForEachPart, parameters: Mapping[str, Json]) -> ForEach:
    labels = _labels(part.devices or {}, parameters)
    return ForEach(fill(part.items, parameters), labels, part.min_success)


def _device(device: str | None, parameters: Mapping[str, Json]) -> DeviceId | None:
    unsaid = device is None or fill(device, parameters) is None
    return None if unsaid else DeviceId(fill_text(device or "", parameters))


def _labels(labels: Labels, parameters: Mapping[str, Json]) -> Mapping[str, str]:
    """Return the labels asked for; one whose parameter is null is not asked for."""
    return {
        key: fill_text(value, parameters)
        for key, value in labels.items()
        if fill(value, parameters) is not None
    }


def _dependency(edge: AfterPart, task: TaskPart, parameters: Mapping[str, Json]) -> Dependency:
    before, after = TaskId(edge.task), TaskId(task.id)
    if edge.when is None:
        return Dependency(before, after, On(edge.on))
    return Dependency(before, after, On.WHEN, _predicate(edge.when, parameters))


def _predicate(part: WhenPart, parameters: Mapping[str, Json]) -> Predicate:
    path = split_path(fill_text(part.path, parameters))
    return Predicate(path, part.op, fill(part.value, parameters))


def load(text: str, source: str) -> Playbook:
    """Read a playbook; `source` is what errors call the file.

    Raises:
        PlaybookError: naming line, column and cause of everything that is wrong.
    """
    document = read(text, source)
    try:
        part = PlaybookPart.model_validate_json(to_json(document.value))
    except ValidationError as error:
        raise PlaybookError(
            (document.place(where), detail) for where, detail in told(error.errors(), PlaybookPart)
        ) from error
    if wrong := [(document.place(location), detail) for location, detail in problems(part)]:
        raise PlaybookError(wrong)
    return Playbook(part, source, patterns(part))
