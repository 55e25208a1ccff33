"""What is known after a campaign: the lines of the file, what clients were told, and the kills."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.chaos.effects import Line
from benchmarks.chaos.schedule import Target, Way


@dataclass(frozen=True, slots=True)
class Kill:
    """One that happened.

    Attributes:
        at: seconds since 1970.
        victim: the program's name.
        held: the tasks in flight: of the daemon, or, if all depend on the victim, of all daemons.
    """

    at: float
    victim: str
    target: Target
    way: Way
    away_s: float
    held: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Success:
    """The attempt to which a task owes its success, and the journal entry that says so."""

    attempt: str
    seq: int
    wall: float


@dataclass(frozen=True, slots=True)
class FinalState:
    """How a task stands at the end of its run, as `show` tells."""

    state: str
    skill: str
    reason: str
    executes: bool
    """It runs its skill itself, and not by way of the tasks that it became."""


@dataclass(slots=True)
class Told:
    """What the client that submitted one run was told.

    Attributes:
        request: the text of the submission, one of its own for each.
        run: its id once it was accepted.
        status: how it ended.
        denied: what was said when the coordinator no longer knew the run.
        placed: attempt → the number of the journal entry that made it.
        successes: by task.
        unknown: the tasks of which it was said that their outcome is not known.
        news: when something was said of a task that moves it on.
        tasks: as they stand at the end.
    """

    request: str
    run: str = ""
    status: str = ""
    denied: str = ""
    placed: dict[str, int] = field(default_factory=dict)
    successes: dict[str, Success] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    news: list[tuple[float, str]] = field(default_factory=list)
    tasks: dict[str, FinalState] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether it ended and everything about it was told."""
        return bool(self.tasks)


@dataclass(frozen=True, slots=True)
class Evidence:
    """All of it.

    Attributes:
        lines: in the order of the file.
        listed: request → the runs that the coordinator lists for it, at the end; None if it gives
            no answer.
    """

    lines: Sequence[Line]
    told: Sequence[Told]
    listed: Mapping[str, Sequence[str]] | None
    kills: Sequence[Kill]
