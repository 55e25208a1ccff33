"""The runs of the live part: when they arrive, and how long their tools take. See the package."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from orchestrator.core.retention.curve import product_limit
from protocol.types import Json

R_S: Final = 2.0
WORK_S: Final = 0.2
CAPACITY: Final = 2
TURNS: Final = 5
GAPS_S: Final = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 6.0)
LOAD: Final = 0.8
KIND: Final = "session"


@dataclass(frozen=True, slots=True)
class Request:
    """One run: when it is submitted, and what its tools take."""

    number: int
    arrival_s: float
    gaps_s: Sequence[float]

    def plan(self) -> Mapping[str, Json]:
        """Return its plan, as `submit` takes it: turn, tool, turn, tool, … turn."""
        need: Json = {"kind": KIND, "key": f"s{self.number}", "amount": 1.0}
        edits: list[Json] = []
        for turn in range(len(self.gaps_s) + 1):
            if turn:
                edits.append(_task(f"tool{turn}", "wait", {"gap_s": self.gaps_s[turn - 1]}))
                edits.append(_edge(f"turn{turn - 1}", f"tool{turn}"))
            edits.append(_task(f"turn{turn}", "infer", {"work_s": WORK_S}, [need]))
            if turn:
                edits.append(_edge(f"tool{turn}", f"turn{turn}"))
        return {"edits": edits}


def _task(name: str, skill: str, args: Json, resources: Sequence[Json] = ()) -> Json:
    needs: Json = {"resources": resources}
    return {"add_task": {"id": name, "skill": skill, "args": args, "needs": needs}}


def _edge(before: str, after: str) -> Json:
    return {"add_dependency": {"predecessor": before, "successor": after}}


def held_s(reload_s: float, turns: int, *, pinning: bool) -> float:
    """Return how long a run holds memory in the mean (the closed form)."""
    curve = product_limit([(gap_s, False) for gap_s in GAPS_S])
    lease_s = curve.lease_s(reload_s) if pinning else 0.0
    gaps = [gap_s if gap_s <= lease_s else lease_s + reload_s for gap_s in GAPS_S]
    return reload_s + turns * WORK_S + (turns - 1) * fmean(gaps)


def requests(seed: int, count: int, *, turns: int, reload_s: float) -> Sequence[Request]:
    """Draw the runs: Poisson arrivals, gaps drawn anew for each turn but the first."""
    chance = random.Random(f"pinning/live/{seed}")
    between_s = held_s(reload_s, turns, pinning=False) / CAPACITY / LOAD
    made, at_s = [], 0.0
    for number in range(count):
        gaps_s = tuple(chance.choice(GAPS_S) for _ in range(turns - 1))
        made.append(Request(number, at_s, gaps_s))
        at_s += chance.expovariate(1.0 / between_s)
    return made
