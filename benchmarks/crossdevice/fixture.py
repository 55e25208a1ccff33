"""What `fixture.py` of a task is handed: it puts files, databases and pages where they are needed.

Whatever is drawn by chance comes from `chance`, so that the same seed makes the same files. A
fixture is made twice: once for the devices, and once where only the checkers look.
"""

import csv
import io
import json
import os
import random
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.crossdevice.pages import Page, Site


@dataclass(frozen=True, slots=True)
class Fixture:
    """Where a task's world is made.

    Attributes:
        chance: where everything random comes from.
        now: seconds since 1970; the same for both makings.
        home: device → the task's own folder there.
        site: the pages of the local HTTP service.
        url: where that begins, without a slash at the end.
        known: what only the checkers are told.
    """

    chance: random.Random
    now: float
    home: Callable[[str], Path]
    site: Site
    url: str
    known: dict[str, object] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """What `{folder}` stands for: files that name other files need it."""
        return self.url.rpartition("/")[2]

    def tell(self, name: str, value: object) -> None:
        """Tell the checkers something that is in no file (`World.known`)."""
        self.known[name] = value

    def path(self, device: str, path: str) -> Path:
        """Return where a file goes, with the folders it needs."""
        real = self.home(device) / path
        real.parent.mkdir(parents=True, exist_ok=True)
        return real

    def write(
        self,
        device: str,
        path: str,
        content: str | bytes,
        *,
        mode: int | None = None,
        age_s: float | None = None,
    ) -> None:
        """Write a file, with these permissions and last changed so long ago."""
        real = self.path(device, path)
        real.write_bytes(content.encode() if isinstance(content, str) else content)
        if mode is not None:
            real.chmod(mode)
        if age_s is not None:
            os.utime(real, (self.now - age_s, self.now - age_s))

    def json(self, device: str, path: str, value: object) -> None:
        """Write a JSON file."""
        self.write(device, path, json.dumps(value, indent=1, sort_keys=True))

    def table(self, device: str, path: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Write a CSV file with the columns of the first row."""
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        self.write(device, path, text.getvalue())

    @contextmanager
    def database(self, device: str, path: str) -> Iterator[sqlite3.Connection]:
        """Make a SQLite database; what was done is there at the end."""
        with closing(sqlite3.connect(self.path(device, path))) as connection:
            yield connection
            connection.commit()

    def page(
        self,
        path: str,
        body: str | bytes,
        *,
        content_type: str = "text/html; charset=utf-8",
        status: int = 200,
        delay_s: float = 0.0,
        fails: int = 0,
    ) -> None:
        """Serve a page at `url/path`; see `pages.Page`."""
        data = body.encode() if isinstance(body, str) else body
        self.site.pages[path] = Page(data, content_type, status, delay_s, fails)
