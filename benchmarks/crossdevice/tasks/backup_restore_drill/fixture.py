"""Three archives of a wiki; one or two of the newest have lost a bit."""

import io
import zipfile

from benchmarks.crossdevice.fixture import Fixture


def make(fixture: Fixture) -> None:
    """Write the same archives on both servers, and say which one is to be taken."""
    good = fixture.chance.choice((1, 2))
    for age in (1, 2, 3):
        pages = {
            f"{fixture.chance.choice(('home', 'team', 'team/help'))}/page-{n:02}.md": (
                f"# Page {n}\n\nversion {age}, {fixture.chance.randbytes(60).hex()}\n"
            )
            for n in range(10 + age)
        }
        data = packed(pages)
        if age > good:
            at = data.index(b"version")  # in what is stored, so that its checksum is wrong
            data = data[:at] + b"V" + data[at + 1 :]
        for server in ("server-1", "server-2"):
            fixture.write(server, f"vault/wiki-{age}.zip", data)
        if age == good:
            fixture.tell("pages", pages)
            fixture.tell("archive", f"wiki-{age}.zip")


def packed(pages: dict[str, str]) -> bytes:
    """Store texts in an archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, text in pages.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return file.getvalue()
