"""A device's artifacts: big outputs kept and offered, references in arguments fetched.

An output that no message carries is kept in the device's store, and a reference to it travels
instead. A reference among the arguments of a task is fetched, verified, and replaced by the value
that it stands for, unless the skill asks for the `Artifact` itself.

JSON and text up to `MAX_VALUE_BYTES` are such values. They are read and checked at once, which
takes the interpreter some 10 ms for each MiB: what is bigger than a few MiB is better a file,
which costs constant memory and never holds up the loop.
"""

import asyncio
import io
import mimetypes
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Protocol
from weakref import WeakValueDictionary

from pydantic_core import from_json

from protocol import telemetry
from protocol.artifacts import (
    Artifact,
    ArtifactError,
    BadReferenceError,
    Content,
    StoreError,
    StoreFullError,
    UnavailableError,
)
from protocol.artifacts.errors import disk_errors
from protocol.artifacts.index import Blob
from protocol.artifacts.reference import JSON, PATH, references, replaced
from protocol.artifacts.store import Store
from protocol.artifacts.tasks import in_thread
from protocol.telemetry import Level
from protocol.types import AttemptId, Json, RunId

MAX_VALUE_BYTES: Final = 64 << 20
FETCHES: Final = 4  # at once: they share one network
MEASURED: Final = 1024  # attempts whose fetches nobody asked about yet
FILE: Final = "application/octet-stream"


class Download(Protocol):
    """Fills a file with an artifact's content (`protocol.artifacts.fetching.download`)."""

    def __call__(
        self,
        artifact: Artifact,
        part: Path,
        *,
        told: Callable[[int], None],
        going_on: Callable[[], None],
    ) -> Awaitable[None]:
        """See there."""


@dataclass(slots=True)
class Cost:
    """What an attempt had to fetch: a measure of the way there, and of the time it waited."""

    size_bytes: int = 0
    """What came over the network for it."""
    fetch_s: float = 0.0
    """How long that took, one after the other."""
    waited_s: float = 0.0
    """How long the attempt waited for artifacts, whoever fetched them."""


class Artifacts:
    """The artifacts of one device.

    Args:
        store: where they are kept.
        url: where others reach it, without the path; `protocol.artifacts.serving` answers there.
        download: how to fetch from other devices.
    """

    def __init__(self, store: Store, *, url: str, download: Download) -> None:
        self.store = store
        self._url = url.rstrip("/")
        self._download = download
        self._slots = asyncio.Semaphore(FETCHES)
        self._locks = WeakValueDictionary[str, asyncio.Lock]()
        self._attempts: dict[AttemptId, AttemptArtifacts] = {}
        self._costs = OrderedDict[AttemptId, Cost]()

    def of(
        self,
        attempt: AttemptId,
        run: RunId,
        *,
        progress: Callable[[float, str], None],
        going_on: Callable[[], None],
    ) -> "AttemptArtifacts":
        """Return what one attempt may do; `going_on` raises when it should not go on."""
        if attempt not in self._attempts:
            one = AttemptArtifacts(self, run, progress=progress, going_on=going_on)
            self._attempts[attempt] = one
        return self._attempts[attempt]

    async def close(self, attempt: AttemptId) -> None:
        """Let go of what an attempt fetched."""
        if one := self._attempts.pop(attempt, None):
            if one.cost.waited_s:
                self._costs[attempt] = one.cost
                if len(self._costs) > MEASURED:
                    self._costs.popitem(last=False)
            await one.close()

    def cost(self, attempt: AttemptId) -> Cost | None:
        """Return, once, what an attempt had to fetch that is closed, if anything."""
        return self._costs.pop(attempt, None)

    async def release(self, runs: Sequence[RunId]) -> None:
        """Drop what forgotten runs refer to; what cannot be deleted now ages instead."""
        try:
            await in_thread(self.store.release, runs)
        except StoreError as error:
            telemetry.write(Level.WARNING, "artifacts_not_released", reason=str(error))

    async def keep(
        self, source: BinaryIO, size_bytes: int, run: RunId, *, media_type: str, name: str = ""
    ) -> Artifact:
        """Store content that `run` made, and return the reference to it.

        Raises:
            StoreError: there is no room, or it cannot be written.
        """
        draft = self.store.draft(size_bytes)
        try:
            while await in_thread(draft.copy, source):
                pass
            blob = await in_thread(self.store.keep, draft, run, media_type=media_type)
        finally:
            await in_thread(draft.discard)
        return Artifact.of(
            Content(
                sha256=blob.sha256,
                size_bytes=blob.size_bytes,
                media_type=blob.media_type,
                name=name,
                urls=(f"{self._url}{PATH}{blob.sha256}",),
                token=self.store.token(blob.sha256),
            )
        )

    async def fetch(
        self,
        artifact: Artifact,
        run: RunId,
        *,
        told: Callable[[int], None],
        going_on: Callable[[], None],
        cost: Cost | None = None,
    ) -> Path:
        """Return the file of an artifact that the caller holds, after fetching it if need be.

        Whoever is fetching it already is waited for. Without a `cost`, to which it is added,
        it is fetched beside what attempts wait for.

        Raises:
            ArtifactError: it cannot be had, or not be stored.
        """
        content = artifact.content
        blob = Blob(content.sha256, content.size_bytes, content.media_type, token=content.token)
        lock = self._locks.setdefault(blob.sha256, asyncio.Lock())
        async with lock:
            if path := await in_thread(self.store.refer, blob, run):
                return path
            async with self._slots if cost else nullcontext():
                part = await in_thread(self.store.part, blob, run)
                here = await in_thread(_size_bytes, part)
                began = asyncio.get_running_loop().time()
                await self._download(artifact, part, told=told, going_on=going_on)
                if cost:
                    cost.size_bytes += max(0, blob.size_bytes - here)
                    cost.fetch_s += asyncio.get_running_loop().time() - began
                return await in_thread(self.store.finish, blob, run)

    async def prefetch(self, artifact: Artifact, run: RunId) -> None:
        """Fetch an artifact that a task of `run` may need; nothing else goes for it.

        Raises:
            ArtifactError: it was interrupted, or there is not much room.
        """
        content = artifact.content
        if content.size_bytes > await in_thread(self.store.spare_bytes) // 2:
            raise StoreFullError(f"little room for {content.size_bytes} bytes that may be needed")
        try:
            await in_thread(self.store.hold, content.sha256)  # it is held, cancelled or not
            await self.fetch(artifact, run, told=_unheard, going_on=_interrupted)
        finally:
            await in_thread(self.store.let_go, content.sha256)


class AttemptArtifacts:
    """What one attempt may do. What it fetched stays in place until `close`."""

    def __init__(
        self,
        artifacts: Artifacts,
        run: RunId,
        *,
        progress: Callable[[float, str], None],
        going_on: Callable[[], None],
    ) -> None:
        self._artifacts = artifacts
        self._run = run
        self._progress = progress
        self._going_on = going_on
        self._held: list[str] = []
        self.cost = Cost()
        self._waiting, self._since = 0, 0.0

    async def values(
        self, args: Mapping[str, Json], *, files: Container[str]
    ) -> Mapping[str, Json]:
        """Put the values of references in their place, but for the arguments named in `files`.

        Raises:
            BadReferenceError: one is no reference to a value, or they are too big together.
            ArtifactError: one cannot be had.
        """
        wanted = {name: value for name, value in args.items() if name not in files}
        found = list(references(wanted, "arguments"))
        for place, artifact in found:
            _check_is_value(place, artifact)
        if (size := sum(artifact.content.size_bytes for _, artifact in found)) > MAX_VALUE_BYTES:
            raise BadReferenceError(
                f"{', '.join(place for place, _ in found[:5])}: {size} bytes are too many for"
                f" values (at most {MAX_VALUE_BYTES}): use a skill that takes a file"
            )
        values = dict[str, Json]()
        for place, artifact in found:
            if artifact.content.sha256 not in values:
                path = await self.fetch(artifact, place)
                values[artifact.content.sha256] = await in_thread(_value, artifact, path, place)
        filled = replaced(wanted, lambda each: values[Artifact.read(each).content.sha256])
        return {**args, **filled}  # type: ignore[dict-item]

    async def output(self, payload: bytes) -> Json:
        """Keep an output that no message carries, and return its reference.

        Raises:
            StoreError: there is no room, or it cannot be written.
        """
        source = io.BytesIO(payload)
        artifact = await self._artifacts.keep(source, len(payload), self._run, media_type=JSON)
        return artifact.plain()

    async def share(self, path: Path) -> Artifact:
        """Keep a copy of a file as it is now, and return the reference to it.

        Raises:
            StoreError: there is no room, or the file cannot be read.
        """
        size_bytes, media_type, source = await in_thread(_opened, path)
        with source:
            return await self._artifacts.keep(
                source, size_bytes, self._run, media_type=media_type, name=path.name
            )

    async def fetch(self, artifact: Artifact, place: str = "artifact") -> Path:
        """Return a file with the content of an artifact: to read, for as long as the attempt is.

        Raises:
            ArtifactError: it cannot be had, or not be stored.
        """
        content = artifact.content
        self._held.append(content.sha256)
        await in_thread(self._artifacts.store.hold, content.sha256)

        def told(done_bytes: int) -> None:
            note = f"{content.name or place}: fetched {done_bytes} of {content.size_bytes} bytes"
            self._progress(done_bytes / max(content.size_bytes, 1), note)

        try:
            with self._waits():
                return await self._artifacts.fetch(
                    artifact,
                    self._run,
                    told=told,
                    going_on=self._going_on,
                    cost=self.cost,
                )
        except ArtifactError as error:
            raise type(error)(f"{place}: {error}") from error

    @contextmanager
    def _waits(self) -> Iterator[None]:
        """Count the time in which anything is waited for."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            self._since = loop.time()
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1
            if not self._waiting:
                self.cost.waited_s += loop.time() - self._since

    async def close(self) -> None:
        """Let go of what was fetched."""
        while self._held:
            await in_thread(self._artifacts.store.let_go, self._held.pop())


def _unheard(_done_bytes: int) -> None:
    pass


def _interrupted() -> None:
    raise UnavailableError("it was interrupted, and nobody needs it yet")


def _size_bytes(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _check_is_value(place: str, artifact: Artifact) -> None:
    media_type = artifact.content.media_type
    if media_type != JSON and not media_type.startswith("text/"):
        raise BadReferenceError(
            f"{place}: this is a file ({media_type}), not a value: use a skill that takes an"
            " Artifact, or put the file in place with files.fetch"
        )


def _value(artifact: Artifact, path: Path, place: str) -> Json:
    try:
        data = path.read_bytes()
        if artifact.content.media_type == JSON:
            value: Json = from_json(data, allow_inf_nan=False)
            return value
        return data.decode()
    except ValueError as error:
        raise BadReferenceError(
            f"{place}: it is not {artifact.content.media_type}: {error}"
        ) from error


def _opened(path: Path) -> tuple[int, str, BinaryIO]:
    with disk_errors(path):
        source = path.open("rb")
        size_bytes = source.seek(0, io.SEEK_END) - source.seek(0)
        return size_bytes, mimetypes.guess_type(path.name)[0] or FILE, source
