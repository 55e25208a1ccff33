"""A configuration as a JSON file: applied, checked and taken back; every version is kept."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from agents.builtin.bounds import Roots, off_loop, replacing
from agents.skills import Json, PermanentError, Skill, skill
from protocol.types import Effect


@dataclass(frozen=True, slots=True)
class Applied:
    """The version that is in force now."""

    path: str
    version: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong with a configuration; nothing if it is `valid`."""

    path: str
    valid: bool
    problems: Sequence[str]


@dataclass(frozen=True, slots=True)
class Configurations:
    """The skills over one set of roots. A configuration has a whole number `version`."""

    roots: Roots

    async def apply(self, path: str, values: Mapping[str, Json]) -> Applied:
        """Put values in force, as they are; the version that was there is kept beside it."""
        real = self.roots.resolve(path)

        def work(_stop: Event) -> Applied:
            version = _version(values, path)
            if real.exists() and (old := _version(_read(real), path)) != version:
                _write(_kept(real, old), _read(real))
            _write(real, values)
            return Applied(path, version)

        return await off_loop(work)

    async def check(self, path: str, required: Mapping[str, str]) -> Verdict:
        """Hold a configuration to what it must have: key → `string`, `number` or `boolean`."""
        real = self.roots.resolve(path)

        def work(_stop: Event) -> Verdict:
            values = _read(real)
            problems = [
                f"{key}: {values.get(key)!r} is no {kind}"
                for key, kind in required.items()
                if not _fits(values.get(key), kind)
            ]
            return Verdict(path, not problems, problems)

        return await off_loop(work)

    async def rollback(self, path: str, version: int) -> Applied:
        """Put a version that was kept in force again."""
        real = self.roots.resolve(path)

        def work(_stop: Event) -> Applied:
            if _version(_read(real), path) != version:
                _write(real, _read(_kept(real, version)))
            return Applied(path, version)

        return await off_loop(work)


def skills(roots: Roots) -> Sequence[Skill]:
    """Make the skills."""
    it = Configurations(roots)
    return (
        skill("config.apply", effect=Effect.IDEMPOTENT)(it.apply),
        skill("config.check")(it.check),
        skill("config.rollback", effect=Effect.IDEMPOTENT)(it.rollback),
    )


def _fits(value: Json, kind: str) -> bool:
    if kind == "boolean":
        return isinstance(value, bool)
    wanted = str if kind == "string" else (int, float)
    return isinstance(value, wanted) and not isinstance(value, bool)


def _kept(real: Path, version: int) -> Path:
    return real.with_name(f"{real.name}.v{version}")


def _read(real: Path) -> dict[str, Json]:
    try:
        values: dict[str, Json] = json.loads(real.read_text(encoding="utf-8"))
    except ValueError as error:
        raise PermanentError(f"{real.name} is no JSON: {error}") from error
    return values


def _write(real: Path, values: Mapping[str, Json]) -> None:
    with replacing(real) as draft:
        draft.write_text(json.dumps(values, indent=2, sort_keys=True), encoding="utf-8")


def _version(values: Mapping[str, Json], path: str) -> int:
    version = values.get("version")
    if not isinstance(version, int):
        raise PermanentError(f"{path}: its 'version' is {version!r}, no whole number")
    return version
