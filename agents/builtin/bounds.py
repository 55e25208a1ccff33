"""What the built-in skills may touch, and how much they may return."""

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Generic, TypeVar
from uuid import uuid4

from pydantic_core import to_json

from agents.skills import MAX_OUTPUT_BYTES, BadInputError, NotAllowedError, PermanentError
from protocol.types import Json

TEXT_BYTES = MAX_OUTPUT_BYTES * 3 // 4  # of an output that carries a text; the rest describes it
BUFFER_BYTES = 1 << 20
"""For files that a thread streams. One that gives up the GIL for every 8 KiB takes it back before
the loop wakes, and the loop starves for 100 ms and more; with this it waits about 5 ms."""

T = TypeVar("T")


class Roots:
    """The folders that skills may see. A relative path starts at the first of them."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = tuple(folder.resolve() for folder in folders)

    def resolve(self, path: str) -> Path:
        """Return the real path, symbolic links followed.

        Raises:
            NotAllowedError: it is outside, or no folder is open.
        """
        if not self.folders:
            raise NotAllowedError(
                f"{path}: no folder is open here: the owner sets 'roots' in [skills.files]"
            )
        try:
            real = Path(self.folders[0], path).resolve()
        except (ValueError, OSError) as error:  # a NUL byte, a loop of links
            raise BadInputError(f"{path!r} is no path: {error}") from error
        if not self.contains(real):
            open_folders = ", ".join(map(str, self.folders))
            raise NotAllowedError(f"{path}: outside of the folders open here ({open_folders})")
        return real

    def show(self, real: Path) -> str:
        """Name a file inside so that `resolve` finds it again: short where that is possible."""
        first = self.folders[0]
        return str(real.relative_to(first) if real.is_relative_to(first) else real)

    def contains(self, real: Path) -> bool:
        """Tell whether a resolved path is inside."""
        return any(real.is_relative_to(folder) for folder in self.folders)


@contextmanager
def os_errors() -> Iterator[None]:
    """Say what the operating system refused in a sentence."""
    try:
        yield
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        raise PermanentError(f"{place}{error.strerror}") from error


async def off_loop(work: Callable[[Event], T]) -> T:
    """Run blocking `work` in a thread; the event tells it that the caller was cancelled."""
    stop = Event()

    def run() -> T:
        try:
            return work(stop)
        except StopIteration as error:  # no future can carry it: the caller would wait for ever
            raise RuntimeError("a stray StopIteration") from error

    try:
        with os_errors():
            return await asyncio.to_thread(run)
    finally:
        stop.set()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a new file to write, and put it in the place of `path` at the end, if it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{uuid4().hex}{path.suffix}")
    try:
        yield draft
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def json_bytes(value: object) -> int:
    """Return how much of an output `value` takes."""
    return len(to_json(value))


class Bounded(Generic[T]):
    """The beginning of a stream, as far as an output can carry it; `total` counts all of it."""

    def __init__(self, limit: int) -> None:
        self.items: list[T] = []
        self.total = 0
        self._limit = limit
        self._room = TEXT_BYTES

    def add(self, item: T) -> T:
        """Count the item, keep it unless it or one before it does not fit, and pass it on."""
        self.total += 1
        if len(self.items) == self.total - 1 < self._limit:
            self._room -= json_bytes(item)
            if self._room >= 0:
                self.items.append(item)
        return item

    @property
    def truncated(self) -> bool:
        """Whether anything was left out."""
        return self.total > len(self.items)


def shorten(text: str) -> str:
    """Return about the longest beginning of `text` that an output can carry."""
    while (size := json_bytes(text)) > TEXT_BYTES:
        text = text[: min(len(text) * TEXT_BYTES // size, len(text) - 1)]
    return text


def rows_of(source: Json) -> Iterator[Mapping[str, Json]]:
    """Read rows out of any output.

    A text is a row per line (`text`); an object in a list is a row. Any other object stands for
    the one list of objects it holds. Of a `for_each` join come the rows of every result, with
    their `item` in front.
    """
    match source:
        case None:
            return
        case str():
            yield from ({"text": line} for line in source.splitlines())
        case list() | tuple():
            for each in source:
                yield from [each] if isinstance(each, Mapping) else rows_of(each)
        case {"results": [*results], "items": [*items], **_others}:
            for item, result in zip(items, results, strict=True):
                for row in rows_of(result):
                    yield {"item": item, **row}
        case Mapping():
            lists = [value for value in source.values() if _holds_rows(value)]
            full = [value for value in lists if value]
            if lists and len(full) <= 1:
                yield from rows_of(full[0] if full else None)
            else:
                yield source
        case _:
            yield {"text": str(source)}


def _holds_rows(value: Json) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


def compiled(pattern: str) -> re.Pattern[str]:
    """Compile a regular expression of the caller's.

    Raises:
        BadInputError: it is none.
    """
    try:
        return re.compile(pattern)
    except re.error as error:
        raise BadInputError(f"{pattern!r} is no regular expression: {error}") from error
