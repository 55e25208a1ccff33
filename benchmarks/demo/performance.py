"""The whole demo: set the stage, play, read the journal, and judge what came of it."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.demo import fleet, timeline
from benchmarks.demo.check import Verdict, check
from benchmarks.demo.in_memory import one_process
from benchmarks.demo.processes import processes
from benchmarks.demo.scenario import Stage, Tell, play
from benchmarks.supervisor import cancel_when_told_to_stop
from orchestrator.clock import loop_clock
from orchestrator.core.facts import RunStatus
from orchestrator.journal import SqliteJournal
from protocol.transport.broker import BrokerError, BrokerProcess, find_mosquitto

LIMIT_S: Final = 60.0  # for the run; it takes a tenth of that


@dataclass(frozen=True, slots=True)
class Performance:
    """What came of one demo."""

    seed: int
    transport: str
    report: Path
    verdict: Verdict
    timeline: timeline.Timeline

    @property
    def problems(self) -> Sequence[str]:
        """What is wrong with the report, or with the way it came about."""
        return (*self.verdict.problems, *_problems(self.timeline))

    def document(self) -> Mapping[str, Any]:
        """Return all of it as one JSON object."""
        return {
            "ok": not self.problems,
            "seed": self.seed,
            "transport": self.transport,
            "seconds": round(self.timeline.end - self.timeline.start, 3),
            "report": str(self.report),
            "errors": self.verdict.errors,
            "causes": self.verdict.causes,
            "missing": self.verdict.missing,
            "problems": self.problems,
            "timeline": timeline.document(self.timeline),
        }


async def perform(root: Path, *, seed: int, tell: Tell) -> Performance:
    """Play the demo in an empty folder; whatever was started is gone at the end, come what may.

    Raises:
        TimeoutError: the run did not end in a minute.
        asyncio.CancelledError: somebody pressed Ctrl-C, closed the terminal or said SIGTERM.
    """
    cancel_when_told_to_stop()
    began, journal = loop_clock().wall, root / "journal.db"
    async with AsyncExitStack() as stack:
        try:
            find_mosquitto()
        except BrokerError as error:
            tell("demo", f"{error}; without it, all is played in one process")
            transport, port = "memory", 1
        else:
            transport, port = "mqtt", (await stack.enter_async_context(BrokerProcess())).port
            tell("demo", f"starts mosquitto, a coordinator and {len(fleet.FLEET)} daemons")
        configs = await asyncio.to_thread(fleet.furnish_all, root, seed=seed, now=began, port=port)
        stage: Stage = await stack.enter_async_context(
            processes(journal, configs, port=port, tell=tell)
            if transport == "mqtt"
            else one_process(journal, configs, tell=tell)
        )
        async with asyncio.timeout(LIMIT_S):
            kills = await play(stage, tell)
    report = fleet.files_of(root, "laptop") / "reports" / "errors.md"
    servers = {server: fleet.files_of(root, server) for server in fleet.SERVERS}
    return Performance(
        seed,
        transport,
        report,
        check(report, servers, since=began - fleet.DAY_S),
        timeline.read(await SqliteJournal(journal).entries(), kills, configs),
    )


def _problems(seen: timeline.Timeline) -> Iterator[str]:
    """Say what should have happened and has not: a demo that proves nothing is none."""
    victim, coordinator = seen.rows[fleet.VICTIM], seen.rows[timeline.COORDINATOR]
    if seen.status is not RunStatus.SUCCEEDED:
        yield f"the run has {seen.status}"
    if all(span.done for span in victim.spans):
        yield f"{fleet.VICTIM} was not at work when it was killed"
    if not coordinator.back:
        yield "the coordinator was not killed while the run was under way"
    spans = [span for row in seen.rows.values() for span in row.spans]
    done = Counter(span.task for span in spans if span.done)
    yield from (f"{task} was done {n} times" for task, n in done.items() if n > 1)
