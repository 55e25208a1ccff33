"""Skills: typed async functions that a device offers to the orchestrator.

```python
@skill(effect=Effect.ONCE, estimate_s=2.0)
async def print_label(context: Context, text: str, copies: int = 1) -> str:
    \"\"\"Print a label and return the job number.\"\"\"
```

The annotations are the contract: they become the JSON Schemas on the device card, and both the
arguments and the output are checked against them, strictly, as JSON: `"5"` is not an integer, and
a list becomes a tuple where one is asked for. Annotate with the `Json` of this module where any
JSON will do. Errors say in their type what recovery may do:

```
SkillError
├── TemporaryError      worth another try, after `retry_after_s` if that is given
├── PermanentError      trying again here would fail again
├── BadInputError       the arguments miss the schema
│   └── NotAllowedError the owner of the device does not allow this
├── BadOutputError      the skill broke its own contract
└── LeaseLostError      the right to work on this attempt has lapsed
```
"""

import difflib
import inspect
import re
import textwrap
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, make_dataclass
from typing import TYPE_CHECKING, TypeAlias, get_type_hints, overload

from pydantic import ConfigDict, JsonValue, PydanticUserError, TypeAdapter, ValidationError
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import ErrorDetails, from_json, to_json

from protocol import types
from protocol.types import AttemptId, Effect, Outcome, RunId, SkillInfo, TaskId

if TYPE_CHECKING:
    Json: TypeAlias = types.Json
else:
    Json = JsonValue  # the same, in the form that pydantic can read

MAX_OUTPUT_BYTES = 64 * 1024  # what a broker carries; more belongs into a file


class SkillError(Exception):
    """A skill did not do its work; `str()` is the detail."""


class TemporaryError(SkillError):
    """Worth another try, after `retry_after_s` seconds if that is given."""

    def __init__(self, detail: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class PermanentError(SkillError):
    """Trying again on this device would fail again."""


class BadInputError(SkillError):
    """The arguments miss the skill's schema."""


class NotAllowedError(BadInputError):
    """The owner of the device does not allow what was asked for."""


class BadOutputError(SkillError):
    """The skill returned what its annotation does not promise, or too much of it."""


class LeaseLostError(SkillError):
    """The right to work on this attempt has lapsed: stop before the next side effect."""


def _unheard(share: float, note: str) -> None:
    pass


def _nobody(question: str) -> Awaitable[Json]:
    raise PermanentError(f"nobody is there to answer: {question}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a running skill knows about its attempt, and how it talks back.

    The runtime fills in the last three; the defaults make a context for trying a skill by hand.
    """

    attempt: AttemptId
    run: RunId
    task: TaskId
    token: int = 0
    epoch: int = 0
    on_progress: Callable[[float, str], None] = field(default=_unheard, repr=False)
    on_ask: Callable[[str], Awaitable[Json]] = field(default=_nobody, repr=False)
    lease_live: Callable[[], bool] = field(default=lambda: True, repr=False)

    def progress(self, share: float, note: str = "") -> None:
        """Report that `share` (clamped to 0..1) of the work is done; cheap, never blocks."""
        self.on_progress(min(max(share, 0.0), 1.0), note)

    async def ask(self, question: str) -> Json:
        """Ask a person; the attempt is `input_required` until the answer arrives.

        Raises:
            PermanentError: nobody can be asked.
        """
        return await self.on_ask(question)

    def guard(self) -> None:
        """Make sure that the attempt may go on; call it before each side effect of a `once` skill.

        Raises:
            LeaseLostError: the attempt's lease has lapsed.
        """
        if not self.lease_live():
            raise LeaseLostError("the lease of this attempt has lapsed")


Call: TypeAlias = Callable[[Context, Mapping[str, Json]], Awaitable[Json]]
Reconcile: TypeAlias = Callable[[Context, Mapping[str, Json]], Awaitable[Outcome]]
"""Find out what came of a `once` attempt that was cut off; `Unknown` if that cannot be told."""


@dataclass(frozen=True, slots=True)
class Skill:
    """A skill as the device runs it.

    `call` checks the arguments (`BadInputError`), runs the function, checks the output against the
    annotation and the size limit (`BadOutputError`), and returns plain JSON.
    """

    info: SkillInfo
    call: Call
    reconcile: Reconcile | None = None


Function: TypeAlias = Callable[..., Awaitable[object]]


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
        reconcile: how to find out what came of a `once` attempt that was cut off.
    """

    def decorate(function: Function) -> Skill:
        try:
            wants_context, arguments, output = _contract(function)
            input_schema = arguments.json_schema(schema_generator=_Schema)
            output_schema = output.json_schema(schema_generator=_Schema)
        except (PydanticUserError, RecursionError) as error:
            reason = str(error).partition("\n")[0]
            raise TypeError(
                f"skill {_title(function)!r}: its annotations cannot be read (for any JSON use the"
                f" 'Json' of agents.skills): {reason}"
            ) from error
        info = SkillInfo(
            name=name if isinstance(name, str) else _title(function),
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
        return Skill(info, call, reconcile)

    return decorate(name) if callable(name) else decorate


class Skills(Mapping[str, Skill]):
    """The skills of one device by name, in the order they were given."""

    def __init__(self, skills: Iterable[Skill] = ()) -> None:
        self._skills: dict[str, Skill] = {}
        for each in skills:
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


def _title(function: Function) -> str:
    return getattr(function, "__qualname__", repr(function)).rpartition(".")[2]


class _Schema(GenerateJsonSchema):
    """Leaves out the titles that pydantic makes up: they only repeat the names."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002  pydantic's hook
        return False


def _contract(function: Function) -> tuple[bool, TypeAdapter[object], TypeAdapter[object]]:
    """Read the annotations: is the context wanted, what goes in, what comes out."""
    title = _title(function)
    if not inspect.iscoroutinefunction(function):
        raise TypeError(
            f"skill {title!r} must be declared with 'async def': a plain function would block the"
            " agent (call blocking code through asyncio.to_thread)"
        )
    parameters = dict(inspect.signature(function).parameters)
    for parameter in parameters.values():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise TypeError(f"skill {title!r}: {parameter} cannot be named in a plan")
    hints = get_type_hints(function, include_extras=True)
    if unknown := [name for name in (*parameters, "return") if name not in hints]:
        raise TypeError(f"skill {title!r}: annotate the type of {', '.join(unknown)}")
    first = next(iter(parameters), "return")
    if wants_context := hints[first] is Context:
        del parameters[first]
    arguments = make_dataclass(
        "Arguments",
        [(name, hints[name], _default(each)) for name, each in parameters.items()],
        kw_only=True,
        namespace={"__pydantic_config__": ConfigDict(extra="forbid", title=title)},
    )
    return wants_context, TypeAdapter(arguments), TypeAdapter(hints["return"])


def _default(parameter: inspect.Parameter) -> object:
    return field() if parameter.default is parameter.empty else field(default=parameter.default)


def _caller(
    function: Function,
    name: str,
    *,
    wants_context: bool,
    arguments: TypeAdapter[object],
    output: TypeAdapter[object],
) -> Call:
    known = tuple(inspect.signature(function).parameters)[wants_context:]

    async def call(context: Context, args: Mapping[str, Json]) -> Json:
        try:
            checked = arguments.validate_json(to_json(dict(args)), strict=True)
        except ValidationError as error:
            sentences = [_sentence(each, known) for each in error.errors(include_url=False)]
            raise BadInputError(f"{name}: {'; '.join(sentences)}") from error
        except ValueError as error:
            raise BadInputError(f"{name}: the arguments are not JSON: {error}") from error
        before = (context,) if wants_context else ()
        result = await function(*before, **vars(checked))
        return _checked_output(name, result, output)

    return call


def _checked_output(name: str, result: object, output: TypeAdapter[object]) -> Json:
    try:
        payload = to_json(result)
        output.validate_json(payload, strict=True)
        plain: Json = from_json(payload, allow_inf_nan=False)
    except ValidationError as error:
        detail = _sentence(error.errors(include_url=False)[0])
        raise BadOutputError(f"{name} returned what it does not promise: {detail}") from error
    except ValueError as error:
        raise BadOutputError(f"{name} returned what JSON cannot say: {error}") from error
    if len(payload) > MAX_OUTPUT_BYTES:
        raise BadOutputError(
            f"{name} returned {len(payload)} bytes, at most {MAX_OUTPUT_BYTES} are carried:"
            " write a file and return its path"
        )
    return plain


def _sentence(detail: ErrorDetails, known: Iterable[str] = ()) -> str:
    place = ".".join(map(str, detail["loc"]))
    match detail["type"]:
        case "unexpected_keyword_argument":
            near = suggest(place, known) if len(detail["loc"]) == 1 else ""
            return f"there is no argument {place!r}{near}"
        case "missing" | "missing_argument" | "missing_keyword_only_argument":
            return f"{place!r} is missing"
        case _:
            got = textwrap.shorten(repr(detail["input"]), 80)
            return f"{place or 'value'}: {detail['msg']}, got {got}"


def suggest(wrong: str, known: Iterable[str]) -> str:
    """Name the nearest known word, else all of them, as the rest of a sentence."""
    known = list(known)
    if near := difflib.get_close_matches(wrong, known, n=1):
        return f", did you mean {near[0]!r}?"
    return f", there are {', '.join(known)}" if known else ""
