"""A server has all documents in a sound archive, and the laptop says which."""

import io
import zipfile

from benchmarks.crossdevice.world import World

ARCHIVE = "backups/documents.zip"


def servers(world: World) -> list[str]:
    """Return the servers that have an archive."""
    return [each for each in ("server-1", "server-2") if world.now.exists(each, ARCHIVE)]


def whole(world: World, server: str) -> bool:
    """Tell whether the archive of a server has every document, and nothing else."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(world.now.data(server, ARCHIVE)))
        held = {name: archive.read(name) for name in archive.namelist() if name[-1] != "/"}
    except zipfile.BadZipFile:
        return False
    return held == {
        path.removeprefix("documents/"): world.given.data("laptop", path)
        for path in world.given.files("laptop", "documents")
    }


def check_archive(world: World) -> str | None:
    """A server has every document in an archive."""
    return None if any(whole(world, each) for each in servers(world)) else "no server has it"


def check_report(world: World) -> str | None:
    """The laptop has the size and the hash of the archive on a server."""
    (row,) = world.now.report("laptop", "backup.md")["Archive"]
    true = {
        (str(len(world.now.data(each, ARCHIVE))), world.now.sha256(each, ARCHIVE))
        for each in servers(world)
        if whole(world, each)
    }
    return None if (row["size_bytes"], row["sha256"]) in true else f"told {row}"


def check_name(world: World) -> str | None:
    """The laptop names the archive."""
    (row,) = world.now.report("laptop", "backup.md")["Archive"]
    return None if row["path"].endswith(ARCHIVE) else f"told {row}"


def check_untouched(world: World) -> str | None:
    """The documents and the old archives are as they were."""
    return world.untouched()
