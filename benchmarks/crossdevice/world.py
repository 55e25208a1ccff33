"""What a checker sees: the task's files as they were given, as they are now, and the requests.

It knows nothing of the run: no plan, no attempts, no outputs, no times.
"""

import csv
import hashlib
import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from benchmarks.crossdevice.fleet import FLEET
from benchmarks.crossdevice.pages import Request
from benchmarks.demo.check import read_tables
from protocol.types import Json


@dataclass(frozen=True, slots=True)
class Tree:
    """The files of all devices at one time; paths are those of the fixture."""

    home: Callable[[str], Path]

    def path(self, device: str, path: str) -> Path:
        """Return where a file is."""
        return self.home(device) / path

    def exists(self, device: str, path: str) -> bool:
        """Tell whether a file is there."""
        return self.path(device, path).is_file()

    def text(self, device: str, path: str) -> str:
        """Return a file's text."""
        return self.path(device, path).read_text(encoding="utf-8")

    def data(self, device: str, path: str) -> bytes:
        """Return a file's bytes."""
        return self.path(device, path).read_bytes()

    def json(self, device: str, path: str) -> Any:  # noqa: ANN401  what the file holds
        """Return what a JSON file holds."""
        return json.loads(self.text(device, path))

    def table(self, device: str, path: str) -> list[dict[str, str]]:
        """Return the rows of a CSV file, every cell as text."""
        return list(csv.DictReader(self.text(device, path).splitlines()))

    def report(self, device: str, path: str) -> Mapping[str, Sequence[Mapping[str, str]]]:
        """Return the tables of a Markdown report by their headings, every cell as text."""
        return read_tables(self.text(device, path))

    def query(self, device: str, path: str, sql: str) -> list[tuple[Any, ...]]:
        """Ask a SQLite database."""
        uri = f"{self.path(device, path).as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            return connection.execute(sql).fetchall()

    def files(self, device: str, folder: str = ".") -> list[str]:
        """Return the paths of all files below a folder, sorted, relative to the task's."""
        home = self.home(device)
        return sorted(
            each.relative_to(home).as_posix()
            for each in (home / folder).rglob("*")
            if each.is_file()
        )

    def sha256(self, device: str, path: str) -> str:
        """Return a file's hash."""
        return hashlib.sha256(self.data(device, path)).hexdigest()

    def mode(self, device: str, path: str) -> str:
        """Return a file's permissions, such as 644."""
        return f"{self.path(device, path).stat().st_mode & 0o777:03o}"


@dataclass(frozen=True, slots=True)
class World:
    """What a checker is handed.

    Attributes:
        given: the files as the fixture made them.
        now: the files as they are after the run.
        requests: what was asked of the local HTTP service, in order.
        known: what the fixture told the checkers alone (`Fixture.tell`).
        parameters: those of `task.yaml`.
        seconds: when the fixture was made, since 1970.
    """

    given: Tree
    now: Tree
    requests: Sequence[Request]
    known: Mapping[str, Any]
    parameters: Mapping[str, Any]
    seconds: float

    def sent(self) -> Mapping[str, Json]:
        """Return what was put or posted to the local pages: path → the last body."""
        return {each.path: each.body for each in self.requests if each.method in ("PUT", "POST")}

    def untouched(self, *but: str) -> str | None:
        """Say which given files are gone or changed, but for those like `device/path`.

        New files are nobody's loss: a plan may keep what it works on.
        """
        for device in FLEET:
            for path in self.given.files(device):
                if any(fnmatch(f"{device}/{path}", each) for each in but):
                    continue
                if not self.now.exists(device, path):
                    return f"{path} of {device} is gone"
                if self.now.sha256(device, path) != self.given.sha256(device, path):
                    return f"{path} of {device} has changed"
                if self.now.mode(device, path) != self.given.mode(device, path):
                    return f"{path} of {device} has other permissions"
        return None
