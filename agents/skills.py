"""Skills: typed async functions that a device offers to the orchestrator.

```python
@skill(effect=Effect.ONCE, estimate_s=2.0)
async def print_label(context: Context, text: str, copies: int = 1) -> str:
    \"\"\"Print a label and return the job number.\"\"\"
```

The annotations are the contract: they become the JSON Schemas on the device card, and both the
arguments and the output are checked against them, strictly, as JSON: `"5"` is not an integer, and
a list becomes a tuple where one is asked for. Annotate with the `Json` of this module where any
JSON will do. An output over `MAX_OUTPUT_BYTES` travels as a reference (`agents.artifacts`), and
a reference in an argument is that value again. Annotate with `Artifact` (or a list, mapping or
union of it) for a file, which `Context.share` offers to others and `Context.fetch` gets from them.
Errors (`agents.context`) say in their type what recovery may do.
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, get_args, get_type_hints, overload

from pydantic import JsonValue, PydanticUserError, TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from agents.artifacts import MAX_VALUE_BYTES
from agents.context import (
    OFF,
    BadInputError,
    BadOutputError,
    Context,
    LeaseLostError,
    NotAllowedError,
    PermanentError,
    SkillError,
    TemporaryError,
    artifact_errors,
    artifacts_of,
)
from agents.contract import Function, Schema, read, title
from agents.wording import sentence
from protocol import types
from protocol.artifacts import KEY, Artifact
from protocol.sentences import shown
from protocol.types import Effect, Outcome, SkillInfo, Succeeded

__all__ = [
    "MAX_OUTPUT_BYTES",
    "BadInputError",
    "BadOutputError",
    "Context",
    "Json",
    "LeaseLostError",
    "NotAllowedError",
    "PermanentError",
    "Reconcile",
    "Skill",
    "SkillError",
    "Skills",
    "TemporaryError",
    "skill",
]

if TYPE_CHECKING:
    Json: TypeAlias = types.Json
else:
    Json = JsonValue  # the same, in the form that pydantic can read

MAX_OUTPUT_BYTES = 64 * 1024  # what a broker carries; more is an artifact
_KEY = f'"{KEY}":'.encode()


Call: TypeAlias = Callable[[Context, Mapping[str, Json]], Awaitable[Json]]
Reconcile: TypeAlias = Callable[[Context, Mapping[str, Json]], Awaitable[Outcome]]
"""Find out what came of a `once` attempt that was cut off; `Unknown` if that cannot be told.

`Succeeded` if it took effect, with what the skill would have returned; `Failed` if it did not.
"""


@dataclass(frozen=True, slots=True)
class Skill:
    """A skill as the device runs it.

    `call` checks the arguments (`BadInputError`), runs the function, checks the output against the
    annotation and the size limit (`BadOutputError`), and returns plain JSON.
    """

    info: SkillInfo
    call: Call
    reconcile: Reconcile | None = None


@overload
def skill(name: Function) -> Skill: ...
@overload
def skill(
    name: str | None = None,
    *,
    effect: Effect = Effect.PURE,
    estimate_s: float | None = None,
    reconcile: Reconcile | None = None,
) -> Callable[[Function], Skill]: ...
def skill(
    name: Function | str | None = None,
    *,
    effect: Effect = Effect.PURE,
    estimate_s: float | None = None,
    reconcile: Reconcile | None = None,
) -> Skill | Callable[[Function], Skill]:
    """Make a skill of a typed async function; the docstring's first line describes it.

    Args:
        name: what plans call it; the function's name if left out.
        effect: what running it twice would do.
        estimate_s: the usual duration on a reference device, for the first placement.
        reconcile: how to find out what came of a `once` attempt that was cut off. It looks, and
            changes nothing: it may be asked more than once, and has some 30 s. Whatever it raises
            leaves the outcome unknown.
    """

    def decorate(function: Function) -> Skill:
        try:
            wants_context, arguments, output = read(function, Context)
            input_schema = arguments.json_schema(schema_generator=Schema)
            output_schema = output.json_schema(schema_generator=Schema)
        except (PydanticUserError, RecursionError) as error:
            reason = str(error).partition("\n")[0]
            raise TypeError(
                f"skill {title(function)!r}: its annotations cannot be read (for any JSON use the"
                f" 'Json' of agents.skills): {reason}"
            ) from error
        info = SkillInfo(
            name=name if isinstance(name, str) else title(function),
            description=(inspect.getdoc(function) or "").partition("\n")[0],
            input_schema=input_schema,
            output_schema=output_schema,
            effect=effect,
            estimate_s=estimate_s,
        )
        if not re.fullmatch(r"[A-Za-z0-9_.-]+", info.name):
            raise TypeError(f"{info.name!r} is no skill name: use letters, digits and '_.-'")
        call = _caller(
            function, info.name, wants_context=wants_context, arguments=arguments, output=output
        )
        return Skill(info, call, reconcile and _look_up(reconcile, info.name, output))

    return decorate(name) if callable(name) else decorate


class Skills(Mapping[str, Skill]):
    """The skills of one device by name, in the order they were given."""

    def __init__(self, skills: Iterable[Skill] = ()) -> None:
        self._skills: dict[str, Skill] = {}
        for each in skills:
            if not isinstance(each, Skill):
                raise TypeError(f"skills: {shown(each)} is none: write @skill above its function")
            if self._skills.setdefault(each.info.name, each) is not each:
                raise ValueError(f"two skills are called {each.info.name!r}: rename one of them")

    def __getitem__(self, name: str) -> Skill:
        return self._skills[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._skills)

    def __len__(self) -> int:
        return len(self._skills)

    @property
    def infos(self) -> tuple[SkillInfo, ...]:
        """What the device card says about them."""
        return tuple(each.info for each in self.values())


def _caller(
    function: Function,
    name: str,
    *,
    wants_context: bool,
    arguments: TypeAdapter[object],
    output: TypeAdapter[object],
) -> Call:
    known = tuple(inspect.signature(function).parameters)[wants_context:]
    files = [each for each, hint in get_type_hints(function).items() if _holds_artifacts(hint)]

    async def checked_input(context: Context, args: Mapping[str, Json]) -> object:
        try:
            payload = to_json(dict(args))
            if _KEY in payload:
                with artifact_errors():
                    payload = to_json(await artifacts_of(context).values(args, files=files))
            return arguments.validate_json(payload, strict=True)
        except ValidationError as error:
            sentences = [sentence(each, known) for each in error.errors(include_url=False)]
            raise BadInputError(f"{name}: {'; '.join(sentences)}") from error
        except ValueError as error:
            raise BadInputError(f"{name}: the arguments are not JSON: {error}") from error

    async def call(context: Context, args: Mapping[str, Json]) -> Json:
        try:
            checked = await checked_input(context, args)
            before = (context,) if wants_context else ()
            return await _returned(name, await function(*before, **vars(checked)), output, context)
        finally:
            if context.artifacts:
                await context.artifacts.close(context.attempt)

    return call


def _look_up(reconcile: Reconcile, name: str, output: TypeAdapter[object]) -> Reconcile:
    async def look_up(context: Context, args: Mapping[str, Json]) -> Outcome:
        try:
            found = await reconcile(context, args)
            if isinstance(found, Succeeded):
                return Succeeded(await _returned(name, found.output, output, context))
        finally:
            if context.artifacts:
                await context.artifacts.close(context.attempt)
        if not isinstance(found, Outcome):
            raise BadOutputError(f"{name}: its reconcile returned {found!r}, no outcome")
        return found

    return look_up


def _holds_artifacts(hint: object) -> bool:
    return hint is Artifact or any(map(_holds_artifacts, get_args(hint)))


def _checked_output(name: str, result: object, output: TypeAdapter[object]) -> tuple[bytes, Json]:
    try:
        payload = to_json(result)
        output.validate_json(payload, strict=True)
        plain: Json = from_json(payload, allow_inf_nan=False)
    except ValidationError as error:
        detail = sentence(error.errors(include_url=False)[0])
        raise BadOutputError(f"{name} returned what it does not promise: {detail}") from error
    except ValueError as error:
        raise BadOutputError(f"{name} returned what JSON cannot say: {error}") from error
    return payload, plain


async def _returned(
    name: str, result: object, output: TypeAdapter[object], context: Context
) -> Json:
    payload, plain = _checked_output(name, result, output)
    return plain if len(payload) <= MAX_OUTPUT_BYTES else await _kept(name, payload, context)


async def _kept(name: str, payload: bytes, context: Context) -> Json:
    """Keep an output that no message carries, and return its reference."""
    limit, advice = MAX_OUTPUT_BYTES, OFF
    if context.artifacts:
        limit, advice = MAX_VALUE_BYTES, "return an Artifact, see Context.share"
    if len(payload) > limit:
        detail = f"{name} returned {len(payload)} bytes, at most {limit} are carried: {advice}"
        raise BadOutputError(detail)
    with artifact_errors():
        return await artifacts_of(context).output(payload)
