"""How much of the failure ladder each arm has."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

REPAIRS: Final = 3  # further answers to one question, as the product's own planner asks for
REVISIONS: Final = 4  # of a run
CALLS: Final = (1 + REPAIRS) * (1 + REVISIONS)
"""The most that the planner is asked for one request."""


@dataclass(frozen=True, slots=True)
class Arm:
    """What is done about a planner that errs."""

    checks: bool = True
    """A plan that the checks find fault with is not run."""
    repairs: int = 0
    """How often the reasons go back to the planner."""
    revisions: int = 0
    """How often a run that fails asks the planner for a new plan."""
    one_at_a_time: bool = False
    """A plan's tasks wait for each other, whether they have to or not."""
    stop_world: bool = False
    """Nothing is dispatched, of any run, while the planner thinks."""


ARMS: Final[Mapping[str, Arm]] = {
    "none": Arm(checks=False),
    "checks": Arm(),
    "repair": Arm(repairs=REPAIRS),
    "full": Arm(repairs=REPAIRS, revisions=REVISIONS),
    "stop_world": Arm(repairs=REPAIRS, revisions=REVISIONS, stop_world=True),
    "sequential": Arm(repairs=REPAIRS, revisions=REVISIONS, one_at_a_time=True),
}
"""`none` still has what the engine itself refuses: what is no graph."""
RATES: Final = (0, 10, 30, 50)
"""In how many requests of a hundred the planner errs."""
