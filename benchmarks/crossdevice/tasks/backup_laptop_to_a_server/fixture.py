"""A laptop with documents of some size, in folders, and an old archive on each server."""

from benchmarks.crossdevice.fixture import Fixture


def make(fixture: Fixture) -> None:
    """Write texts, and one file that is no text."""
    for number in range(14):
        folder = fixture.chance.choice((".", "letters", "letters/2025", "tax"))
        words = [fixture.chance.choice(("sum", "dear", "due", "yours")) for _ in range(400)]
        fixture.write("laptop", f"documents/{folder}/doc-{number:02}.txt", " ".join(words))
    fixture.write("laptop", "documents/tax/scan.bin", fixture.chance.randbytes(2000))
    for server in ("server-1", "server-2"):
        fixture.write(server, "backups/documents-old.zip", fixture.chance.randbytes(500))
