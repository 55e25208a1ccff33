"""Emulated hardware around real skills: speed, memory, battery, and faults on order.

A call takes `reference_s(skill) / speed` seconds of waiting, and then its real work. So a device
that is twice as fast takes half as long, and many devices on two cores work side by side as they
do in many boxes. What the harness may change while the device runs is in a small file, which is
read again when it has changed; it says nothing that a skill could learn the answer from.
"""

import asyncio
import fcntl
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from agents.simulated import chance
from agents.skills import Context, Json, PermanentError, Skill, TemporaryError
from benchmarks.crossdevice.fleet import Profile

REFERENCE_S: Final[Mapping[str, float]] = {
    "audit": 0.4,
    "build": 0.8,
    "config": 0.2,
    "db": 0.4,
    "db.dump": 0.8,
    "db.restore": 0.8,
    "files": 0.1,
    "files.search": 0.8,
    "http": 0.2,
    "image": 0.6,
    "model": 0.4,
    "pack": 0.2,
    "pack.zip": 0.6,
    "person": 0.02,
    "phone": 0.02,
    "system": 0.1,
    "table": 0.2,
    "text": 0.1,
    "web": 0.3,
    "work": 0.6,
}
"""Seconds on a device of speed 1, by skill or by the part of its name before the dot."""
LOAD_S: Final = 1.5  # a model that is not warm, beside reading its file
DRAIN: Final = 1.0  # per cent of the battery for each second of reference work
TURN: Final = "turn.lock"  # beside the folders of the devices
LOOK_S: Final = 0.01  # between two looks whether it is free; nobody can be told
PASSING: Final = "a passing fault"  # what a failure on order says


@dataclass(frozen=True, slots=True)
class Control:
    """What the harness may change.

    Attributes:
        slow: how many times slower than its profile the device is.
        transient: the share of calls that fail in a way that is worth another try.
        seed: of these failures.
        battery: per cent at the moment this was written.
        exclusive: one call at a time, on all devices that share `TURN`.
    """

    slow: float = 1.0
    transient: float = 0.0
    seed: int = 0
    battery: float = 100.0
    exclusive: bool = False

    def write(self, path: Path) -> None:
        """Put it in the place of what was there, whole."""
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps(asdict(self)), encoding="utf-8")
        draft.replace(path)


def reference_s(skill: str, args: Mapping[str, Json]) -> float:
    """Return what a call takes on a device of speed 1; its own `work_s` wins over the table."""
    stated = args.get("work_s")
    if isinstance(stated, int | float):
        return float(stated)
    return REFERENCE_S.get(skill, REFERENCE_S.get(skill.partition(".")[0], 0.1))


class Hardware:
    """One device's hardware.

    Args:
        profile: what it is.
        control: the file of its `Control`, in a folder named like the device; where it is missing
            nothing is changed.
    """

    def __init__(self, profile: Profile, control: Path) -> None:
        self._profile = profile
        self._path = control
        self._seen: int | None = None
        self._control = Control()
        self._used = 0.0
        self._failed: Counter[tuple[str, str]] = Counter()

    @property
    def battery(self) -> float:
        """Per cent that are left; without a battery always 100."""
        return max(0.0, self._control.battery - self._used) if self._profile.battery else 100.0

    def emulate(self, skills: Iterable[Skill]) -> Sequence[Skill]:
        """Return the skills as they are on this hardware."""
        return [self._emulated(each) for each in skills]

    def _emulated(self, skill: Skill) -> Skill:
        name = skill.info.name

        async def call(context: Context, args: Mapping[str, Json]) -> Json:
            control = self._read()
            work_s = reference_s(name, args)
            self._admit(name, args, work_s)
            waits_s = work_s / self._profile.speed * control.slow
            if self._fails(control, context):
                await asyncio.sleep(waits_s / 2)
                raise TemporaryError(f"{name}: {PASSING}", retry_after_s=0.1)
            async with self._turn(control):
                await asyncio.sleep(waits_s)
                return await skill.call(context, args)

        return replace(
            skill, info=replace(skill.info, estimate_s=reference_s(name, {})), call=call
        )

    @asynccontextmanager
    async def _turn(self, control: Control) -> AsyncIterator[None]:
        """Wait for its turn, where one call at a time is made. A lock of a file ends with us."""
        if not control.exclusive:
            yield
            return
        with (self._path.parent.parent / TURN).open("a") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    await asyncio.sleep(LOOK_S)
            yield

    def _read(self) -> Control:
        try:
            changed = self._path.stat().st_mtime_ns
        except FileNotFoundError:
            return self._control
        if changed != self._seen:
            self._seen, self._used = changed, 0.0
            self._control = Control(**json.loads(self._path.read_text(encoding="utf-8")))
        return self._control

    def _admit(self, name: str, args: Mapping[str, Json], work_s: float) -> None:
        """Refuse what this hardware cannot do."""
        wanted = args.get("memory_mb")
        if isinstance(wanted, int) and wanted > self._profile.memory_mb:
            raise PermanentError(f"{name} needs {wanted} MB, there are {self._profile.memory_mb}")
        if self._profile.battery:
            if not self.battery:
                raise PermanentError("the battery is empty")
            self._used += work_s * DRAIN

    def _fails(self, control: Control, context: Context) -> bool:
        key = context.run, context.task
        device = self._path.parent.name  # elsewhere the same task has other luck
        draw = chance(control.seed, "transient", device, context.task, str(self._failed[key]))
        if draw >= control.transient:
            return False
        self._failed[key] += 1
        return True
