"""One campaign: work goes on, somebody is killed, again and again; then it calms down."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from benchmarks.chaos.effects import Effects, Line
from benchmarks.chaos.evidence import Evidence, Kill
from benchmarks.chaos.schedule import SIGNALS, Strike, Target, Way
from benchmarks.chaos.site import AGENTS, BROKER, COORDINATOR, Site, open_site
from benchmarks.chaos.stream import Stream
from benchmarks.supervisor import Supervised
from orchestrator.clock import loop_clock

LOG: Final = "effects.jsonl"
IDLE_S: Final = 20.0  # so long a strike waits for somebody to be at work
CALM_S: Final = 60.0
"""After the last kill every run must end in this time: leases, a lost device, offers that are
repeated and an unknown outcome that nobody settles take 45 s at most, one after the other."""

ANSWER_S: Final = 30.0  # for the list of all runs, in peace


@asynccontextmanager
async def open_campaign(
    root: Path, *, seed: int, agents: int = AGENTS
) -> AsyncIterator["Campaign"]:
    """Start the processes and the stream of runs; see `open_site` for what is raised."""
    async with open_site(root, agents=agents) as site, asyncio.TaskGroup() as group:
        stream = Stream(site.client, seed=seed, log=str(root / LOG))
        streaming = group.create_task(stream.run(), name="stream")
        campaign = Campaign(site, Effects(root / LOG), stream, group, streaming)
        try:
            yield campaign
        finally:
            streaming.cancel()
            campaign.let_go()


class Campaign:
    """Strikes, and gathers the evidence."""

    def __init__(
        self,
        site: Site,
        effects: Effects,
        stream: Stream,
        group: asyncio.TaskGroup,
        streaming: asyncio.Task[None],
    ) -> None:
        self._site = site
        self._effects = effects
        self._stream = stream
        self._group = group
        self._streaming = streaming
        self._cut: dict[Supervised, asyncio.Task[None]] = {}
        self._kills: list[Kill] = []

    async def strike(self, strike: Strike) -> Kill:
        """Kill somebody once it is time and somebody is at work."""
        await asyncio.sleep(strike.wait_s)
        with suppress(TimeoutError):
            async with asyncio.timeout(IDLE_S):
                while not self._ready(strike):
                    await self._stream.news()
        name, program = self._victim(strike)
        pid, at = program.pid, loop_clock().wall
        held = tuple(line for lines in self._at_work().values() for line in lines)
        await self._hit(program, strike)
        if strike.target is Target.AGENT:
            self._effects.read()  # what it held when it was dead, to the line
            held = self._effects.in_flight().get(pid or 0, ())
        kill = Kill(at, name, strike.target, strike.way, strike.away_s, held)
        self._kills.append(kill)
        return kill

    async def calm(self) -> Evidence:
        """Let everything come to its end, in bounded time, and return what is known then."""
        self._stream.close()
        for resuming in list(self._cut.values()):
            await resuming
        listed = None
        with suppress(TimeoutError):
            async with asyncio.timeout(CALM_S):
                await asyncio.shield(self._streaming)
        with suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_S):
                listed = await self._stream.listed()
        self._effects.read()
        return Evidence(self._effects.lines, self._stream.told, listed, self._kills)

    def let_go(self) -> None:
        """Let everybody who was halted go on."""
        for program, resuming in list(self._cut.items()):
            resuming.cancel()
            program.kill(signal.SIGCONT)

    async def _hit(self, program: Supervised, strike: Strike) -> None:
        """Send the signal; where nobody can work during a cut, wait for its end."""
        program.kill(SIGNALS[strike.way], pause_s=strike.away_s)
        if strike.way is not Way.CUT:
            await program.gone()
            return
        resuming = self._group.create_task(self._resume(program, strike.away_s), name="resume")
        self._cut[program] = resuming
        if strike.target is not Target.AGENT:
            await resuming

    def _ready(self, strike: Strike) -> bool:
        """Tell whether somebody is at work, and the victim alive."""
        central = {Target.BROKER: self._site.broker, Target.COORDINATOR: self._site.coordinator}
        victim = central.get(strike.target)
        return bool(self._at_work()) and (victim is None or victim.pid is not None)

    def _victim(self, strike: Strike) -> tuple[str, Supervised]:
        match strike.target:
            case Target.COORDINATOR:
                return COORDINATOR, self._site.coordinator
            case Target.BROKER:
                return BROKER, self._site.broker
            case Target.AGENT:
                there = {n: each for n, each in self._site.agents.items() if each not in self._cut}
                names = sorted(self._at_work()) or sorted(there)
                name = names[int(strike.pick * len(names))]
                return name, there[name]

    def _at_work(self) -> dict[str, tuple[Line, ...]]:
        """Return the daemons that have something in flight now, and what."""
        self._effects.read()
        running = self._effects.in_flight()
        pids = {n: each.pid for n, each in self._site.agents.items() if each not in self._cut}
        return {n: running[pid] for n, pid in pids.items() if pid is not None and pid in running}

    async def _resume(self, program: Supervised, after_s: float) -> None:
        await asyncio.sleep(after_s)
        program.kill(signal.SIGCONT)
        del self._cut[program]
