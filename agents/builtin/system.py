"""What the device is and how busy it is, as psutil sees it."""

import os
import platform
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event
from typing import Annotated, Literal

import psutil
from pydantic import Field

from agents.builtin.bounds import Bounded, compiled, off_loop
from agents.skills import Skill, skill

SAMPLE_S = 0.2  # a share of cpu time is measured over this long


@dataclass(frozen=True, slots=True)
class Facts:
    """What a device is; `uptime_s` counts from its boot."""

    hostname: str
    os: str
    release: str
    machine: str
    python: str
    cores: int
    memory_bytes: int
    uptime_s: float


@dataclass(frozen=True, slots=True)
class Cpu:
    """How busy the processors are; `load` is the run queue over 1, 5 and 15 minutes."""

    percent: float
    cores: int
    load: Sequence[float]


@dataclass(frozen=True, slots=True)
class Memory:
    """Main memory and swap; `available_bytes` can be had without swapping."""

    total_bytes: int
    available_bytes: int
    percent: float
    swap_total_bytes: int
    swap_used_bytes: int


@dataclass(frozen=True, slots=True)
class Disk:
    """One mounted file system."""

    mount: str
    total_bytes: int
    free_bytes: int
    percent: float


@dataclass(frozen=True, slots=True)
class Process:
    """One process; `cpu_percent` is of one core, over its whole life."""

    pid: int
    name: str
    user: str
    cpu_percent: float
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Processes:
    """The first processes in the order asked for; `total` counts all."""

    processes: Sequence[Process]
    total: int


@skill("system.facts")
async def facts() -> Facts:
    """Say what this device is: name, operating system, hardware, uptime."""
    return Facts(
        hostname=socket.gethostname(),
        os=platform.system(),
        release=platform.release(),
        machine=platform.machine(),
        python=platform.python_version(),
        cores=os.cpu_count() or 1,
        memory_bytes=psutil.virtual_memory().total,
        uptime_s=_age(psutil.boot_time()),
    )


@skill("system.cpu", estimate_s=SAMPLE_S)
async def cpu() -> Cpu:
    """Measure how busy the processors are."""
    percent = await off_loop(lambda _stop: psutil.cpu_percent(SAMPLE_S))
    return Cpu(percent, os.cpu_count() or 1, psutil.getloadavg())


@skill("system.memory")
async def memory() -> Memory:
    """Say how much memory and swap is there and free."""
    main, swap = psutil.virtual_memory(), psutil.swap_memory()
    return Memory(main.total, main.available, main.percent, swap.total, swap.used)


@skill("system.disk")
async def disk(path: str | None = None) -> Sequence[Disk]:
    """Say how full the mounted file systems are, or the one that holds `path`."""

    def work(_stop: Event) -> Sequence[Disk]:
        mounts = [path] if path else [each.mountpoint for each in psutil.disk_partitions()]
        found = Bounded[Disk](len(mounts))
        for mount in mounts:
            usage = psutil.disk_usage(mount)
            found.add(Disk(mount, usage.total, usage.free, usage.percent))
        return found.items

    return await off_loop(work)


@skill("system.processes")
async def processes(
    name: str | None = None,
    sort: Literal["cpu_percent", "memory_bytes"] = "memory_bytes",
    limit: Annotated[int, Field(ge=1, le=500)] = 20,
) -> Processes:
    """List processes, the largest first, by name (a regular expression) where one is given."""
    wanted = compiled(name or "")

    def work(_stop: Event) -> Processes:
        found = [
            each for each in map(_process, psutil.process_iter(FIELDS)) if wanted.search(each.name)
        ]
        found.sort(key=lambda each: (-getattr(each, sort), each.pid))
        shown = Bounded[Process](limit)
        for each in found:
            shown.add(each)
        return Processes(shown.items, shown.total)

    return await off_loop(work)


FIELDS = ("pid", "name", "username", "cpu_times", "memory_info", "create_time")


def _process(process: psutil.Process) -> Process:
    """Read what psutil has fetched; a field is None where the system does not tell."""
    info = process.info
    times, rss = info["cpu_times"], info["memory_info"]
    busy_s = times.user + times.system if times else 0.0
    return Process(
        pid=info["pid"],
        name=info["name"] or "",
        user=info["username"] or "",
        cpu_percent=round(100 * busy_s / max(_age(info["create_time"]), 1.0), 1),
        memory_bytes=rss.rss if rss else 0,
    )


def _age(since: float) -> float:
    return round(time.time() - since, 1)  # noqa: TID251  psutil's stamps are of this clock


def skills() -> Sequence[Skill]:
    """Return the skills; they need no permission."""
    return (facts, cpu, memory, disk, processes)
