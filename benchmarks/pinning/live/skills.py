"""What the live part's devices do: load a session with real work, use it, and wait for a tool."""

import asyncio
import hashlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from agents.skills import Context, Skill, skill
from agents.warm.adapters.objects import Objects
from benchmarks.pinning.live.workload import KIND
from protocol.types import Effect

ITERATIONS: Final = "SESSION_LOAD_ITERATIONS"
"""The environment variable that says how much work a load is."""
PROBE: Final = 100_000


def iterations(reload_s: float) -> int:
    """Return how many iterations one core does in that time; takes about a second."""
    best_s = min(_timed(PROBE) for _ in range(5))
    return max(1, round(PROBE * reload_s / best_s))


@dataclass
class Session:
    """What a turn needs warm."""

    secret: bytes
    turns: int = 0


def make(key: str) -> Session:
    """Load a session: nothing but work."""
    return Session(_stretch(key, int(os.environ[ITERATIONS])))


def _timed(count: int) -> float:
    began = time.perf_counter()
    _stretch("probe", count)
    return time.perf_counter() - began


def _stretch(key: str, count: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", key.encode(), b"muster", count)


SESSIONS: Final = Objects(make)


@skill(effect=Effect.IDEMPOTENT, estimate_s=0.2)
async def infer(context: Context, work_s: float) -> bool:
    """Take a turn in a session; return whether it was loaded for this one."""
    session: Session = context.resource(KIND)
    session.turns += 1
    await asyncio.sleep(work_s)
    return session.turns == 1


@skill(effect=Effect.IDEMPOTENT, estimate_s=1.0)
async def wait(gap_s: float) -> None:
    """Be a tool elsewhere: a person, a test run, a robot."""
    await asyncio.sleep(gap_s)


HOST: Final[Sequence[Skill]] = (infer,)
TOOLS: Final[Sequence[Skill]] = (wait,)
