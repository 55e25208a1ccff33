"""Lines of JSON that outlive the process that writes them, and what planners note in some.

A note is `[run, what]`, for the harness or for the next life of the coordinator.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def add(file: Path, run: str, what: object) -> None:
    """Note something of a run."""
    with file.open("a", encoding="utf-8") as notes:
        notes.write(json.dumps([run, what]) + "\n")


def of(file: Path, run: str) -> list[Any]:
    """Return what was noted of a run, in order."""
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    return [what for name, what in whole(text) if name == run]


def whole(text: str) -> Iterator[Any]:
    """Yield what each line holds; half a line, which a kill left, holds nothing."""
    for line in text.splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            continue
