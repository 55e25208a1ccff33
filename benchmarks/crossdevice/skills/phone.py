"""What only a phone has."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agents.skills import Skill, skill


@dataclass(frozen=True, slots=True)
class Battery:
    """Per cent that are left."""

    percent: float


def skills(percent: Callable[[], float]) -> Sequence[Skill]:
    """Make the skill; `percent` says how the battery is."""

    @skill("phone.battery")
    async def battery() -> Battery:
        """Say how much of the battery is left."""
        return Battery(round(percent(), 1))

    return (battery,)
