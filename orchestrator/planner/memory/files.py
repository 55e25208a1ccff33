"""Files of the store: read with the place of what is wrong, written whole, by one at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from pydantic import ValidationError
from pydantic_core import to_json

from orchestrator.planner.memory.errors import MemoryBusyError, MemoryFileError
from orchestrator.planner.memory.writing import dump
from orchestrator.planner.playbook.document import PlaybookError, read
from orchestrator.planner.playbook.format import Part
from protocol.sentences import first, line

P = TypeVar("P", bound=Part)


def read_part(path: Path, form: type[P]) -> P:
    """Read a file.

    Raises:
        MemoryFileError: naming file, line, column and the first thing that is wrong.
    """
    try:
        document = read(path.read_text(encoding="utf-8"), str(path))
        return form.model_validate_json(to_json(document.value))
    except (OSError, UnicodeDecodeError) as error:
        raise MemoryFileError(f"{path}: cannot be read: {error}") from error
    except PlaybookError as error:
        raise MemoryFileError(str(error)) from error
    except ValidationError as error:
        cause = first(error)
        raise MemoryFileError(f"{document.place(cause['loc'])}: {line(cause, form)}") from error


def write_part(path: Path, part: Part, *, head: str = "") -> None:
    """Put a file in its place, whole or not at all.

    Raises:
        MemoryFileError: it cannot be written.
    """
    text = head + dump(part.model_dump(mode="json", exclude_defaults=True))
    with draft(path, text) as written:
        try:
            written.replace(path)
        except OSError as error:
            raise MemoryFileError(f"{path}: cannot be written: {error}") from error


@contextmanager
def draft(path: Path, text: str) -> Iterator[Path]:
    """Give a file beside `path` with this text, durable, to be put in its place.

    Raises:
        MemoryFileError: it cannot be written.
    """
    new = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with new.open("x", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise MemoryFileError(f"{path}: cannot be written: {error}") from error
        yield new
    finally:
        with suppress(OSError):
            new.unlink()


@contextmanager
def one_writer(folder: Path) -> Iterator[None]:
    """Hold the lock of a store while it is written, which takes milliseconds.

    Raises:
        MemoryBusyError: somebody else writes it now.
        MemoryFileError: it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise MemoryFileError(f"{folder}: cannot be written: {error}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise MemoryBusyError(f"{folder}: another process writes it: try again") from error
    finally:
        os.close(lock)  # and with it the lock; the file stays, removing it would be a race
