"""How long to wait for a model."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for one answer, in seconds."""

    first_token_s: float = 60.0
    """For the model to begin, thoughts included; for all, where it turns out not to stream."""
    idle_s: float = 30.0
    """Between two tokens."""
    total_s: float = 110.0
    """For all of it; below the 120 s that a run gives its planner."""


DEFAULT_PATIENCE: Final = Patience()
