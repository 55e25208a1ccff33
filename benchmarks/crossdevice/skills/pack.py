"""Archives, and small files of any kind on their way from device to device."""

import base64
import binascii
import hashlib
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from threading import Event
from typing import Final

from agents.builtin.bounds import TEXT_BYTES, Roots, off_loop, os_errors, replacing, rows_of
from agents.skills import BadInputError, Json, PermanentError, Skill, skill
from protocol.types import Effect

MAX_BYTES: Final = TEXT_BYTES * 3 // 4  # base64 makes four of three
DAY_ONE: Final = (1980, 1, 1, 0, 0, 0)  # so that the same files make the same archive


@dataclass(frozen=True, slots=True)
class Parcel:
    """A small file on its way: what `pack.receive` takes, under `name`."""

    name: str
    data: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that was written."""

    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in an archive; `sound` if every checksum holds."""

    path: str
    names: Sequence[str]
    sound: bool


@dataclass(frozen=True, slots=True)
class Packs:
    """The skills over one set of roots."""

    roots: Roots

    async def zip_folder(self, folder: str, path: str, glob: str = "**/*") -> Kept:
        """Zip the files below a folder, by their paths in it; the same files, the same archive."""
        source, target = self.roots.resolve(folder), self.roots.resolve(path)

        def work(_stop: Event) -> Kept:
            files = sorted(each for each in source.glob(glob) if each.is_file())
            with replacing(target) as draft, zipfile.ZipFile(draft, "w") as archive:
                for each in files:
                    name = zipfile.ZipInfo(each.relative_to(source).as_posix(), DAY_ONE)
                    archive.writestr(name, each.read_bytes(), zipfile.ZIP_DEFLATED)
            return _kept(target, path)

        return await off_loop(work)

    async def unzip(self, path: str, folder: str) -> Contents:
        """Put the files of an archive into a folder."""
        source, target = self.roots.resolve(path), self.roots.resolve(folder)

        def work(_stop: Event) -> Contents:
            with _opened(source) as archive:
                names = sorted(archive.namelist())
                for each in names:
                    with replacing(self.roots.resolve(str(target / each))) as draft:
                        draft.write_bytes(archive.read(each))
            return Contents(path, names, sound=True)

        return await off_loop(work)

    async def verify(self, path: str) -> Contents:
        """Say what is in an archive, and whether it is sound."""
        source = self.roots.resolve(path)

        def work(_stop: Event) -> Contents:
            with _opened(source) as archive:
                return Contents(path, sorted(archive.namelist()), archive.testzip() is None)

        return await off_loop(work)

    async def bind(self, parts: Json, path: str) -> Kept:
        """Put texts one below the other into a file: the `text` or `body` of rows, in order."""
        target = self.roots.resolve(path)

        def work(_stop: Event) -> Kept:
            texts = [str(row.get("text", row.get("body", ""))) for row in rows_of(parts)]
            with replacing(target) as draft:
                draft.write_text("".join(f"{each.rstrip()}\n" for each in texts), "utf-8")
            return _kept(target, path)

        return await off_loop(work)

    async def send(self, path: str) -> Parcel:
        """Return a small file of any kind, to be received elsewhere."""
        source = self.roots.resolve(path)

        def work(_stop: Event) -> Parcel:
            data = source.read_bytes()
            if len(data) > MAX_BYTES:
                raise PermanentError(f"{path}: {len(data)} bytes, at most {MAX_BYTES} are carried")
            text = base64.b64encode(data).decode()
            return Parcel(source.name, text, hashlib.sha256(data).hexdigest())

        return await off_loop(work)

    async def receive(self, parcel: Parcel, folder: str, name: str | None = None) -> Kept:
        """Write what was sent into a folder, under its name or another, if it is whole."""
        path = str(PurePosixPath(folder, name or parcel.name))
        target = self.roots.resolve(path)

        def work(_stop: Event) -> Kept:
            try:
                data = base64.b64decode(parcel.data, validate=True)
            except binascii.Error as error:
                raise BadInputError(f"{parcel.name}: this is no base64: {error}") from error
            if hashlib.sha256(data).hexdigest() != parcel.sha256:
                raise BadInputError(f"{parcel.name}: it is not what was sent")
            with replacing(target) as draft:
                draft.write_bytes(data)
            return _kept(target, path)

        return await off_loop(work)


def skills(roots: Roots) -> Sequence[Skill]:
    """Make the skills."""
    it = Packs(roots)
    return (
        skill("pack.zip", effect=Effect.IDEMPOTENT)(it.zip_folder),
        skill("pack.unzip", effect=Effect.IDEMPOTENT)(it.unzip),
        skill("pack.verify")(it.verify),
        skill("pack.bind", effect=Effect.IDEMPOTENT)(it.bind),
        skill("pack.send")(it.send),
        skill("pack.receive", effect=Effect.IDEMPOTENT)(it.receive),
    )


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        with os_errors():
            return zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise PermanentError(f"{path.name}: {error}") from error


def _kept(real: Path, path: str) -> Kept:
    data = real.read_bytes()
    return Kept(path, len(data), hashlib.sha256(data).hexdigest())
