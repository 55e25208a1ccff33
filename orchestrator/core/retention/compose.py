"""The gap that running predecessors leave: how long until the slowest of them is done.

`G = max over unfinished predecessors of (residual + network)`, the residual from the history of
the skill's durations on that device, given how long it runs already. `DRAWS` draws of it make a
curve like any other. Draws come from the counter-based chance: the same inputs, the same curve.
Compose again when a predecessor starts or ends.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from orchestrator.core.chance import unit
from orchestrator.core.retention.curve import Curve, product_limit

DRAWS: Final = 64


@dataclass(frozen=True, slots=True)
class Predecessor:
    """What the next use still waits for.

    Attributes:
        durations: of its skill on its device, as `Gaps.curve` gives them, with `q` = 1.
        elapsed_s: how long it runs already; 0 before its start.
        network_s: what its result takes to get here.
    """

    durations: Curve
    elapsed_s: float = 0.0
    network_s: float = 0.0


def composed(
    predecessors: Sequence[Predecessor],
    *,
    seed: int,
    purpose: str,
    age_s: float = 0.0,
    reuse: float = 1.0,
) -> Curve:
    """Return the curve of the gap up to the end of the last predecessor.

    Args:
        predecessors: those that are not done; without any the gap is over now.
        seed: of the run.
        purpose: names the draws: the resource and its next use.
        age_s: how long the resource lies idle already; the curve's gaps count from then.
        reuse: `q`, the chance from 0 to 1 that the next use comes to this device.
    """
    waits = (
        max(
            (
                each.network_s
                + each.durations.remaining_s(each.elapsed_s, unit(seed, f"{purpose}|{place}", n))
                for place, each in enumerate(predecessors)
            ),
            default=0.0,
        )
        for n in range(DRAWS)
    )
    return product_limit(sorted((age_s + wait_s, False) for wait_s in waits), reuse)
