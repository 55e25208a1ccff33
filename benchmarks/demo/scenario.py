"""What happens in the demo, wherever it is played: a request, two kills, a report."""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final, Protocol, TypeAlias

from benchmarks.demo.fleet import VICTIM
from benchmarks.demo.timeline import COORDINATOR, Kill
from orchestrator.clock import loop_clock
from orchestrator.core import facts as f
from orchestrator.journal import Entry
from protocol.types import RunId

REQUEST: Final = (
    "collect the errors of the last day from every server, "
    "group them by cause and write a report on the laptop"
)
AWAY_S: Final = 3.0  # until the supervisor of a device starts it again
RESTART_S: Final = 1.0  # the same for the coordinator

Tell: TypeAlias = Callable[[str, str], None]
"""Is told what happens, as it happens: who, and what."""

WORDS: Final[Mapping[type[f.Fact], Callable[[Any], str]]] = {
    f.AttemptStarted: lambda _: "is at work",
    f.AttemptSucceeded: lambda _: "is done",
    f.AttemptFailed: lambda fact: fact.detail,
    f.AttemptLost: lambda fact: fact.reason,
    f.AttemptLapsed: lambda fact: fact.reason,
    f.TaskJoined: lambda _: "has all there is to have",
    f.TaskFailed: lambda fact: f"has failed: {fact.reason}",
}


class Stage(Protocol):
    """Where the demo is played: processes around a broker, or one process."""

    async def submit(self, request: str) -> RunId:
        """Submit a request, once the whole fleet is there."""

    def events(self, run: RunId, after: int) -> AsyncIterator[Entry]:
        """Yield what became durable after an offset, until the run ends."""

    async def kill(self, who: str) -> None:
        """Kill a device or the coordinator without a word of warning; it comes back by itself."""


async def play(stage: Stage, tell: Tell) -> list[Kill]:
    """Submit, kill a server that is at work, then the coordinator, and wait for the end.

    Returns:
        The kills, in order.
    """
    tell("you", REQUEST)
    run = await stage.submit(REQUEST)
    kills: list[Kill] = []
    after, ended = 0, False
    while not ended:
        async for entry in stage.events(run, after):
            after, fact = entry.seq, entry.fact
            if words := WORDS.get(type(fact)):
                tell(getattr(fact, "task", ""), words(fact))
            ended = isinstance(fact, f.RunEnded)
            if who := _to_kill(fact, kills):
                kills.append(Kill(who, loop_clock().wall))
                tell(who, "is killed with -9")
                await stage.kill(who)
                if who == COORDINATOR:
                    break  # the next one is asked for what follows
    return kills


def _to_kill(fact: f.Fact, kills: list[Kill]) -> str | None:
    """Choose the moments: the victim is at work; then another server's result has come in."""
    if not kills and isinstance(fact, f.AttemptStarted) and fact.task == f"collect[{VICTIM}]":
        return VICTIM
    if len(kills) == 1 and isinstance(fact, f.AttemptSucceeded):
        return COORDINATOR
    return None
