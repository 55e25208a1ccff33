"""The form of a model's answer: pydantic models, and the JSON Schema that a server enforces.

Simpler than the edits that it becomes: kinds of edits are lists of their own, labels are texts
``key=value``, and arguments are lists of names and values. What servers enforce has the narrowest
common form (each property required, null instead of left out, no others, no bounds); what is
accepted is wider: a server that enforces nothing may leave things out, and write arguments as an
object, and a predecessor as its id.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    model_validator,
)

from orchestrator.core.model import Op
from orchestrator.core.references import FROM, ITEM
from protocol.types import Json

OBJECT = "$object"
"""Stands before the entries of an object: ``{"$object": [{"name": …, "value": …}]}``."""


class Part(BaseModel):
    """A JSON object of an answer; properties it does not know are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _entries(value: object) -> object:
    if not isinstance(value, Mapping):
        return value
    return [{"name": name, "value": each} for name, each in value.items()]


def _condition(value: object) -> object:
    return {"task": value} if isinstance(value, str) else value


def _plain(value: JsonValue) -> JsonValue:
    """Put objects in the place of their entries."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a number is out of range")
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.keys() != {OBJECT}:
        return {key: _plain(each) for key, each in value.items()}
    entries = value[OBJECT]
    if not isinstance(entries, list):
        raise ValueError(_ENTRIES)  # noqa: TRY004 - pydantic takes no other for a fault
    return dict(map(_entry, entries))


def _entry(entry: JsonValue) -> tuple[str, JsonValue]:
    if isinstance(entry, dict) and entry.keys() == {"name", "value"}:
        return str(entry["name"]), _plain(entry["value"])
    raise ValueError(_ENTRIES)


_ENTRIES = f"{OBJECT} takes a list of entries, each with a name and a value"


def _named_once(parts: "Sequence[ArgumentPart]") -> "Sequence[ArgumentPart]":
    for name, times in Counter(part.name for part in parts).items():
        if times > 1:
            raise ValueError(f"the argument {name!r} is given {times} times")
    return parts


Id: TypeAlias = Annotated[str, Field(pattern=r"^[^\s\[\]]{1,128}$")]
Seconds: TypeAlias = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Label: TypeAlias = Annotated[str, Field(pattern=r"^[^=]+=")]
Value: TypeAlias = Annotated[JsonValue, AfterValidator(_plain)]


class ArgumentPart(Part):
    """One argument by name."""

    name: str
    value: Value


Arguments: TypeAlias = Annotated[
    Sequence[ArgumentPart], BeforeValidator(_entries), AfterValidator(_named_once)
]


class ReferencePart(Part):
    """A place in the output of another task."""

    task: str = Field(alias="$from")
    path: Sequence[str | int] = ()


class WhenPart(Part):
    """A predicate over an output: that of the task itself, or of one that is waited for."""

    path: Sequence[str | int] = ()
    op: Op
    value: Value = None


class ConditionPart(Part):
    """How a task that is waited for must have ended."""

    on: Literal["success", "failure", "completion"] = "success"
    when: WhenPart | None = None

    @model_validator(mode="after")
    def _one_condition(self) -> Self:
        if self.when is not None and self.on != "success":
            raise ValueError(f"'when' looks at a success, so it excludes on: {self.on}")
        return self


class NamedPart(Part):
    """A task by its id."""

    task: str


class AfterPart(ConditionPart, NamedPart):
    """A task to wait for."""


class ForEachPart(Part):
    """Run the task once for every item, or for every device with the labels."""

    items: ReferencePart | None = None
    labels: Sequence[Label] | None = None
    min_success: Annotated[int, Field(ge=0)] | None = None


class LimitsPart(Part):
    """Bounds of a task; null leaves the default."""

    queue_s: Seconds | None = None
    run_s: Seconds | None = None
    attempts: Annotated[int, Field(ge=1)] | None = None


class TaskPart(Part):
    """One task."""

    id: Id
    skill: str
    args: Arguments = ()
    device: str | None = None
    labels: Sequence[Label] | None = None
    after: Sequence[Annotated[AfterPart, BeforeValidator(_condition)]] | None = None
    for_each: ForEachPart | None = None
    limits: LimitsPart | None = None
    expect: WhenPart | None = None


class ArgsPart(NamedPart):
    """Other arguments for a task."""

    args: Arguments


class EdgePart(Part):
    """A dependency between two tasks."""

    predecessor: str
    successor: str


class DependencyPart(ConditionPart, EdgePart):
    """A dependency, and how the predecessor must have ended."""


class ProposalPart(Part):
    """A first plan, or why there is none."""

    cannot: str | None = None
    tasks: Sequence[TaskPart] = ()


class RevisionPart(Part):
    """Changes of a plan, or why there are none."""

    cannot: str | None = None
    add_tasks: Sequence[TaskPart] = ()
    replace_tasks: Sequence[TaskPart] = ()
    set_args: Sequence[ArgsPart] = ()
    add_dependencies: Sequence[DependencyPart] = ()
    remove_dependencies: Sequence[EdgePart] = ()
    remove_tasks: Sequence[str] = ()
    cancel_tasks: Sequence[str] = ()


@cache
def schema(part: type[Part]) -> Mapping[str, Json]:
    """Return the JSON Schema of a part, narrow and short; it is shared."""
    body = part.model_json_schema()
    defs = {name: _narrow(each) for name, each in body["$defs"].items()}
    return {**_narrow(body), "$defs": defs | {"JsonValue": _VALUE}}


_KEPT = ("type", "enum", "$ref")


def _narrow(schema: Mapping[str, Any]) -> dict[str, Json]:
    kept: dict[str, Json] = {key: schema[key] for key in _KEPT if key in schema}
    if "anyOf" in schema:
        kept["anyOf"] = [_narrow(each) for each in schema["anyOf"]]
    if "items" in schema:
        kept["items"] = _narrow(schema["items"])
    if "properties" in schema:
        kept |= _object({name: _narrow(each) for name, each in schema["properties"].items()})
    return kept


def _object(properties: Mapping[str, Json]) -> dict[str, Json]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_PATH: Json = {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]}}
_VALUE: Json = {
    "anyOf": [
        *({"type": name} for name in ("string", "number", "boolean", "null")),
        {"type": "array", "items": {"$ref": "#/$defs/JsonValue"}},
        _object({FROM: {"type": "string"}, "path": _PATH}),
        _object({ITEM: _PATH}),
        _object({OBJECT: {"type": "array", "items": {"$ref": "#/$defs/ArgumentPart"}}}),
    ]
}
"""Any JSON value. An object is told by its entries: servers enforce none with free names."""
