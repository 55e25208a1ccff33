"""What the estimator costs, in CPU time of this thread: the least of several rounds.

Whatever else runs on the machine makes a round longer, and never shorter.
"""

import random
import time
from collections.abc import Callable, Iterator
from typing import Final

from benchmarks.frame import Figures, Item, Options, Progress
from benchmarks.pinning.workloads import KIND
from orchestrator.core.retention.gaps import WINDOW, Gaps
from orchestrator.core.retention.keys import GapHistories, GapKey

TIMES: Final = 2_000
ROUNDS: Final = 7
RELOAD_S: Final = 2.5
_KEY: Final = GapKey(KIND, "skill", "edge")


def measure(options: Options) -> Iterator[Item]:
    """Time adding, querying and rebuilding with a full window."""
    yield Progress(0.0, "estimator")
    chance = random.Random(options.seed)
    drawn = [chance.expovariate(1.0) for _ in range(TIMES)]
    gaps, histories = Gaps(), GapHistories()
    for gap_s in drawn[:WINDOW]:
        gaps.add(gap_s)
        histories.add(_KEY, gap_s)

    def rebuild(gap_s: float) -> None:
        gaps.add(gap_s)
        gaps.lease_s(RELOAD_S)

    add_us = _us(gaps.add, drawn)
    yield Figures(
        {
            "estimator.add_us": add_us,
            "estimator.rebuild_us": _us(rebuild, drawn) - add_us,
            "estimator.query_us": _us(lambda _: gaps.lease_s(RELOAD_S), drawn),
            "estimator.index_us": _us(gaps.index, drawn),
            "estimator.add_by_key_us": _us(lambda gap_s: histories.add(_KEY, gap_s), drawn),
        }
    )


def _us(call: Callable[[float], object], drawn: list[float]) -> float:
    rounds = []
    for _ in range(ROUNDS):
        began = time.thread_time()
        for gap_s in drawn:
            call(gap_s)
        rounds.append((time.thread_time() - began) * 1e6 / len(drawn))
    return min(rounds)
