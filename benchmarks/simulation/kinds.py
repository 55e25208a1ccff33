"""The kinds of faults, and one fault."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """The kinds of faults."""

    DROP = "drop"
    DUPLICATE = "duplicate"
    DELAY = "delay"
    REORDER = "reorder"
    PARTITION = "partition"
    CUT = "cut"
    REDELIVER = "redeliver"
    BROKER_RESTART = "broker_restart"
    AGENT_CRASH = "agent_crash"
    DISK_LOST = "disk_lost"
    AGENT_STALL = "agent_stall"
    SLOW = "slow"
    AGENT_CLOCK = "agent_clock"
    LEDGER_FULL = "ledger_full"
    COORDINATOR_CRASH = "coordinator_crash"
    COORDINATOR_STALL = "coordinator_stall"
    COORDINATOR_CLOCK = "coordinator_clock"
    RIVAL = "rival"
    JOURNAL_FULL = "journal_full"
    WRONG_OUTPUT = "wrong_output"
    FORGED_ATTEMPT = "forged_attempt"
    FOREIGN_RESULT = "foreign_result"
    CONTRADICTION = "contradiction"
    ANOTHER_LIFE = "another_life"


COSTS_SUCCESS: Final = frozenset({Kind.WRONG_OUTPUT, Kind.CONTRADICTION, Kind.ANOTHER_LIFE})
"""Lies of a device about its own work: nobody can tell, so nothing is demanded of the run."""


@dataclass(slots=True, eq=False)
class Fault:
    """One fault of a world."""

    kind: Kind
    party: str
    """Whom it hits; empty for all."""
    at: float
    lasts_s: float
    draw: float
    """A number in [0, 1) that says how bad it is."""
    hits: int = 0
    """How often it made a difference."""
    once: bool = False
    """It may have cost the outcome of a `once` attempt: seen from its device's disk."""
    over: bool = False

    @property
    def fired(self) -> bool:
        """Whether it made a difference."""
        return self.hits > 0

    def __str__(self) -> str:
        return f"{self.kind} {self.party or 'all'} for {self.lasts_s:.1f} s ({self.draw:.2f})"
