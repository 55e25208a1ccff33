"""Is the report right? Recompute it from the files, with none of the code that made it."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

LEVELS: Final = ("ERROR", "CRITICAL", "FATAL")
VARYING: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|0x[0-9a-f]+|\d+")
Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the report says, and what is wrong with it."""

    problems: tuple[str, ...]
    errors: int
    causes: int
    missing: Mapping[str, str]
    """Servers that could not be asked, and the reason the report gives."""


def check(report: Path, servers: Mapping[str, Path], *, since: float) -> Verdict:
    """Compare a report with the files of the servers.

    Args:
        report: the Markdown file.
        servers: server → the folder with its files.
        since: seconds since 1970; what is older does not count.
    """
    if not report.is_file():
        return Verdict((f"there is no report at {report}",), 0, 0, {})
    tables = read_tables(report.read_text(encoding="utf-8"))
    missing = {row["item"]: row["reason"] for row in tables.get("Could not be collected", ())}
    told = {row["key"]: (int(row["count"]), row["items"]) for row in tables.get("Causes", ())}
    true: dict[str, Counter[str]] = {}
    for server, folder in servers.items():
        for cause, count in causes_in(folder, since=since).items():
            if server not in missing:
                true.setdefault(cause, Counter())[server] = count
    problems = [
        *(f"no cause {cause!r} in the report" for cause in true.keys() - told.keys()),
        *(f"nothing was logged of {cause!r}" for cause in told.keys() - true.keys()),
        *(f"{server} is missing without a reason" for server, why in missing.items() if not why),
        *(f"{name} is no server" for name in missing.keys() - servers.keys()),
    ]
    for cause in true.keys() & told.keys():
        count, by_server = told[cause]
        if count != true[cause].total() or _counts(by_server) != true[cause]:
            problems.append(f"{cause!r}: {count} ({by_server}), but the files say {true[cause]}")
    errors = sum(count for count, _ in told.values())
    return Verdict(tuple(sorted(problems)), errors, len(told), missing)


def causes_in(folder: Path, *, since: float) -> Counter[str]:
    """Count the errors in the log files below a folder by cause."""
    found: Counter[str] = Counter()
    for path in folder.rglob("*.log"):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                level = next((each for each in LEVELS if each in line), None)
                if level is None:
                    continue
                stamp, _, text = line.partition(level)
                if datetime.fromisoformat(stamp.rstrip(" [")).timestamp() >= since:
                    found[VARYING.sub("#", text.lstrip("]: ").rstrip())] += 1
    return found


def read_tables(markdown: str) -> Mapping[str, Sequence[Row]]:
    """Read the table below each heading: its rows by the names of their columns."""
    tables: dict[str, list[Row]] = {}
    for section in markdown.split("\n## ")[1:]:
        heading, *lines = section.splitlines()
        cells = [
            [cell.strip() for cell in line.split("|")[1:-1]]
            for line in lines
            if line.startswith("|")
        ]
        tables[heading] = [dict(zip(cells[0], row, strict=False)) for row in cells[2:]]
    return tables


def _counts(items: str) -> Counter[str]:
    """Read `web-1: 3, web-2: 4`."""
    pairs = (item.split(": ") for item in items.split(", "))
    return Counter({server: int(count) for server, count in pairs})
