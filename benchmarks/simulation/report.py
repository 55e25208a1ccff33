"""What came of a world."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks.simulation.coverage import Pair
from benchmarks.simulation.kinds import Kind


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a world."""

    seed: int
    violation: str = ""
    runs: int = 0
    succeeded: int = 0
    demanded: int = 0
    """Runs of which success was demanded."""
    tasks: int = 0
    """Of all runs, as planned: what loops make of them is not counted."""
    faults: Mapping[Kind, int] = field(default_factory=dict)
    """How often each kind fired."""
    pairs: Mapping[Pair, int] = field(default_factory=dict)
    virtual_s: float = 0.0


def sentence(error: BaseException) -> str:
    """Say what went wrong, groups taken apart."""
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(sentence(each) for each in error.exceptions)
    return f"{type(error).__name__}: {error}"
