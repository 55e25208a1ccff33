"""The playbook file format: pydantic models, from which its JSON Schema is generated.

The schema lies beside the shipped playbooks: editors that know JSON Schema complete and check a
playbook while it is written.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Literal, Self, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Discriminator, Field, JsonValue, Tag, model_validator

from orchestrator.core.model import DEFAULT_LIMITS, Op
from protocol.types import Effect, PinScope

Name: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$")]
ParameterName: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Seconds: TypeAlias = Annotated[float, Field(gt=0)]
Kind: TypeAlias = Literal[
    "string", "integer", "number", "boolean", "duration", "size", "list", "object"
]
Labels: TypeAlias = Mapping[str, str]


class Part(BaseModel):
    """A mapping in the file; keys it does not know are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


P = TypeVar("P", bound=Part)
Short: TypeAlias = Annotated[  # told apart first, so that an error is about what was meant
    Annotated[str, Tag("text")] | Annotated[P, Tag("mapping")],
    Discriminator(lambda value: "text" if isinstance(value, str) else "mapping"),
]


class RegexPart(Part):
    """A request by regular expression: it matches all of it, ignoring case."""

    regex: str = Field(description="Python's syntax; named groups give parameters.")


class ParameterPart(Part):
    """A value that the request or the caller gives. Required unless it has a default.

    A duration ("day", "90 minutes") is used in seconds, a size ("100 MB", "2 GiB") in bytes; a
    list may be text with commas.
    """

    description: str = Field(min_length=1)
    type: Kind = "string"
    default: JsonValue = Field(
        default=None, description="Left out: required. null: may be missing."
    )
    choices: tuple[JsonValue, ...] = Field(
        default=(), description="The values allowed; none: all."
    )

    @property
    def is_text(self) -> bool:
        """Whether its value can be part of a longer text."""
        return self.type not in ("list", "object")

    @property
    def required(self) -> bool:
        """Whether the parameter has no default."""
        return "default" not in self.model_fields_set


class WhenPart(Part):
    """A predicate over an output: that of the task itself, or of one that is waited for."""

    path: str = Field("", description="Dotted place in the output, such as disks.0.free_bytes.")
    op: Op
    value: JsonValue = None

    @model_validator(mode="after")
    def _value_given(self) -> Self:
        if self.op not in (Op.EXISTS, Op.TRUTHY) and "value" not in self.model_fields_set:
            raise ValueError(f"op {self.op} compares with 'value', which is missing")
        return self


class AfterPart(Part):
    """A task to wait for, and how it must have ended."""

    task: str
    on: Literal["success", "failure", "completion"] = "success"
    when: WhenPart | None = Field(default=None, description="Succeeded, and the predicate holds.")

    @model_validator(mode="after")
    def _one_condition(self) -> Self:
        if self.when is not None and self.on != "success":
            raise ValueError(
                f"'when' looks at the output of a success, so it excludes on: {self.on}"
            )
        return self


class ForEachPart(Part):
    """Run the task once for every device or item; `${item}` in its arguments is that one."""

    devices: Labels | None = Field(default=None, description="Every device with these labels.")
    items: str | None = Field(default=None, description="A reference to a list: ${task.path}.")
    min_success: int | None = Field(
        default=None, ge=0, description="How many must succeed; else all."
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.devices is None) == (self.items is None):
            raise ValueError("for_each takes either 'devices' or 'items'")
        return self


class ResourcePart(Part):
    """Something warm that the task uses."""

    kind: str
    key: str
    amount: float = Field(ge=0)
    scope: PinScope = PinScope.RUN


class LimitsPart(Part):
    """Bounds of a task, in seconds."""

    queue_s: Seconds = DEFAULT_LIMITS.queue_s
    start_s: Seconds = DEFAULT_LIMITS.start_s
    run_s: Seconds = DEFAULT_LIMITS.run_s
    input_s: Seconds = DEFAULT_LIMITS.input_s
    unknown_s: Seconds = DEFAULT_LIMITS.unknown_s
    attempts: int = Field(default=DEFAULT_LIMITS.attempts, ge=1)


class TaskPart(Part):
    """One task.

    Text may hold references: `${parameter}`, `${task.path}` for a place in another task's output,
    `${item.path}` under for_each; `$${` stands for `${` itself.
    """

    id: Name
    skill: str = Field(pattern=r"^[A-Za-z0-9_.-]+$")
    title: str = ""
    args: Mapping[str, JsonValue] = Field(default_factory=dict)
    device: str | None = Field(default=None, description="Run on this device only.")
    labels: Labels = Field(default_factory=dict, description="Run on a device with these labels.")
    resources: tuple[ResourcePart, ...] = ()
    limits: LimitsPart = LimitsPart()
    effect: Effect | None = Field(
        None, description="What running it twice does; else its skill's."
    )
    estimate_s: Seconds | None = None
    for_each: ForEachPart | None = None
    expect: WhenPart | None = Field(
        default=None,
        description="What its output is taken to be. Where that does not hold, the planner may"
        " revise what waits for it before that starts.",
    )
    after: tuple[Short[AfterPart], ...] = Field(
        default=(), description="Tasks to wait for, beyond those that the arguments refer to."
    )

    @property
    def edges(self) -> tuple[AfterPart, ...]:
        """`after`, with plain ids spelled out."""
        return tuple(
            AfterPart(task=each) if isinstance(each, str) else each for each in self.after
        )


class PlaybookPart(Part):
    """A playbook: the plan for one kind of request."""

    name: Name
    description: str = Field(min_length=1)
    match: tuple[Short[RegexPart], ...] = Field(
        default=(),
        description="Requests it answers, in words: {parameter} takes any words, [words] may be"
        " missing. The name itself always matches.",
    )
    parameters: Mapping[ParameterName, ParameterPart] = Field(default_factory=dict)
    tasks: tuple[TaskPart, ...] = Field(json_schema_extra={"minItems": 1})


def schema() -> str:
    """Return the JSON Schema of the file format as text."""
    body = PlaybookPart.model_json_schema()
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(head | body, indent=2) + "\n"
