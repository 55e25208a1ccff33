"""What happens in the demo, wherever it is played: a request, two kills, a report."""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final, Protocol, TypeAlias

from benchmarks.demo.fleet import VICTIM
from benchmarks.demo.timeline import COORDINATOR, Kill
from orchestrator.clock import loop_clock
from orchestrator.service.documents import Event
from protocol.types import RunId

REQUEST: Final = (
    "collect the errors of the last day from every server, "
    "group them by cause and write a report on the laptop"
)
AWAY_S: Final = 3.0  # until the supervisor of a device starts it again
RESTART_S: Final = 1.0  # the same for the coordinator

Tell: TypeAlias = Callable[[str, str], None]
"""Is told what happens, as it happens: who, and what."""

WORDS: Final[Mapping[str, str]] = {
    "AttemptStarted": "at work",
    "AttemptSucceeded": "done",
    "AttemptFailed": "{detail}",
    "AttemptLost": "{reason}",
    "AttemptLapsed": "{reason}",
    "TaskFailed": "failed: {reason}",
    "TaskJoined": "all results are in",
}
"""Which facts are told, and how."""


class Stage(Protocol):
    """Where the demo is played: processes around a broker, or one process."""

    async def submit(self, request: str) -> RunId:
        """Submit a request, once the whole fleet is there."""

    def events(self, run: RunId, after: int) -> AsyncIterator[Event]:
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
    after = 0
    while True:
        async for event in stage.events(run, after):
            after = event["seq"]
            if words := WORDS.get(event["fact"]):
                tell(str(event["data"]["task"]), words.format_map(event["data"]))
            if who := _to_kill(event, kills):
                kills.append(Kill(who, loop_clock().wall))
                tell(who, "killed with -9")
                await stage.kill(who)
                if who == COORDINATOR:
                    break  # the next one is asked for what follows
        else:
            return kills


def _to_kill(event: Event, kills: list[Kill]) -> str | None:
    """Choose the moments: the victim is at work; then another server's result has come in."""
    match len(kills), event["fact"], event["data"].get("task"):
        case 0, "AttemptStarted", task if task == f"collect[{VICTIM}]":
            return VICTIM
        case 1, "AttemptSucceeded", _:
            return COORDINATOR
        case _:
            return None
