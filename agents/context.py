"""What a running skill knows of its attempt, how it talks back, and the errors it may raise.

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

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from agents.artifacts import Artifacts, AttemptArtifacts
from protocol.artifacts import (
    Artifact,
    ArtifactError,
    BadReferenceError,
    GoneError,
    TooBigError,
)
from protocol.types import AttemptId, Json, RunId, TaskId

OFF: Final = (
    "artifacts are off on this device: its owner turns them on with [artifacts] in device.toml"
)


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
        with artifact_errors():
            return await artifacts_of(self).share(path)

    async def fetch(self, artifact: Artifact) -> Path:
        """Return a file with the content, to read while the attempt lasts; fetched if need be.

        Raises:
            BadInputError: it is not to be had any more.
            TemporaryError: it cannot be had, or kept, now.
            PermanentError: artifacts are off, or it is more than they may take.
        """
        with artifact_errors():
            return await artifacts_of(self).fetch(artifact)


def artifacts_of(context: Context) -> AttemptArtifacts:
    """Return what the attempt of a context may do with artifacts.

    Raises:
        PermanentError: they are off.
    """
    if context.artifacts is None:
        raise PermanentError(OFF)
    return context.artifacts.of(
        context.attempt, context.run, progress=context.progress, going_on=context.guard
    )


@contextmanager
def artifact_errors() -> Iterator[None]:
    """Raise what goes wrong with artifacts as an error of the skill."""
    try:
        yield
    except (BadReferenceError, GoneError) as error:
        raise BadInputError(str(error)) from error
    except TooBigError as error:
        raise PermanentError(str(error)) from error
    except ArtifactError as error:
        raise TemporaryError(str(error)) from error
