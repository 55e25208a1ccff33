"""What happens in the demo, wherever it is played: a request, two kills, a report."""

from collections.abc import AsyncIterator, Callable
from typing import Final, Protocol

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


class Stage(Protocol):
    """Where the demo is played: processes around a broker, or one process."""

    async def submit(self, request: str) -> RunId:
        """Submit a request, once the whole fleet is there."""

    def events(self, run: RunId, after: int) -> AsyncIterator[Entry]:
        """Yield what became durable after an offset, until the run ends."""

    async def kill(self, who: str) -> None:
        """Kill a device or the coordinator without a word of warning; it comes back by itself."""


async def play(stage: Stage, tell: Callable[[str, str], None]) -> list[Kill]:
    """Submit, kill a server that is at work, then the coordinator, and wait for the end.

    Args:
        stage: where it is played.
        tell: is told what happens, as it happens: who, and what.

    Returns:
        The kills, in order.
    """
    run = await stage.submit(REQUEST)
    tell("you", REQUEST)
    kills: list[Kill] = []
    after, ended = 0, False
    while not ended:
        async for entry in stage.events(run, after):
            after, fact = entry.seq, entry.fact
            ended = isinstance(fact, f.RunEnded)
            for who, what in _told(fact):
                tell(who, what)
            who = _to_kill(fact, kills)
            if who is not None:
                kills.append(Kill(who, loop_clock().wall))
                tell(who, "is killed with -9")
                await stage.kill(who)
                if who == COORDINATOR:
                    break  # the next one is asked for what follows
    return kills
