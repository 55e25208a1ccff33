"""A file that grows, and whose SHA-256 is known all the while. Blocking: call it in a thread."""

import hashlib
import os
from pathlib import Path
from typing import BinaryIO, Final

STEP_BYTES: Final = 8 << 20  # hashed or copied in one go: some 20 ms of a thread
CHUNK_BYTES: Final = 1 << 20
"""Read and written at once. Smaller ones hand the interpreter's lock to and fro so often that the
loop is late."""


class HashedFile:
    """A file to write; what it holds already is taken in first. Nothing is opened before `open`.

    Args:
        path: the file; made where it is missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size_bytes = 0
        """Bytes that are hashed."""
        self._digest = hashlib.sha256()
        self._file: BinaryIO | None = None

    @property
    def sha256(self) -> str:
        """Of the bytes so far, in hexadecimal."""
        return self._digest.hexdigest()

    def open(self) -> None:
        """Open the file, private to its owner; a second time does nothing."""
        if self._file is None:
            self._file = os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")

    def take_in(self) -> bool:
        """Hash the next `STEP_BYTES` of what the file holds; tell whether there may be more."""
        return self._take(self._opened, STEP_BYTES)

    def copy(self, source: BinaryIO, limit_bytes: int) -> bool:
        """Append up to `STEP_BYTES` of `source`, up to `limit_bytes` in all; more to come?"""
        room = min(STEP_BYTES, limit_bytes - self.size_bytes)
        return self._take(source, room, onto=self._opened) and self.size_bytes < limit_bytes

    def write(self, chunk: bytes) -> None:
        """Append a chunk."""
        self._opened.write(chunk)
        self._count(chunk)

    def restart(self) -> None:
        """Throw away what is there."""
        self._opened.seek(0)
        self._opened.truncate()
        self._digest, self.size_bytes = hashlib.sha256(), 0

    def flush(self, *, sync: bool) -> None:
        """Hand all to the system, and if `sync`, to the disk."""
        self._opened.flush()
        if sync:
            os.fsync(self._opened.fileno())

    def close(self) -> None:
        """Let go of the file; twice does no harm."""
        if self._file:
            self._file.close()

    @property
    def _opened(self) -> BinaryIO:
        if self._file is None:
            raise ValueError("open it first")
        return self._file

    def _take(self, source: BinaryIO, limit_bytes: int, onto: BinaryIO | None = None) -> bool:
        while limit_bytes > 0:
            chunk = source.read(min(limit_bytes, CHUNK_BYTES))
            if not chunk:
                return False
            if onto:
                onto.write(chunk)
            self._count(chunk)
            limit_bytes -= len(chunk)
        return True

    def _count(self, chunk: bytes) -> None:
        self._digest.update(chunk)
        self.size_bytes += len(chunk)
