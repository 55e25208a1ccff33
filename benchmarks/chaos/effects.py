"""What really happened: one line for each start and end of a skill, in a file of nobody's system.

A line is written by a single `write` to a file opened for appending, so that no kill leaves half
of one and the order in the file is the order of the writes.
"""

import json
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

TaskKey: TypeAlias = tuple[str, str]
"""Run and task."""


class Mark(StrEnum):
    """What a line says of an execution."""

    START = "start"
    END = "end"
    STOPPED = "stopped"
    """It was told to stop, and did."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: which execution, when (seconds since 1970), and what of it."""

    mark: Mark
    run: str
    task: str
    attempt: str
    token: int
    pid: int
    at: float

    @property
    def key(self) -> TaskKey:
        """The task it belongs to."""
        return self.run, self.task


def append(path: str, mark: Mark, *, run: str, task: str, attempt: str, token: int) -> None:
    """Add one line in one write."""
    # Not the loop's clock: this file is compared with the wall times of the journal.
    line = Line(mark, run, task, attempt, token, os.getpid(), time.time_ns() / 1e9)
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, json.dumps(asdict(line)).encode() + b"\n")
    finally:
        os.close(file)


def parse(text: str) -> Iterable[Line]:
    """Read lines as `append` writes them."""
    for each in text.splitlines():
        fields = json.loads(each)
        yield Line(**{**fields, "mark": Mark(fields["mark"])})


class Effects:
    """The file as its reader knows it: each `read` takes in what was added since the last."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: list[Line] = []
        self._offset = 0
        self._running: dict[tuple[str, int], Line] = {}

    def read(self) -> None:
        """Take in what is new."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            file.seek(self._offset)
            new = file.read()
        new = new[: new.rfind(b"\n") + 1]  # a line that is being written is read next time
        self._offset += len(new)
        for line in parse(new.decode()):
            self.lines.append(line)
            if line.mark is Mark.START:
                self._running[line.attempt, line.pid] = line
            else:
                self._running.pop((line.attempt, line.pid), None)

    def in_flight(self) -> Mapping[int, tuple[Line, ...]]:
        """Return what was started and has not ended, by process; the dead ones included."""
        found: dict[int, tuple[Line, ...]] = {}
        for line in self._running.values():
            found[line.pid] = (*found.get(line.pid, ()), line)
        return found
