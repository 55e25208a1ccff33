"""Nothing but work: small results that depend on all that went before, for graphs of any shape."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from agents.skills import Json, Skill, skill


@dataclass(frozen=True, slots=True)
class Digest:
    """What came of a name and of what was given."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers from 1 on."""

    items: Sequence[int]


@skill("work.digest")
async def digest(name: str | int, given: Json = None, *, work_s: float | None = None) -> Digest:
    """Return the SHA-256 of a name and of the values given, sorted and joined by spaces."""
    del work_s  # see `hardware`
    text = " ".join([str(name), *sorted(values_of(given))])
    return Digest(str(name), hashlib.sha256(text.encode()).hexdigest())


@skill("work.count")
async def count(to: Annotated[int, Field(ge=0, le=1000)]) -> Numbers:
    """Return the numbers from 1 to `to`, for a `for_each`."""
    return Numbers(list(range(1, to + 1)))


def values_of(given: object) -> list[str]:
    """Return every `value` in what one or more tasks put out, lists and joins included."""
    match given:
        case Digest(value=value):
            return [value]
        case {"value": str(value)}:
            return [value]
        case {"results": [*results]}:
            return values_of(results)
        case [*each]:
            return [value for one in each for value in values_of(one)]
        case _:
            return []


SKILLS: Final[Sequence[Skill]] = (digest, count)
