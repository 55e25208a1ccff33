"""Pictures in the one format that takes no library: PPM, binary (P6), 8 bits a colour."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from threading import Event
from typing import Literal

from agents.builtin.bounds import Roots, off_loop, replacing
from agents.skills import PermanentError, Skill, skill
from protocol.types import Effect


@dataclass(frozen=True, slots=True)
class Picture:
    """Rows of pixels, three bytes each."""

    width: int
    height: int
    pixels: bytes

    def encoded(self) -> bytes:
        """Return the file."""
        return b"P6\n%d %d\n255\n" % (self.width, self.height) + self.pixels


def decoded(data: bytes) -> Picture:
    """Read a file.

    Raises:
        ValueError: it is none.
    """
    magic, size, depth, pixels = data.split(b"\n", 3)
    width, height = map(int, size.split())
    if magic != b"P6" or depth != b"255" or len(pixels) != width * height * 3:
        raise ValueError("this is no PPM picture of 8 bits a colour")
    return Picture(width, height, pixels)


@dataclass(frozen=True, slots=True)
class Made:
    """A picture that was written."""

    path: str
    width: int
    height: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Info:
    """A picture that was looked at; `mean` is its brightness from 0 to 255."""

    path: str
    width: int
    height: int
    mean: float


@dataclass(frozen=True, slots=True)
class Pictures:
    """The skills over one set of roots."""

    roots: Roots

    async def info(self, path: str) -> Info:
        """Return the size and the mean brightness of a picture."""
        real = self.roots.resolve(path)

        def work(_stop: Event) -> Info:
            picture = _read(real.read_bytes(), path)
            mean = sum(picture.pixels) / max(1, len(picture.pixels))
            return Info(path, picture.width, picture.height, round(mean, 3))

        return await off_loop(work)

    async def convert(
        self,
        path: str,
        folder: str,
        operation: Literal["grey", "half", "mirror", "negative"],
        *,
        memory_mb: int = 32,
    ) -> Made:
        """Write a picture anew, under its name, into another folder."""
        del memory_mb  # see `hardware`
        source = self.roots.resolve(path)
        into = str(PurePosixPath(folder, source.name))
        target = self.roots.resolve(into)

        def work(_stop: Event) -> Made:
            new = OPERATIONS[operation](_read(source.read_bytes(), path))
            with replacing(target) as draft:
                draft.write_bytes(new.encoded())
            return Made(into, new.width, new.height, target.stat().st_size)

        return await off_loop(work)

    async def sheet(self, folder: str, path: str) -> Made:
        """Put the pictures of a folder, all of one size, below each other into one, by name."""
        source, target = self.roots.resolve(folder), self.roots.resolve(path)

        def work(_stop: Event) -> Made:
            names = sorted(source.glob("*.ppm"))
            parts = [_read(each.read_bytes(), each.name) for each in names]
            if len({(each.width, each.height) for each in parts}) != 1:
                raise PermanentError(f"{folder}: {len(parts)} pictures that are not of one size")
            height = sum(each.height for each in parts)
            new = Picture(parts[0].width, height, b"".join(each.pixels for each in parts))
            with replacing(target) as draft:
                draft.write_bytes(new.encoded())
            return Made(path, new.width, new.height, target.stat().st_size)

        return await off_loop(work)


def skills(roots: Roots) -> Sequence[Skill]:
    """Make the skills."""
    it = Pictures(roots)
    return (
        skill("image.info")(it.info),
        skill("image.convert", effect=Effect.IDEMPOTENT)(it.convert),
        skill("image.sheet", effect=Effect.IDEMPOTENT)(it.sheet),
    )


def _read(data: bytes, path: str) -> Picture:
    try:
        return decoded(data)
    except ValueError as error:
        raise PermanentError(f"{path}: {error}") from error


def _rows(picture: Picture) -> list[list[bytes]]:
    """Return the pixels of each row."""
    step, data = picture.width * 3, picture.pixels
    return [
        [data[at : at + 3] for at in range(row * step, (row + 1) * step, 3)]
        for row in range(picture.height)
    ]


def _grey(picture: Picture) -> Picture:
    data = picture.pixels
    greys = (sum(data[at : at + 3]) // 3 for at in range(0, len(data), 3))
    return Picture(picture.width, picture.height, b"".join(bytes((g, g, g)) for g in greys))


def _half(picture: Picture) -> Picture:
    """Keep every other pixel of every other row."""
    kept = [row[::2] for row in _rows(picture)[::2]]
    return Picture(len(kept[0]), len(kept), b"".join(b"".join(row) for row in kept))


def _mirror(picture: Picture) -> Picture:
    turned = b"".join(b"".join(reversed(row)) for row in _rows(picture))
    return Picture(picture.width, picture.height, turned)


def _negative(picture: Picture) -> Picture:
    return Picture(picture.width, picture.height, bytes(255 - each for each in picture.pixels))


OPERATIONS = {"grey": _grey, "half": _half, "mirror": _mirror, "negative": _negative}
