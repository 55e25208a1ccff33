"""Transcripts on disk: a file of JSON lines for each attempt, readable to the owner alone.

A line is written before what it announces is done, and a call that takes effect once waits for
the disk itself. An attempt goes on from the transcript of the one before it, if this device has
one of the same task with the same arguments; its file begins with what that one has.
"""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final, Self

from pydantic_core import to_json

from agents.builtin.agent import records
from agents.builtin.agent.records import Begun, Conversation, Record
from agents.skills import Context, PermanentError, TemporaryError
from protocol.types import Json

FILES: Final = 1000
SIZE_BYTES: Final = 256 << 20
"""Of all files together; the oldest go first."""


class Transcript:
    """What happens in one attempt, in memory, and in a file where there is one."""

    def __init__(self, path: Path | None = None) -> None:
        self.lines: list[str] = []
        self.conversation = Conversation()
        self._path = path

    async def add(self, record: Record, *, sync: bool = False) -> None:
        """Note what happened, or is about to.

        Args:
            record: what it is.
            sync: wait until it would survive a loss of power, not only the end of this process.

        Raises:
            TemporaryError: it cannot be written.
        """
        text = records.line(record)
        if self._path:
            try:
                await asyncio.to_thread(_append, self._path, text, sync=sync)
            except OSError as error:
                detail = f"the transcript {self._path} cannot be written: {error.strerror}"
                raise TemporaryError(detail) from error
        self._take(text, record)

    def begin(self, begun: Begun, before: Self | None) -> None:
        """Make the file; it begins with what was there before. Blocks."""
        if before is None:
            self._take(records.line(begun), begun)
        else:
            self.lines, self.conversation = before.lines, before.conversation
        if self._path:
            whole = "".join(f"{each}\n" for each in self.lines)
            self._path.touch(mode=0o600)
            _append(self._path, whole.rstrip("\n"), sync=True)
            _sync(self._path.parent)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a transcript; what a crash has cut off in the last line never happened. Blocks.

        Raises:
            OSError: it cannot be read.
            ValueError: it is none.
        """
        text = path.read_text(encoding="utf-8")
        found = cls(path)
        try:
            for each in text.split("\n")[:-1]:
                found._take(each, records.read(each))
        except IndexError as error:
            raise ValueError("a call ends that was never made") from error
        return found

    def _take(self, text: str, record: Record) -> None:
        self.lines.append(text)
        self.conversation.apply(record)


class Transcripts:
    """The transcripts of a device.

    Args:
        folder: made if it is not there; None keeps nothing beyond an attempt.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._live: set[Path] = set()

    @asynccontextmanager
    async def begun(self, context: Context, question: Json) -> AsyncIterator[Transcript]:
        """Give an attempt its transcript, with what came before; nobody else has it meanwhile.

        Args:
            context: of the attempt.
            question: what it was given; an attempt with another question does not count.

        Raises:
            TemporaryError: it cannot be written.
            PermanentError: what came before it cannot be read.
        """
        path = self._path(context)
        begun = Begun(context.run, context.task, context.attempt, _digest(question))
        live = {path} if path else set[Path]()
        self._live |= live
        try:
            yield await self._new(path, begun, resumes=bool(context.token))
        finally:
            self._live -= live

    async def find(self, context: Context) -> Transcript | None:
        """Return the transcript of an attempt; None if there is none that can be read."""
        path = self._path(context)
        return await asyncio.to_thread(_found, path) if path else None

    def _path(self, context: Context) -> Path | None:
        if self._folder is None:
            return None
        task = _digest(context.run, context.task)
        attempt = _digest(context.attempt)
        return self._folder / f"{task}-{context.epoch:020}-{context.token:020}-{attempt}.jsonl"

    async def _new(self, path: Path | None, begun: Begun, *, resumes: bool) -> Transcript:
        try:
            return await asyncio.to_thread(self._begin, path, begun, resumes=resumes)
        except OSError as error:
            detail = f"no transcript can be written in {self._folder}: {error.strerror}"
            raise TemporaryError(detail) from error

    def _begin(self, path: Path | None, begun: Begun, *, resumes: bool) -> Transcript:
        transcript, before = Transcript(path), None
        if path:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            before = self._before(path, begun) if resumes else None
            self._sweep(path.parent)
        transcript.begin(begun, before)
        return transcript

    def _before(self, path: Path, begun: Begun) -> Transcript | None:
        """Return what the attempt before this one has left, unless it still goes on."""
        task = path.name.partition("-")[0]
        older = [each for each in sorted(path.parent.glob(f"{task}-*.jsonl")) if each < path]
        if not older or older[-1] in self._live:
            return None
        try:
            before = Transcript.read(older[-1])
        except ValueError as error:
            raise PermanentError(
                f"what an attempt before this one did cannot be read in {older[-1]}: remove the"
                " file to begin anew"
            ) from error
        return before if before.conversation.question == begun.question else None

    def _sweep(self, folder: Path) -> None:
        found = [(each.stat(), each) for each in folder.glob("*.jsonl")]
        found.sort(key=lambda row: row[0].st_mtime, reverse=True)
        room = SIZE_BYTES
        for n, (info, each) in enumerate(found, 1):
            room -= info.st_size
            if (n >= FILES or room < 0) and each not in self._live:
                each.unlink(missing_ok=True)


def _found(path: Path) -> Transcript | None:
    with suppress(OSError, ValueError):
        return Transcript.read(path)
    return None


def _append(path: Path, text: str, *, sync: bool) -> None:
    with path.open("ab") as file:
        file.write(f"{text}\n".encode())
        if sync:
            file.flush()
            os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _digest(*values: Json) -> str:
    return hashlib.sha256(to_json(values)).hexdigest()[:32]
