"""How much a judge may take. Apart from the judge, since settings load it."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much and how often a judge is asked."""

    prompt_tokens: int = 4_000
    answer_tokens: int = 500
    tries: int = 2
    """For one verdict, answers that are none included."""
    verdict_s: float = 300.0
    """For one verdict, pauses included."""
    waiting: int = 64
    """Runs that wait."""


DEFAULT_BOUNDS: Final = Bounds()
