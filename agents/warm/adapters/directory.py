"""Directories and files copied to this disk: data sets, checkpoints, check-outs.

A copy is made aside and appears, whole, by its renaming; it is let go by renaming it away first.
So a half-made copy is never seen. What a crash left in the folder is removed before the first
load: nothing else may be kept there. Nothing is written or removed outside of it.
"""

import asyncio
import errno
import re
import shutil
import stat
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final, TypeAlias

from agents.keys import PLAIN, admit, file_name, filled
from agents.skills import BadInputError, PermanentError, SkillError, TemporaryError
from agents.warm.adapters.children import Child
from protocol.artifacts.tasks import in_thread

Fetch: TypeAlias = Callable[[str, Path], Awaitable[object]]
"""Put what a key names at a path that does not exist yet: a directory or a file."""

MARK: Final = "muster-"  # begins the names of all that is ours: nothing else is ever removed
CHUNK_BYTES: Final = 1 << 20
_PART: Final = ".part"
_GONE: Final = ".gone"


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy, as skills see it: to read."""

    key: str
    path: Path
    size_bytes: int


class Directories:
    """The adapter.

    Args:
        folder: where copies are kept; made if it is missing.
        fetch: makes a copy.
        keys: which keys are allowed, as a whole.
    """

    def __init__(self, folder: Path, fetch: Fetch, *, keys: re.Pattern[str] = PLAIN) -> None:
        self._folder = folder
        self._fetch = fetch
        self._keys = keys
        self._numbers = count()
        self._tidying = asyncio.Lock()
        self._tidied = False

    async def load(self, key: str) -> Copy:
        """See `Adapter`."""
        admit(key, self._keys)
        await self.tidy()
        path = self._folder / f"{MARK}{file_name(key)}-{next(self._numbers)}"
        part = path.with_name(path.name + _PART)
        try:
            await self._fetch(key, part)
            size_bytes = await in_thread(_publish, part, path)
        except OSError as error:
            raise _disk_error(key, error) from error
        finally:
            await in_thread(_remove, part)
        return Copy(key, path, size_bytes)

    async def evict(self, handle: Copy) -> None:
        """See `Adapter`."""
        await in_thread(_withdraw, handle.path)

    def size(self, handle: Copy) -> float:
        """See `Adapter`."""
        return handle.size_bytes

    async def tidy(self) -> None:
        """See `Tidy`."""
        async with self._tidying:
            if not self._tidied:
                await in_thread(self._sweep)
                self._tidied = True

    def _sweep(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        for left in self._folder.iterdir():
            if left.name.startswith(MARK):
                _remove(left)


def copied(source: str) -> Fetch:
    """Fetch by copying from this machine: `{key}` in the source stands for the key."""

    async def fetch(key: str, target: Path) -> None:
        origin, stop = Path(filled(source, key=key)), threading.Event()
        copying = asyncio.get_running_loop().run_in_executor(None, _copy, origin, target, stop)
        try:
            await asyncio.shield(copying)
        except FileNotFoundError as error:
            raise BadInputError(f"there is no {error.filename}") from error
        except asyncio.CancelledError:
            stop.set()
            await asyncio.wait([copying])
            copying.exception()  # nobody wants it now
            raise

    return fetch


def commanded(command: Sequence[str]) -> Fetch:
    """Fetch with a command, in which `{key}` and `{target}` stand for the key and the path."""

    async def fetch(key: str, target: Path) -> None:
        child = await Child.start(
            [filled(each, key=key, target=target) for each in command], environment={}
        )
        try:
            if await child.ended() != 0:
                raise child.died()
        finally:
            await child.stop()

    return fetch


class _StoppedError(Exception):
    """Nobody wants the copy any more."""


def _copy(origin: Path, target: Path, stop: threading.Event) -> None:
    copy = partial(_copy_file, stop=stop)
    if origin.is_dir():
        try:
            shutil.copytree(origin, target, symlinks=True, copy_function=copy)
        except shutil.Error as error:
            _, _, reason = error.args[0][0]
            raise OSError(errno.EIO, f"not all was copied: {reason}") from error
    else:
        copy(origin, target)


def _copy_file(origin: Path | str, target: Path | str, *, stop: threading.Event) -> None:
    """Copy in pieces, so that it can be stopped within a large file."""
    if not stat.S_ISREG(Path(origin).stat().st_mode):
        raise OSError(errno.EINVAL, f"{origin} is no regular file")
    with Path(origin).open("rb") as source, Path(target).open("xb") as copy:
        while chunk := source.read(CHUNK_BYTES):
            if stop.is_set():
                raise _StoppedError
            copy.write(chunk)
    shutil.copystat(origin, target)


def _bytes_in(path: Path) -> int:
    inside = path.rglob("*") if path.is_dir() else iter(())
    return sum(each.lstat().st_size for each in (path, *inside))


def _publish(part: Path, path: Path) -> int:
    """Let a whole copy appear, and return its size."""
    size_bytes = _bytes_in(part)
    part.rename(path)
    return size_bytes


def _withdraw(path: Path) -> None:
    gone = path.with_name(path.name + _GONE)
    path.rename(gone)
    _remove(gone)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _disk_error(key: str, error: OSError) -> SkillError:
    full = error.errno in {errno.ENOSPC, errno.EDQUOT}
    kind = TemporaryError if full else PermanentError
    return kind(f"{key}: {error.strerror or error}")
