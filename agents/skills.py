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
Errors say in their type what recovery may do:

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

import inspect
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, get_args, get_type_hints, overload

from pydantic import JsonValue, PydanticUserError, TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from agents.artifacts import MAX_VALUE_BYTES, Artifacts, AttemptArtifacts
from agents.contract import Function, Schema, read, title
from agents.wording import sentence
from protocol import types
from protocol.artifacts import (
    KEY,
    Artifact,
    ArtifactError,
    BadReferenceError,
    GoneError,
    TooBigError,
)
from protocol.types import AttemptId, Effect, Outcome, RunId, SkillInfo, Succeeded, TaskId

if TYPE_CHECKING:
    Json: TypeAlias = types.Json
else:
    Json = JsonValue  # the same, in the form that pydantic can read

MAX_OUTPUT_BYTES = 64 * 1024  # what a broker carries; more is an artifact
_OFF = "artifacts are off on this device: its owner turns them on with [artifacts] in device.toml"
_KEY = f'"{KEY}":'.encode()


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


def nobody(question: str) -> Awaitable[Json]:
    """Refuse a question: there is no person to ask."""
    raise PermanentError(f"nobody is there to answer: {question}")


def unnamed(kind: str, _key: str | None) -> object:
    """Refuse a resource: the task names none."""
    raise BadInputError(f"the task names no resource of kind {kind!r} as a need")


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a running skill knows about its attempt, and how it talks back.

    The runtime fills in the last five; the defaults make a context for trying a skill by hand.
    """

    attempt: AttemptId
    run: RunId
    task: TaskId
    token: int = 0
    epoch: int = 0
    on_progress: Callable[[float, str], None] = field(default=_unheard, repr=False)
    on_ask: Callable[[str], Awaitable[Json]] = field(default=nobody, repr=False)
    lease_live: Callable[[], bool] = field(default=lambda: True, repr=False)
    artifacts: Artifacts | None = field(default=None, repr=False)
    on_resource: Callable[[str, str | None], object] = field(default=unnamed, repr=False)

    def progress(self, share: float, note: str = "") -> None:
        """Report that `share` (clamped to 0..1) of the work is done; cheap, never blocks."""
        self.on_progress(min(max(share, 0.0), 1.0), note)

    async def ask(self, question: str) -> Json:
        """Ask a person; the attempt is `input_required` until the answer arrives.

        Raises:
            PermanentError: nobody can be asked.
        """
        return await self.on_ask(question)

    def resource(self, kind: str, key: str | None = None) -> Any:  # noqa: ANN401  its adapter's
        """Return what the adapter of a kind made; `key` says which, where the task needs several.

        Raises:
            BadInputError: the task names no such need.
            TemporaryError: it was lost since the attempt started.
        """
        return self.on_resource(kind, key)

    @property
    def fence(self) -> tuple[int, int]:
        """The attempt's (epoch, token): a later attempt of the same task has a greater one.

        It survives restarts of coordinator and device. A store outside that remembers the greatest
        it has seen for (run, task), and refuses a smaller one, is safe from an attempt that was
        given up but does not know it yet. `guard` alone is not: a process may be suspended between
        the guard and the side effect. A plain A2A client has no tokens: (0, 0) throughout.
        """
        return self.epoch, self.token

    def guard(self) -> None:
        """Make sure that the attempt may go on; call it before each side effect of a `once` skill.

        Raises:
            LeaseLostError: the attempt's lease has lapsed.
        """
        if not self.lease_live():
            raise LeaseLostError("the lease of this attempt has lapsed")

    async def share(self, path: Path) -> Artifact:
        """Keep a copy of a file as it is now, for others to fetch; return the reference to it.

        Raises:
            TemporaryError: there is no room for it now.
            PermanentError: artifacts are off, or it is more than they may take.
        """
        with _artifact_errors():
            return await _artifacts_of(self).share(path)

    async def fetch(self, artifact: Artifact) -> Path:
        """Return a file with the content, to read while the attempt lasts; fetched if need be.

        Raises:
            BadInputError: it is not to be had any more.
            TemporaryError: it cannot be had, or kept, now.
            PermanentError: artifacts are off, or it is more than they may take.
        """
        with _artifact_errors():
            return await _artifacts_of(self).fetch(artifact)


def _artifacts_of(context: Context) -> AttemptArtifacts:
    if context.artifacts is None:
        raise PermanentError(_OFF)
    return context.artifacts.of(
        context.attempt, context.run, progress=context.progress, going_on=context.guard
    )


@contextmanager
def _artifact_errors() -> Iterator[None]:
    try:
        yield
    except (BadReferenceError, GoneError) as error:
        raise BadInputError(str(error)) from error
    except TooBigError as error:
        raise PermanentError(str(error)) from error
    except ArtifactError as error:
        raise TemporaryError(str(error)) from error


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
                with _artifact_errors():
                    payload = to_json(await _artifacts_of(context).values(args, files=files))
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
    limit, advice = MAX_OUTPUT_BYTES, _OFF
    if context.artifacts:
        limit, advice = MAX_VALUE_BYTES, "return an Artifact, see Context.share"
    if len(payload) > limit:
        detail = f"{name} returned {len(payload)} bytes, at most {limit} are carried: {advice}"
        raise BadOutputError(detail)
    with _artifact_errors():
        return await _artifacts_of(context).output(payload)
