"""The benchmark `chaos`: its one part and its goals. The names of the figures are a contract."""

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from benchmarks.chaos.campaign import open_campaign
from benchmarks.chaos.oracle import figures, recovery_times, violations
from benchmarks.chaos.schedule import schedule
from benchmarks.frame import (
    Benchmark,
    BenchmarkError,
    Figures,
    Goal,
    Item,
    Options,
    Progress,
    Result,
    Row,
)
from benchmarks.roll_call import MissingError
from benchmarks.site import cause
from benchmarks.supervisor import EndedError, cancel_when_told_to_stop
from protocol.errors import TransportError

KILLS: Final = 200
QUICK_KILLS: Final = 12

GOALS: Final[dict[str, Goal]] = {
    "lost": ("<=", 0),
    "doubled": ("<=", 0),
    "hung": ("<=", 0),
    "completed": (">=", 0.99),
    "unknown": ("<=", 0.01),
    "inflight_kills": (">=", 0.8),
}


async def measure(options: Options) -> AsyncIterator[Item]:
    """Kill, calm down, recount; the folder with logs and journal is left if goals are missed.

    Raises:
        BenchmarkError: a program could not be started, or ended by itself.
    """
    root = Path(tempfile.mkdtemp(prefix="muster-chaos-"))
    try:
        async for item in _play(root, options):
            yield item
    except asyncio.CancelledError:
        shutil.rmtree(root)
        raise
    except (EndedError, MissingError, TransportError, ExceptionGroup) as error:
        raise BenchmarkError(f"{cause(error)}; logs and journal are in {root}") from error


async def _play(root: Path, options: Options) -> AsyncIterator[Item]:
    cancel_when_told_to_stop()
    strikes = schedule(
        options.settings.get("kills", QUICK_KILLS if options.quick else KILLS), seed=options.seed
    )
    yield Progress(0.0, "starting")
    async with open_campaign(root, seed=options.seed) as campaign:
        for n, strike in enumerate(strikes):
            yield Progress(n / (len(strikes) + 1), f"{strike.way} {strike.target}")
            await campaign.strike(strike)
        yield Progress(len(strikes) / (len(strikes) + 1), "calm")
        evidence = await campaign.calm()
    measured = figures(evidence)
    yield Figures(measured)
    began = min((kill.at for kill in evidence.kills), default=0.0)
    for kill, recovery_s in zip(evidence.kills, recovery_times(evidence), strict=True):
        yield Row(
            {
                "at_s": round(kill.at - began, 3),
                "victim": kill.victim,
                "what": kill.way,
                "away_s": round(kill.away_s, 3),
                "in_flight": len(kill.held),
                "recovery_s": None if recovery_s is None else round(recovery_s, 3),
            }
        )
    for each in violations(evidence):
        yield Row({"violation": each.kind, "run": each.run, "task": each.task, "why": each.detail})
    failed = (task for told in evidence.told for task in told.tasks.values())
    reasons = Counter(task.reason for task in failed if task.state == "failed")
    for reason, count in reasons.most_common():
        yield Row({"failed": count, "why": reason})
    if Result(BENCHMARK.name, options, measured, GOALS, ()).met:
        shutil.rmtree(root)
    else:
        yield Row({"folder": str(root)})


BENCHMARK: Final = Benchmark(
    name="chaos",
    goals=GOALS,
    parts=(measure,),
    settings={"kills": f"how many kills ({KILLS}; --quick: {QUICK_KILLS})"},
)

__all__ = ["BENCHMARK", "GOALS"]
