"""Task graphs from text: job shops as in the OR-Library, and projects of PSPLIB.

A job shop (Beasley 1990; Fisher and Thompson 1963): `jobs machines`, then a line for each job
with pairs of machine and duration, machines counted from 0. A machine becomes a device that
alone has the skill `machine N`, so the instance brings its own fleet. Lines that begin with `#`
are comments.

A project (Kolisch and Sprecher 1996, `.sm`): durations and precedences. Its renewable resources
are not modelled here, since a device does one task at a time: a task's skill says which resource
it asks most of, the instance is run on drawn fleets, and its makespans are not those of PSPLIB.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Final, NamedTuple

from benchmarks.scheduling.instances import InstanceError, sound
from benchmarks.scheduling.model import Device, Edge, Fleet, Instance, Task

_SUCCESSORS_FROM: Final = 3  # job, modes, how many
_DEMANDS_FROM: Final = 3  # job, mode, duration


class _Line(NamedTuple):
    """Whole numbers of one line; `number` counts from 1."""

    number: int
    values: Sequence[int]


def job_shop(text: str, name: str) -> Instance:
    """Read a job shop.

    Raises:
        InstanceError: it is none; the text names the line.
    """
    lines = list(_numbers(text.splitlines(), name, first=1))
    if not lines:
        raise InstanceError(f"{name}: holds no numbers")
    head, *rows = lines
    if len(head.values) != len(("jobs", "machines")) or min(head.values) < 1:
        raise InstanceError(f"{name}:{head.number}: expected how many jobs and machines")
    jobs, machines = head.values
    if len(rows) != jobs:
        raise InstanceError(f"{name}:{head.number}: {jobs} jobs are announced, {len(rows)} come")
    tasks: list[Task] = []
    edges: list[Edge] = []
    for job, (number, values) in enumerate(rows):
        if len(values) != 2 * machines:
            raise InstanceError(
                f"{name}:{number}: expected {machines} pairs of machine and duration"
            )
        for step, (machine, duration) in enumerate(zip(values[::2], values[1::2], strict=True)):
            if machine >= machines:
                raise InstanceError(f"{name}:{number}: there is no machine {machine}")
            if step:
                edges.append(Edge(len(tasks) - 1, len(tasks)))
            tasks.append(Task(float(duration), _machine(machine), f"{job}.{step}"))
    devices = tuple(Device(skills=frozenset({_machine(each)})) for each in range(machines))
    fleet = Fleet(devices, ((1.0,) * machines,) * machines)
    title = PurePath(name).stem
    return sound(Instance(title, tuple(tasks), tuple(edges), "job_shop", fleet=fleet), name)


def project(text: str, name: str) -> Instance:
    """Read a single-mode project of PSPLIB.

    Raises:
        InstanceError: it is none; the text names the line.
    """
    lines = text.splitlines()
    followers = list(_section(lines, name, "PRECEDENCE RELATIONS:"))
    requests = list(_section(lines, name, "REQUESTS/DURATIONS:"))
    if len(followers) != len(requests):
        raise InstanceError(
            f"{name}:{requests[0].number}: {len(requests)} durations of {len(followers)} jobs"
        )
    edges: list[Edge] = []
    tasks: list[Task] = []
    for place, (number, values) in enumerate(followers):
        job, modes, count = _opening(values, f"{name}:{number}")
        if (job, modes) != (place + 1, 1):
            raise InstanceError(f"{name}:{number}: expected job {place + 1} with one mode")
        after = values[_SUCCESSORS_FROM:]
        if len(after) != count or not all(0 < each <= len(followers) for each in after):
            raise InstanceError(f"{name}:{number}: expected {count} successors that are there")
        edges += [Edge(place, each - 1) for each in after]
    for place, (number, values) in enumerate(requests):
        job, _, duration = _opening(values, f"{name}:{number}")
        if job != place + 1:
            raise InstanceError(f"{name}:{number}: expected job {place + 1}")
        tasks.append(Task(float(duration), _most(values[_DEMANDS_FROM:]), f"{job}"))
    return sound(Instance(PurePath(name).stem, tuple(tasks), tuple(edges), "psplib"), name)


def _numbers(lines: Sequence[str], name: str, *, first: int) -> Iterator[_Line]:
    """Yield the lines that are neither empty nor comments."""
    for number, line in enumerate(lines, first):
        words = line.split()
        if words and not words[0].startswith("#"):
            if not all(word.isdecimal() for word in words):
                raise InstanceError(f"{name}:{number}: expected whole numbers, got {line!r}")
            yield _Line(number, [int(word) for word in words])


def _section(lines: Sequence[str], name: str, title: str) -> Iterator[_Line]:
    """Yield the rows below a title, its heading and rule left out, to the next line of stars."""
    if title not in (stripped := [line.strip() for line in lines]):
        raise InstanceError(f"{name}: has no section {title!r}")
    begin = stripped.index(title) + 2
    rows = lines[begin:]
    stars = (n for n, line in enumerate(rows) if line.startswith("*"))
    body = rows[: next(stars, len(rows))]
    if body and re.fullmatch(r"-+", body[0].strip()):
        begin, body = begin + 1, body[1:]
    found = list(_numbers(body, name, first=begin + 1))
    if not found:
        raise InstanceError(f"{name}:{begin + 1}: expected rows of {title!r}")
    yield from found


def _opening(values: Sequence[int], where: str) -> tuple[int, int, int]:
    if len(values) < _DEMANDS_FROM:
        raise InstanceError(f"{where}: expected three numbers at least")
    return values[0], values[1], values[2]


def _machine(number: int) -> str:
    return f"machine {number}"


def _most(demands: Sequence[int]) -> str:
    """Name the resource that is asked most of; without a demand it is plain work."""
    most = max(demands, default=0)
    return f"R{demands.index(most) + 1}" if most else "work"
