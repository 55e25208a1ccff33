"""The five devices of the demo: who they are, and the files that each keeps.

Everything drawn by chance comes from the seed; times count back from the moment of writing. No
error is within `MARGIN_S` of the border of the last day, so that a search which had to be repeated
some seconds later finds the same lines.
"""

import csv
import json
import os
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

DAY_S: Final = 86_400.0
DAYS: Final = 4  # of logs
MARGIN_S: Final = 600.0
EVERY_S: Final = 180.0  # between two lines of a service that works
ERRORS: Final = 110  # of a service, in all days: a quarter of it in the last one
TRACED_MINUTES: Final = 2880  # two days

LINES: Final[Mapping[str, str]] = {
    "api": "{time:%Y-%m-%dT%H:%M:%S.000Z} {level} {text}",
    "mail": "{time:%Y-%m-%dT%H:%M:%SZ} [{level}] {text}",
    "database": "{time:%Y-%m-%d %H:%M:%S+00:00} {level}: {text}",
}
"""Service → what a line of its log looks like."""
NORMAL: Final = ("served order {id} in {n} ms", "retried after errors, attempt {n}", "{n} waiting")
CAUSES: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "api": (
        ("ERROR", "upstream payments timed out after {n} ms"),
        ("ERROR", "order {id}: card was declined"),
        ("CRITICAL", "out of memory in worker {n}, heap at {address}"),
    ),
    "mail": (
        ("ERROR", "mailbox of customer {n} is full"),
        ("CRITICAL", "relay 10.0.{n}.7 refuses connections"),
    ),
    "database": (
        ("ERROR", "deadlock detected while updating row {n} of orders"),
        ("FATAL", "connection limit of {n} reached"),
    ),
}
"""Service → the levels and texts of what goes wrong there."""


@dataclass(frozen=True, slots=True)
class Host:
    """One device: its id, the label `role`, its services, and how much it traces a minute."""

    id: str
    role: str
    services: tuple[str, ...] = ()
    traces: int = 0


VICTIM: Final = "web-2"
"""The server that is killed: it has the most to search, and is at it for longest."""
FLEET: Final = (
    Host("web-1", "server", ("api", "mail"), traces=40),
    Host(VICTIM, "server", ("api", "mail"), traces=300),
    Host("web-3", "server", ("api", "mail", "database"), traces=110),
    Host("queue-1", "queue", ("mail", "database"), traces=10),
    Host("laptop", "laptop"),
)
SERVERS: Final = tuple(host.id for host in FLEET if host.role == "server")


CONFIG: Final = """\
[device]
id = "{host.id}"
labels = {{ role = "{host.role}" }}
slots = 2

[broker]
port = {port}

[skills.files]
roots = ["files"]
"""


def furnish_all(root: Path, *, seed: int, now: float, port: int) -> Mapping[str, Path]:
    """Give each device a folder of its own; return device → its configuration file there."""
    configs = {}
    for host in FLEET:
        furnish(files_of(root, host.id), host, seed=seed, now=now)
        configs[host.id] = root / host.id / "device.toml"
        configs[host.id].write_text(CONFIG.format(host=host, port=port), encoding="utf-8")
    return configs


def files_of(root: Path, device: str) -> Path:
    """Return the folder that a device opens to its skills."""
    return root / device / "files"


def furnish(folder: Path, host: Host, *, seed: int, now: float) -> None:
    """Write the files of a host: logs, a table, and the facts of its system.

    Args:
        folder: where they go; made if it is missing.
        host: whose files.
        seed: of all that is drawn by chance.
        now: seconds since 1970, which the last day ends with.
    """
    chance = random.Random(f"{seed}/{host.id}")
    (folder / "logs").mkdir(parents=True)
    for service in host.services:
        _write_days(folder / "logs", service, chance, now)
    if host.traces:
        _write_trace(folder / "logs" / "trace.log", host.traces, now)
    with (folder / "orders.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("order", "customer", "total", "state"))
        for number in range(1, 201):
            state = chance.choice(("paid", "sent", "returned"))
            table.writerow((number, chance.randrange(50), chance.randrange(500, 90_000), state))
    facts = {"host": host.id, "role": host.role, "cores": chance.choice((2, 4, 8))}
    (folder / "facts.json").write_text(json.dumps(facts, indent=2), encoding="utf-8")


def _write_days(folder: Path, service: str, chance: random.Random, now: float) -> None:
    """Write a file a day, as log rotation leaves them."""
    days: dict[str, list[str]] = defaultdict(list)
    for age_s, level, text in sorted(_events(service, chance), reverse=True):
        time = datetime.fromtimestamp(now - age_s, UTC)
        lines = days[f"{service}-{time:%Y-%m-%d}.log"]
        lines.append(LINES[service].format(time=time, level=level, text=text))
        if level == "CRITICAL":
            lines.append("    at work (service.py:88)")
    for name, lines in days.items():
        (folder / name).write_text("\n".join([*lines, ""]), encoding="utf-8")
        ended_at = min(now, datetime.fromisoformat(f"{name[-14:-4]}T00:00Z").timestamp() + DAY_S)
        os.utime(folder / name, (ended_at, ended_at))


def _events(service: str, chance: random.Random) -> Iterator[tuple[float, str, str]]:
    """Draw what a service logs: its age, level and text."""
    for number in range(int(DAYS * DAY_S / EVERY_S)):
        yield EVERY_S * (number + chance.random()), "INFO", _fill(chance.choice(NORMAL), chance)
    for _ in range(ERRORS):
        age_s = chance.uniform(0.0, DAYS * DAY_S)
        if abs(age_s - DAY_S) >= MARGIN_S:
            level, text = chance.choice(CAUSES[service])
            yield age_s, level, _fill(text, chance)


def _fill(text: str, chance: random.Random) -> str:
    order = UUID(int=chance.getrandbits(128))
    return text.format(n=chance.randrange(1, 250), id=order, address=hex(chance.getrandbits(32)))


def _write_trace(path: Path, a_minute: int, now: float) -> None:
    """Write the many lines in which nothing is to be found; they are what takes time."""
    numbers = range(a_minute)
    minute = "".join(f"@:{60 * n // a_minute:02d}Z DEBUG cache hit {n}\n" for n in numbers)
    with path.open("w", encoding="utf-8") as file:
        for age in range(TRACED_MINUTES, 0, -1):
            time = datetime.fromtimestamp(now - 60 * age, UTC)
            file.write(minute.replace("@", f"{time:%Y-%m-%dT%H:%M}"))
