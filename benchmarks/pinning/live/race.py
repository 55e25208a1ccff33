"""With and without pinning, on the same runs: how long they take, and how often they reload."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Final

from benchmarks.frame import Figures, Item, Options, Progress, Row
from benchmarks.pinning.live.site import open_site
from benchmarks.pinning.live.skills import iterations
from benchmarks.pinning.live.workload import R_S, TURNS, Request, requests
from orchestrator.cli.following import batches
from orchestrator.client import Client

RUNS: Final = 24
QUICK_RUNS: Final = 4
QUICK_TURNS: Final = 3
QUICK_R_S: Final = 1.0
POLICIES: Final = ("none", "index")


@dataclass(frozen=True, slots=True)
class Played:
    """What came of one run."""

    completion_s: float
    loads: int


async def race(root: Path, options: Options) -> AsyncIterator[Item]:
    """Yield the figures of both arms, one after the other."""
    reload_s = QUICK_R_S if options.quick else R_S
    work = iterations(reload_s)
    runs, turns = (QUICK_RUNS, QUICK_TURNS) if options.quick else (RUNS, TURNS)
    wanted = requests(options.seed, runs, turns=turns, reload_s=reload_s)
    mean_s: dict[str, float] = {}
    for number, policy in enumerate(POLICIES):
        yield Progress(number / len(POLICIES), f"live, pinning: {policy}")
        async with open_site(root / policy, policy=policy, load_iterations=work) as site:
            played = await _play(site.client, wanted)
        mean_s[policy] = fmean(each.completion_s for each in played)
        yield Figures(
            {
                f"live.mean_s.{policy}": mean_s[policy],
                f"live.loads_per_turn.{policy}": sum(each.loads for each in played)
                / (runs * turns),
            }
        )
        for request, each in zip(wanted, played, strict=True):
            yield Row(
                {
                    "part": "live",
                    "policy": policy,
                    "run": request.number,
                    "arrival_s": round(request.arrival_s, 3),
                    "completion_s": round(each.completion_s, 3),
                    "loads": each.loads,
                }
            )
    saving = 1.0 - mean_s["index"] / mean_s["none"]
    yield Figures({"live.saving": saving, "live.reload_s": reload_s})


async def _play(client: Client, wanted: Sequence[Request]) -> Sequence[Played]:
    began = asyncio.get_running_loop().time()
    async with asyncio.TaskGroup() as group:
        playing = [
            group.create_task(_one(client, each, began), name=f"run {each.number}")
            for each in wanted
        ]
    return [each.result() for each in playing]


async def _one(client: Client, request: Request, began: float) -> Played:
    loop = asyncio.get_running_loop()
    await asyncio.sleep(began + request.arrival_s - loop.time())
    submitted_at = loop.time()
    name = f"pinning {request.number}"
    answer = await client.call("submit", {"request": name, "key": name, "plan": request.plan()})
    loads, status = 0, ""
    async for events, _ in batches(client, str(answer["run"]), 0):
        loads += sum(event["data"].get("output") is True for event in events)
        ends = [event for event in events if event["fact"] == "RunEnded"]
        status = str(ends[0]["data"]["status"]) if ends else status
    if status != "succeeded":
        raise RuntimeError(f"{name} is {status}: nothing may fail here")
    return Played(loop.time() - submitted_at, loads)
