"""Every manual has all its pages in order, in one language, and the archive has the manuals."""

import zipfile

from benchmarks.crossdevice.checking import each
from benchmarks.crossdevice.world import World

LANGUAGES = "en", "de", "fr", "it"


@each(*LANGUAGES)
def check_manual(world: World, language: str) -> str | None:
    """The manual has its pages, in order, and nothing else."""
    text = world.now.text("laptop", f"manuals/{language}.txt")
    told = [line.strip() for line in text.splitlines() if line.strip()]
    return None if told == world.known[language] else f"it has {[line[-6:] for line in told]}"


def check_archive(world: World) -> str | None:
    """The archive has the four manuals as they are."""
    with zipfile.ZipFile(world.now.path("laptop", "manuals.zip")) as archive:
        packed = {name.rsplit("/", 1)[-1]: archive.read(name) for name in archive.namelist()}
    true = {f"{each}.txt": world.now.data("laptop", f"manuals/{each}.txt") for each in LANGUAGES}
    return None if packed == true else f"it has {sorted(packed)}, or other texts"
