"""A run as a sample: its request and its plan, in the words of a playbook without parameters.

What a `for_each` expanded to is left out, since the task that expanded is there. A device is kept
where the request names it; elsewhere the planner chose it, and the next one may choose again.
Secrets are marks (`secrets`).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Final

from orchestrator.core.model import DEFAULT_LIMITS, Dependency, On, Op, Predicate, TaskSpec
from orchestrator.core.references import predecessors
from orchestrator.core.snapshot import RunSnapshot
from orchestrator.planner.memory.errors import LearningError
from orchestrator.planner.memory.secrets import masked
from orchestrator.planner.memory.writing import dump
from orchestrator.planner.playbook.document import PlaybookError
from orchestrator.planner.playbook.expressions import ITEM, split_path
from orchestrator.planner.playbook.format import Part
from orchestrator.planner.playbook.plan import Playbook, load
from protocol.types import Json, TaskId

LONGEST_REQUEST: Final = 2000  # characters; the search for values in it is quadratic in its words
MOST_TASKS: Final = 60  # of a plan; nobody would read a longer playbook
_ID: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


class Sample(Part):
    """One run that was done: what was asked, and the tasks as a playbook has them."""

    run: str
    request: str
    tasks: tuple[Mapping[str, Json], ...]

    def playbook(self) -> Playbook:
        """Return the plan as a playbook without parameters.

        Raises:
            LearningError: playbooks cannot say this.
        """
        document: Json = {"name": "run", "description": "a run", "tasks": self.tasks}
        try:
            return load(dump(document), f"run {self.run}")
        except PlaybookError as error:
            raise LearningError(f"a playbook cannot say this plan: {error}") from error


def sample(snapshot: RunSnapshot) -> Sample:
    """Return what can be learned from a run, whatever it came to.

    Raises:
        LearningError: it is too large, or playbooks cannot say its plan.
    """
    request = " ".join(snapshot.request.split()).rstrip(".!? ")
    rows = [row for row in snapshot.tasks if row.parent is None]
    if not rows or not request:
        raise LearningError(
            f"run {snapshot.run} has no request or no plan: there is no work in it"
        )
    if len(rows) > MOST_TASKS or len(request) > LONGEST_REQUEST:
        raise LearningError(
            f"run {snapshot.run} is too large to learn from: at most {MOST_TASKS} tasks and"
            f" {LONGEST_REQUEST} characters"
        )
    names = _names([row.spec.id for row in rows])
    tasks: Sequence[Json] = [
        _task(row.spec, row.dependencies, names, request=request) for row in rows
    ]
    request, safe = masked(request, tasks)
    assert isinstance(safe, list)  # noqa: S101 - as it was
    learned = Sample(run=snapshot.run, request=request, tasks=tuple(safe))
    learned.playbook()
    return learned


def _names(ids: Sequence[TaskId]) -> Mapping[TaskId, str]:
    """Return the ids in a playbook: the same, where it takes them."""
    taken = {name for name in ids if _ID.fullmatch(name) and name != ITEM}
    names: dict[TaskId, str] = {}
    for name in ids:
        plain = name if name in taken else re.sub(r"\W+", "-", f"task-{name}", flags=re.ASCII)
        number = 2
        while name not in taken and plain in (taken | {*names.values()}):
            plain, number = f"{plain}-{number}", number + 1
        names[name] = plain
    return names


def _task(
    spec: TaskSpec,
    dependencies: Sequence[Dependency],
    names: Mapping[TaskId, str],
    *,
    request: str,
) -> Mapping[str, Json]:
    device = spec.needs.device
    implied = predecessors(spec)
    edges = sorted(dependencies, key=lambda edge: names[edge.predecessor])
    limits, usual = asdict(spec.limits), asdict(DEFAULT_LIMITS)
    whole: Mapping[str, Json] = {
        "id": names[spec.id],
        "title": _escaped(spec.title),
        "skill": spec.skill,
        "device": _escaped(device) if device and says(request, device) else None,
        "labels": {key: _escaped(value) for key, value in spec.needs.labels.items()},
        "resources": [
            {
                "kind": r.kind,
                "key": _escaped(r.key),
                "amount": _number(r.amount),
                "scope": r.scope.value,
            }
            for r in spec.needs.resources
        ],
        "for_each": _for_each(spec, names),
        "args": _written(spec.args, names),
        "expect": _when(spec.expect, names) if spec.expect else None,
        "effect": spec.effect.value if spec.effect else None,
        "limits": {k: _number(value) for k, value in limits.items() if value != usual[k]},
        "estimate_s": _number(spec.estimate_s or 0.0) or None,
        "after": [
            _edge(each, names)
            for each in edges
            if each.on is not On.SUCCESS or each.predecessor not in implied
        ],
    }
    return {key: value for key, value in whole.items() if value not in (None, "", [], {})}


def says(request: str, name: str) -> bool:
    """Tell whether a request has a name in it, as whole words."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", request) is not None


def _for_each(spec: TaskSpec, names: Mapping[TaskId, str]) -> Mapping[str, Json] | None:
    each = spec.for_each
    if each is None:
        return None
    labels = {key: _escaped(value) for key, value in each.labels.items()}
    over: dict[str, Json] = (
        {"devices": labels} if each.source is None else {"items": _written(each.source, names)}
    )
    return over if each.min_success is None else {**over, "min_success": each.min_success}


def _edge(edge: Dependency, names: Mapping[TaskId, str]) -> Json:
    name = names[edge.predecessor]
    if edge.when is None:
        return name if edge.on is On.SUCCESS else {"task": name, "on": edge.on.value}
    return {"task": name, "when": _when(edge.when, names)}


def _when(when: Predicate, names: Mapping[TaskId, str]) -> Mapping[str, Json]:
    told: dict[str, Json] = {"path": _escaped(_path(when.path)), "op": when.op.value}
    if when.op not in (Op.EXISTS, Op.TRUTHY):
        told["value"] = _written(when.value, names)
    return told


def _written(value: Json, names: Mapping[TaskId, str]) -> Json:
    match value:
        case Mapping() if isinstance(task := value.get("$from"), str):
            return _reference(names.get(TaskId(task), task), value.get("path"))
        case {"$item": path}:
            return _reference(ITEM, path)
        case str():
            return _escaped(value)
        case Mapping():
            return {key: _written(part, names) for key, part in value.items()}
        case list() | tuple():
            return [_written(part, names) for part in value]
        case _:
            return value


def _reference(name: str, path: Json) -> str:
    steps = _path(path if isinstance(path, list | tuple) else ())
    return f"${{{name}.{steps}}}" if steps else f"${{{name}}}"


def _path(steps: Sequence[Json]) -> str:
    """Return a dotted path.

    Raises:
        LearningError: one of its steps cannot be said so.
    """
    path = ".".join(str(step) for step in steps)
    if split_path(path) != tuple(steps) or re.search(r"[{}]", path):
        raise LearningError(f"a playbook cannot say the path {list(steps)}")
    return path


def _number(value: float) -> float:
    return int(value) if value == int(value) else value


def _escaped(text: str) -> str:
    return text.replace("${", "$${")
