"""The kills, drawn from the seed before anything is started.

They come from decks of twenty, shuffled one by one, so that a short campaign has the same mix as a
long one. Who is hit among the daemons at work, and at which moment, is drawn; real time is real.
"""

import random
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Final


class Target(StrEnum):
    """What is hit."""

    AGENT = "agent"
    """One of the daemons that are at work."""
    COORDINATOR = "coordinator"
    BROKER = "broker"


class Way(StrEnum):
    """How it is hit."""

    KILL = "kill"
    STOP = "stop"
    """It may say goodbye."""
    CUT = "cut"
    """It is halted and goes on later, as after a lost network; nothing is restarted."""


SIGNALS: Final[Mapping[Way, signal.Signals]] = {
    Way.KILL: signal.SIGKILL,
    Way.STOP: signal.SIGTERM,
    Way.CUT: signal.SIGSTOP,
}
DECK: Final[Mapping[tuple[Target, Way], int]] = {
    (Target.AGENT, Way.KILL): 12,
    (Target.COORDINATOR, Way.KILL): 3,
    (Target.BROKER, Way.KILL): 1,
    (Target.BROKER, Way.STOP): 1,
    (Target.AGENT, Way.CUT): 2,
    (Target.BROKER, Way.CUT): 1,
}
WAIT_S: Final = (0.3, 2.7)
AWAY_S: Final = (0.1, 1.5)
CUT_S: Final = (3.0, 10.0)  # around the 5 s of a lease and the 7 s after which a device is lost


@dataclass(frozen=True, slots=True)
class Strike:
    """One kill to come.

    Attributes:
        wait_s: since the one before, if work goes on then.
        away_s: until it is started again, or goes on.
        pick: from 0 to 1, who of the daemons at work.
    """

    target: Target
    way: Way
    wait_s: float
    away_s: float
    pick: float


def schedule(kills: int, *, seed: int) -> tuple[Strike, ...]:
    """Draw so many kills."""
    return tuple(islice(_strikes(random.Random(f"{seed}/kills")), kills))


def _strikes(chance: random.Random) -> Iterator[Strike]:
    while True:
        deck = [card for card, count in DECK.items() for _ in range(count)]
        chance.shuffle(deck)
        for target, way in deck:
            away_s = chance.uniform(*(CUT_S if way is Way.CUT else AWAY_S))
            yield Strike(target, way, chance.uniform(*WAIT_S), away_s, chance.random())
