"""What the annotations of a function promise of it as a skill."""

import inspect
from collections.abc import Awaitable, Callable
from copy import deepcopy
from dataclasses import field, make_dataclass
from functools import partial
from typing import TypeAlias, get_type_hints

from pydantic import ConfigDict, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

Function: TypeAlias = Callable[..., Awaitable[object]]


def title(function: Function) -> str:
    """Return the name that a function was given."""
    return getattr(function, "__qualname__", repr(function)).rpartition(".")[2]


class Schema(GenerateJsonSchema):
    """Leaves out the titles that pydantic makes up: they only repeat the names."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002  pydantic's hook
        """Say no."""
        return False


def read(
    function: Function, context: type
) -> tuple[bool, TypeAdapter[object], TypeAdapter[object]]:
    """Read the annotations: is the context wanted, what goes in, what comes out.

    Raises:
        TypeError: they do not make a skill.
    """
    name = title(function)
    if not inspect.iscoroutinefunction(function):
        raise TypeError(
            f"skill {name!r} must be declared with 'async def': a plain function would block the"
            " agent (call blocking code through asyncio.to_thread)"
        )
    parameters = dict(inspect.signature(function).parameters)
    for parameter in parameters.values():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise TypeError(f"skill {name!r}: {parameter} cannot be named in a plan")
    hints = get_type_hints(function, include_extras=True)
    if unknown := [each for each in (*parameters, "return") if each not in hints]:
        raise TypeError(f"skill {name!r}: annotate the type of {', '.join(unknown)}")
    first = next(iter(parameters), "")
    if wants_context := hints.get(first) is context:
        del parameters[first]
    arguments = make_dataclass(
        "Arguments",
        [(each, hints[each], _default(row)) for each, row in parameters.items()],
        kw_only=True,
        namespace={"__pydantic_config__": ConfigDict(extra="forbid", title=name)},
    )
    return wants_context, TypeAdapter(arguments), TypeAdapter(hints["return"])


def _default(parameter: inspect.Parameter) -> object:
    default = parameter.default
    if default is parameter.empty:
        return field()
    if type(default).__hash__ is None:  # a list, for one: each call gets its own
        return field(default_factory=partial(deepcopy, default))
    return field(default=default)
