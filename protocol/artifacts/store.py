"""A folder of blobs by SHA-256, with an index of which runs refer to them.

```
index.db          rows (`index`), and the secret that tokens are made of
blobs/<sha256>    whole and verified; never changed
parts/<sha256>    being fetched; survives a restart, and is gone on with
drafts/           being stored; emptied when the store is opened
```
**Crashes.** A blob is written as a draft or part, renamed when it is whole, and gets its row last;
it loses its row before its file. So a row stands for a whole file, and what has no row is removed
when the store is opened, as are rows whose file is missing or has another size. That holds for
`kill -9`. With `sync` file, folder and row reach the disk before `keep` returns: it holds for a
power loss as well; without, a power loss may cost blobs, and damage is seen by whoever fetches
them.

**Room.** `quota_bytes` bounds blobs, parts (in full from the start) and drafts. What no run made,
copies from elsewhere, makes room, the one used longest ago first; what a run made never does.
`keep_s` after its last use anything goes: no coordinator will ever release it.

All methods block, and may be called from any thread.
"""

import hmac
import os
import shutil
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final
from uuid import uuid4

from protocol.artifacts.errors import (
    MismatchError,
    StoreError,
    StoreFullError,
    TooBigError,
    disk_errors,
)
from protocol.artifacts.hashed_file import HashedFile
from protocol.artifacts.index import Blob, Index

KEEP_S: Final = 7 * 86400.0
QUOTA_BYTES: Final = 10 << 30


class Draft:
    """Content on its way into a store: `copy` until that says it is all there, then keep it."""

    def __init__(self, store: "Store", path: Path, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        """At most so much is taken."""
        self.file = HashedFile(path)
        self._store = store
        self._open = False

    def copy(self, source: BinaryIO) -> bool:
        """Take the next piece of `source`; tell whether there is more.

        Raises:
            StoreFullError: there is no room for all of it.
            TooBigError: it is more than the whole quota.
            StoreError: it cannot be read or written.
        """
        if not self._open:
            self._store.reserve(self.size_bytes)
            self._open = True
        with disk_errors(self.file.path):
            self.file.open()
            return self.file.copy(source, self.size_bytes)

    def discard(self) -> None:
        """Remove what is left of it; to be called in the end, kept or not."""
        self.file.close()
        self.file.path.unlink(missing_ok=True)
        if self._open:
            self._open = False
            self._store.reserve(-self.size_bytes)


class Store:
    """Blobs in a folder, which is this store's alone as long as it is open.

    Args:
        folder: where; made if it is missing.
        quota_bytes: how much it may hold.
        keep_s: how long after its last use a blob is kept, whoever refers to it.
        sync: whether blobs survive a power loss.
        wall: seconds since 1970: ages count while the device is off.

    Raises:
        StoreError: the folder or its index cannot be used.
    """

    def __init__(
        self,
        folder: Path,
        *,
        quota_bytes: int = QUOTA_BYTES,
        keep_s: float = KEEP_S,
        sync: bool = False,
        wall: Callable[[], float] = time.time,  # noqa: TID251  ages must outlive a restart
    ) -> None:
        self.folder = folder
        self._quota_bytes = quota_bytes
        self._keep_s = keep_s
        self._sync = sync
        self._wall = wall
        self._lock = threading.RLock()
        self._held = Counter[str]()
        self._reserved_bytes = 0
        with self._alone():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._index = Index(folder / "index.db", sync=sync)
            try:
                self._reconcile()
            except BaseException:
                self._index.close()
                raise

    def close(self) -> None:
        """Let go of the folder."""
        with self._lock:
            self._index.close()

    def token(self, sha256: str) -> str:
        """Return the token that opens this blob: nobody can guess it, and it opens no other."""
        return hmac.digest(self._index.secret, sha256.encode(), "sha256").hex()

    def find(self, sha256: str) -> Path | None:
        """Return the file of a whole blob."""
        with self._alone():
            blob = self._index.get(sha256)
            if blob is None or not blob.whole:
                return None
            self._index.touch(sha256, self._wall())
            return self._blob(sha256)

    def offered(self, sha256: str) -> tuple[Path, str] | None:
        """Return the file and media type of a whole blob that a run made here."""
        with self._alone():
            path, blob = self.find(sha256), self._index.get(sha256)
            if path is None or blob is None or not self._index.referred(sha256, made=True):
                return None
            return path, blob.media_type

    def size_bytes(self) -> int:
        """Return how much of the quota is taken."""
        with self._alone():
            return self._index.size_bytes() + self._reserved_bytes

    def spare_bytes(self) -> int:
        """Return how much of the quota is free without anything having to go."""
        return self._quota_bytes - self.size_bytes()

    def draft(self, size_bytes: int) -> Draft:
        """Begin to store up to `size_bytes`; nothing is written yet."""
        return Draft(self, self.folder / "drafts" / uuid4().hex, size_bytes)

    def keep(self, draft: Draft, run: str, *, media_type: str) -> Blob:
        """Make a draft a blob that `run` made.

        Raises:
            StoreError: it cannot be written.
        """
        file = draft.file
        with disk_errors(file.path):
            file.flush(sync=self._sync)
        blob = Blob(file.sha256, file.size_bytes, media_type)
        with self._alone():
            if self.find(blob.sha256) is None:
                self._move(file.path, blob.sha256)
            self._index.put(blob, run, made=True, now=self._wall())
            return blob

    def part(self, blob: Blob, run: str) -> Path:
        """Return the file that a blob is to be fetched into; it may hold a beginning already.

        Hold the blob until it is finished.

        Raises:
            StoreFullError: there is no room for all of it.
            TooBigError: it is more than the whole quota.
            StoreError: it cannot be written.
        """
        with self._alone():
            known = self._index.get(blob.sha256)
            if known is None or not known.whole:
                if known and known.token != blob.token:
                    self._part(blob.sha256).unlink(missing_ok=True)  # theirs to see, not ours
                self._make_room(blob.size_bytes - (known.size_bytes if known else 0))
                known = replace(blob, whole=False)
            self._index.put(known, run, made=False, now=self._wall())
            return self._part(blob.sha256)

    def finish(self, blob: Blob, run: str) -> Path:
        """Make a part that is whole and verified a blob.

        Raises:
            StoreError: it cannot be written.
        """
        part = self._part(blob.sha256)
        with disk_errors(part):
            if self._sync:
                _sync(part)
        with self._alone():
            if self.find(blob.sha256) is None:
                self._move(part, blob.sha256)
            part.unlink(missing_ok=True)
            self._index.put(blob, run, made=False, now=self._wall())
            return self._blob(blob.sha256)

    def refer(self, blob: Blob, run: str) -> Path | None:
        """Have `run` refer to a blob, and return its file if it is whole and here.

        Whoever knows the hash but not the token gets nothing: the source has to decide.

        Raises:
            MismatchError: it has another size.
        """
        with self._alone():
            known = self._index.get(blob.sha256)
            if known is None or not known.whole:
                return None
            if blob.token not in (self.token(blob.sha256), known.token):
                return None
            if known.size_bytes != blob.size_bytes:
                detail = f"{known.size_bytes} bytes, and not {blob.size_bytes}"
                raise MismatchError(f"the artifact {blob.sha256} has {detail}")
            self._index.put(known, run, made=False, now=self._wall())
            return self._blob(blob.sha256)

    def hold(self, sha256: str) -> None:
        """Keep a blob or part, whatever happens, until it is let go; holds add up."""
        with self._lock:
            self._held[sha256] += 1

    def let_go(self, sha256: str) -> None:
        """End one hold."""
        with self._alone():
            self._held[sha256] -= 1
            if self._held[sha256] <= 0:
                del self._held[sha256]
                if not self._index.referred(sha256):
                    self._remove(sha256)

    def release(self, runs: Iterable[str]) -> None:
        """Drop the references of runs; what nobody refers to or holds any more is deleted.

        Raises:
            StoreError: the folder cannot be written.
        """
        with self._alone():
            for sha256 in self._index.release(runs):
                self._remove(sha256)

    def sweep(self) -> float:
        """Delete what was not used for `keep_s`; return in how many seconds to sweep again.

        Raises:
            StoreError: the folder cannot be written.
        """
        with self._alone():
            now = self._wall()
            for blob in self._index.used_before(now - self._keep_s):
                self._remove(blob.sha256)
            oldest = self._index.oldest()
            return self._keep_s if oldest is None else max(0.0, oldest + self._keep_s - now)

    def reserve(self, size_bytes: int) -> None:
        """Set room aside for a draft, or (negative) give it back.

        Raises:
            StoreFullError: there is none.
            TooBigError: it is more than the whole quota.
        """
        with self._alone():
            self._make_room(size_bytes)
            self._reserved_bytes += size_bytes

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Be alone with the store, and say what is wrong with it in a sentence."""
        try:
            with self._lock, disk_errors(self.folder):
                yield
        except sqlite3.Error as error:
            kind = StoreFullError if "full" in str(error) else StoreError
            busy = ": another agent uses it" if "locked" in str(error) else ""
            raise kind(f"{self.folder / 'index.db'}: {error}{busy}") from error

    def _make_room(self, size_bytes: int) -> None:
        if size_bytes <= 0:
            return
        if size_bytes > self._quota_bytes:
            raise TooBigError(
                f"{self.folder}: {size_bytes} bytes are more than the whole quota of"
                f" {self._quota_bytes} bytes; raise 'quota_bytes' in [artifacts]"
            )
        spare = self._quota_bytes - self.size_bytes() - size_bytes
        victims: list[Blob] = []
        for blob in self._index.evictable() if spare < 0 else ():
            if blob.sha256 not in self._held and spare < 0:
                victims.append(blob)
                spare += blob.size_bytes
        if spare < 0:
            raise StoreFullError(
                f"{self.folder}: no room for {size_bytes} bytes: of the quota of"
                f" {self._quota_bytes} bytes, {self.size_bytes()} are taken; raise 'quota_bytes'"
                " in [artifacts], or wait for runs to be forgotten"
            )
        for blob in victims:
            self._remove(blob.sha256)

    def _remove(self, sha256: str) -> None:
        if sha256 not in self._held:
            self._index.remove(sha256)
            self._blob(sha256).unlink(missing_ok=True)
            self._part(sha256).unlink(missing_ok=True)

    def _move(self, path: Path, sha256: str) -> None:
        path.chmod(0o400)  # a skill that is handed the path cannot change it by mistake
        path.replace(self._blob(sha256))
        if self._sync:
            _sync(self.folder / "blobs")

    def _reconcile(self) -> None:
        shutil.rmtree(self.folder / "drafts", ignore_errors=True)
        for name in ("blobs", "parts", "drafts"):
            (self.folder / name).mkdir(exist_ok=True)
        known = set[Path]()
        for blob in self._index.all():
            path = (self._blob if blob.whole else self._part)(blob.sha256)
            if path.exists() and (not blob.whole or path.stat().st_size == blob.size_bytes):
                known.add(path)
            else:
                self._index.remove(blob.sha256)
        for name in ("blobs", "parts"):
            for path in (self.folder / name).iterdir():
                if path not in known:
                    path.unlink()

    def _blob(self, sha256: str) -> Path:
        return self.folder / "blobs" / sha256

    def _part(self, sha256: str) -> Path:
        return self.folder / "parts" / sha256


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
