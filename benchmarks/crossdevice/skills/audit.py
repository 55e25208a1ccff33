"""What is in a tree of files: hashes and permissions, and mending the latter."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Annotated, TypeAlias

from pydantic import Field

from agents.builtin.bounds import Bounded, Roots, off_loop
from agents.skills import Skill, skill
from protocol.types import Effect

Mode: TypeAlias = Annotated[str, Field(pattern=r"^[0-7]{3}$")]
LIMIT = 1000  # files in one answer


@dataclass(frozen=True, slots=True)
class File:
    """One file: its path in the tree, permissions such as 644, size and SHA-256."""

    path: str
    mode: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Tree:
    """The files below a folder, by path; `total` counts all, `digest` stands for all of them."""

    files: Sequence[File]
    total: int
    digest: str


@dataclass(frozen=True, slots=True)
class Audits:
    """The skills over one set of roots."""

    roots: Roots

    async def tree(self, path: str) -> Tree:
        """Hash every file below a folder, and tell its permissions."""
        folder = self.roots.resolve(path)

        def work(_stop: Event) -> Tree:
            files, whole = Bounded[File](LIMIT), hashlib.sha256()
            for each in sorted(folder.rglob("*")):
                if each.is_file():
                    found = _file(each, folder)
                    whole.update(f"{found.path} {found.sha256}\n".encode())
                    files.add(found)
            return Tree(files.items, files.total, whole.hexdigest())

        return await off_loop(work)

    async def permit(self, path: str, mode: Mode) -> File:
        """Give a file these permissions."""
        real = self.roots.resolve(path)

        def work(_stop: Event) -> File:
            real.chmod(int(mode, 8))
            return _file(real, real.parent)

        return await off_loop(work)


def skills(roots: Roots) -> Sequence[Skill]:
    """Make the skills."""
    it = Audits(roots)
    return (
        skill("audit.tree")(it.tree),
        skill("audit.permit", effect=Effect.IDEMPOTENT)(it.permit),
    )


def _file(path: Path, folder: Path) -> File:
    data = path.read_bytes()
    mode = f"{path.stat().st_mode & 0o777:03o}"
    name = path.relative_to(folder).as_posix()
    return File(name, mode, len(data), hashlib.sha256(data).hexdigest())
