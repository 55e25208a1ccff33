"""Files inside the folders that the owner opened: read, write, append, list, search, hash, move.

Blocking work runs in a thread and streams, whatever the size of a file. A search runs a regular
expression of the caller's: the owner's policy says who may.
"""

import codecs
import hashlib
import math
import os
import re
import shutil
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Annotated, TextIO, TypeAlias

from pydantic import Field

from agents.builtin.bounds import (
    BUFFER_BYTES,
    TEXT_BYTES,
    Bounded,
    Roots,
    compiled,
    json_bytes,
    off_loop,
    replacing,
)
from agents.skills import BadInputError, Context, Skill, skill
from protocol.artifacts import Artifact
from protocol.types import Effect

Limit: TypeAlias = Annotated[int, Field(ge=1, le=1000)]
Age: TypeAlias = Annotated[float, Field(gt=0)]

MAX_LINE = 4096  # characters of a line that are searched and returned
MAX_UNREADABLE = 20
LEADING_TIME = re.compile(  # also behind a level, or as the first value of a JSON object
    r'[^\d\s]{0,40} ?"?'
    r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)"
)


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of a file; `next_offset` is None at its end."""

    path: str
    text: str
    size_bytes: int
    next_offset: int | None


@dataclass(frozen=True, slots=True)
class Written:
    """A file after writing."""

    path: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in a listing; `modified` is ISO 8601 in UTC."""

    path: str
    size_bytes: int
    modified: str


@dataclass(frozen=True, slots=True)
class Listing:
    """The first files by path; `total` counts all."""

    files: Sequence[Entry]
    total: int
    truncated: bool


@dataclass(frozen=True, slots=True)
class Match:
    """A line that was found; lines count from 1."""

    file: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Found:
    """The first matches by file and line; `total` counts all, `files` those that were searched."""

    matches: Sequence[Match]
    total: int
    truncated: bool
    files: int
    unreadable: Sequence[str]
    """The first files that could not be searched, and why."""


@dataclass(frozen=True, slots=True)
class Hash:
    """The SHA-256 of a file, in hexadecimal."""

    path: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Files:
    """The skills over one set of roots; `wall` tells the time that ages count from."""

    roots: Roots
    wall: Callable[[], float]

    async def read(
        self,
        path: str,
        offset: Annotated[int, Field(ge=0)] = 0,
        limit: Annotated[int, Field(ge=1, le=TEXT_BYTES)] = TEXT_BYTES // 2,
    ) -> Text:
        """Read up to `limit` bytes of UTF-8 text from byte `offset` of a file."""
        real = self.roots.resolve(path)

        def work(_stop: Event) -> Text:
            with real.open("rb") as file:
                size = file.seek(0, 2)
                file.seek(offset)
                data = file.read(limit)
            text, used = _decoded(data, final=offset + len(data) >= size)
            while json_bytes(text) > TEXT_BYTES:  # full of characters that JSON must escape
                text, used = _decoded(data[: used // 2], final=False)
            end = offset + used
            return Text(path, text, size, end if end < size else None)

        return await off_loop(work)

    async def write(self, path: str, text: str) -> Written:
        """Write a text file, whole or not at all, with the folders it needs."""
        real = self.roots.resolve(path)

        def work(_stop: Event) -> Written:
            with replacing(real) as draft:
                draft.write_text(text, encoding="utf-8", newline="")
            return Written(path, real.stat().st_size)

        return await off_loop(work)

    async def append(self, context: Context, path: str, text: str) -> Written:
        """Append text to a file, with the folders it needs."""
        real = self.roots.resolve(path)

        def work(stop: Event) -> Written:
            real.parent.mkdir(parents=True, exist_ok=True)
            context.guard()
            with real.open("a", encoding="utf-8", newline="") as file:
                file.write("" if stop.is_set() else text)
            return Written(path, real.stat().st_size)

        return await off_loop(work)

    async def list_files(self, path: str = ".", glob: str = "**/*", limit: Limit = 200) -> Listing:
        """List the files below a folder with their sizes and times of last change."""
        folder = self.roots.resolve(path)

        def work(stop: Event) -> Listing:
            entries = Bounded[Entry](limit)
            for file, info in self._below(folder, glob, stop):
                modified = datetime.fromtimestamp(info.st_mtime, UTC).isoformat(timespec="seconds")
                entries.add(Entry(self.roots.show(file), info.st_size, modified))
            return Listing(entries.items, entries.total, entries.truncated)

        return await off_loop(work)

    async def search(
        self,
        pattern: str,
        path: str = ".",
        glob: str = "**/*",
        since_s: Age | None = None,
        limit: Limit = 200,
    ) -> Found:
        """Find lines by regular expression in a file or the files below a folder.

        With `since_s` only lines younger than that many seconds, by the ISO 8601 time they begin
        with (local where it names no zone). A line without a time is as old as the one before it,
        and the first lines of a file as old as the file.
        """
        folder = self.roots.resolve(path)
        regex = compiled(pattern)
        oldest = -math.inf if since_s is None else self.wall() - since_s

        def work(stop: Event) -> Found:
            matches = Bounded[Match](limit)
            unreadable: list[str] = []
            young = [
                file for file, info in self._below(folder, glob, stop) if info.st_mtime >= oldest
            ]
            for file in young:
                name = self.roots.show(file)
                try:
                    with file.open("r", BUFFER_BYTES, "utf-8", errors="replace") as lines:
                        for number, line in _matching(_lines(lines, stop), regex, oldest):
                            matches.add(Match(name, number, line))
                except OSError as error:
                    unreadable.append(f"{name}: {error.strerror}")
            files = len(young) - len(unreadable)
            return Found(
                matches.items, matches.total, matches.truncated, files, unreadable[:MAX_UNREADABLE]
            )

        return await off_loop(work)

    async def hash_file(self, path: str) -> Hash:
        """Compute the SHA-256 of a file."""
        real = self.roots.resolve(path)

        def work(stop: Event) -> Hash:
            digest = hashlib.sha256()
            with real.open("rb") as file:
                while not stop.is_set() and (chunk := file.read(BUFFER_BYTES)):
                    digest.update(chunk)
                return Hash(path, digest.hexdigest(), file.tell())

        return await off_loop(work)

    async def share(self, context: Context, path: str) -> Artifact:
        """Offer a file, as it is now, to other devices."""
        return await context.share(self.roots.resolve(path))

    async def fetch(self, context: Context, artifact: Artifact, path: str) -> Written:
        """Put a file that another device shared in place, whole or not at all."""
        real = self.roots.resolve(path)
        source = await context.fetch(artifact)

        def work(_stop: Event) -> Written:
            with replacing(real) as draft:
                shutil.copyfile(source, draft)
            return Written(path, real.stat().st_size)

        return await off_loop(work)

    def _below(self, place: Path, glob: str, stop: Event) -> Iterator[tuple[Path, os.stat_result]]:
        """Walk the files inside the roots in the order of their paths; a file is itself."""
        try:
            paths = sorted(place.glob(glob)) if stat.S_ISDIR(place.stat().st_mode) else [place]
        # The second is what pathlib says to an absolute pattern.
        except (ValueError, NotImplementedError) as error:
            raise BadInputError(f"{glob!r} is no glob pattern: {error}") from error
        for path in paths:
            if stop.is_set():
                return
            real = path.resolve()
            if self.roots.contains(real) and real.is_file():
                yield path, real.stat()


def skills(roots: Sequence[Path], *, wall: Callable[[], float] | None = None) -> Sequence[Skill]:
    """Make the skills; `wall` is for tests."""
    files = Files(Roots(roots), wall or time.time)  # noqa: TID251  what stamps files and log lines
    return (
        skill("files.read")(files.read),
        skill("files.write", effect=Effect.IDEMPOTENT)(files.write),
        skill("files.append", effect=Effect.ONCE)(files.append),
        skill("files.list")(files.list_files),
        skill("files.search")(files.search),
        skill("files.hash")(files.hash_file),
        skill("files.share", effect=Effect.IDEMPOTENT)(files.share),
        skill("files.fetch", effect=Effect.IDEMPOTENT)(files.fetch),
    )


def _decoded(data: bytes, *, final: bool) -> tuple[str, int]:
    """Decode, and say how many bytes that took: a character cut off at the end is left."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = decoder.decode(data, final=final)
    return text, len(data) - len(decoder.getstate()[0])


def _lines(file: TextIO, stop: Event) -> Iterator[str]:
    """Read the lines; of a very long one only the beginning is ever in memory."""
    while not stop.is_set() and (line := file.readline(MAX_LINE)):
        rest = line
        while rest and not rest.endswith("\n"):
            rest = file.readline(MAX_LINE)
        yield line.rstrip("\n")


def _matching(
    lines: Iterable[str], regex: re.Pattern[str], oldest: float
) -> Iterator[tuple[int, str]]:
    stamp: re.Match[str] | None = None
    for number, line in enumerate(lines, 1):
        stamp = LEADING_TIME.match(line) or stamp
        if regex.search(line) and (stamp is None or _seconds(stamp[1]) >= oldest):
            yield number, line


def _seconds(stamp: str) -> float:
    """Return the seconds since 1970; what looks like a time and is none counts as young."""
    try:
        return datetime.fromisoformat(stamp).timestamp()
    except ValueError:
        return math.inf
