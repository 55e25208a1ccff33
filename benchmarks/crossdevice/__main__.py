"""Play tasks while they are being written: `python -m benchmarks.crossdevice NAME ...`.

In one process on a virtual clock, or with `--processes` as in the benchmark. Says what came of
each subtask and, where something is wrong, what happened and where the files are.
"""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from benchmarks.crossdevice.faults import WRONG, Fate, Kind, draw, possible
from benchmarks.crossdevice.metrics import measure
from benchmarks.crossdevice.planning import PlannerControl
from benchmarks.crossdevice.play import Played, clear, play
from benchmarks.crossdevice.session import open_stage
from benchmarks.crossdevice.task import load_all
from benchmarks.crossdevice.trace import read
from benchmarks.frame import BenchmarkError
from benchmarks.virtual_clock import VirtualClockLoop

SHOWN: Final = 160  # characters of an event
INTERRUPTED: Final = 130  # as shells say it
QUIET: Final = frozenset({"TasksReady", "AttemptAccepted", "GapObserved", "RunTimeObserved"})


async def show(names: list[str], *, kind: str, fault: Kind, seed: int, root: Path) -> bool:
    """Play and print; tell whether every task was a success."""
    tasks, fine = load_all(names), True
    async with open_stage(kind, root, tasks) as stage:
        for number, task in enumerate(tasks):
            plan = draw(fault, task, seed=seed)
            if not possible(task, plan):
                sys.stdout.write(f"{task.name}: not possible without {plan.victim}\n")
                continue
            fate = Fate(plan, task, {})
            wrong = WRONG if fault is Kind.PLANNER30 else 0.0
            stage.planning(PlannerControl(wrong=wrong, seed=seed))
            played = await play(task, stage, seed=seed, number=number, faults=fate)
            for line in lines(played):
                sys.stdout.write(f"{line}\n")
            if fault is not Kind.NONE:
                wrongs = stage.mistakes(played.run)
                felt = "felt" if fate.met(read(played.events), mistakes=wrongs) else "not felt"
                sys.stdout.write(f"  {fault}{plan.victim and f' of {plan.victim}'}: {felt}\n")
            if played.success and played.status == "succeeded":
                clear(stage, played.folder)
            else:
                fine = False
                sys.stdout.write(f"  files: {root}/*/files/{played.folder}\n")
    return fine


def lines(played: Played) -> Iterator[str]:
    """Say what came of a play; all of it, where something is wrong."""
    done, seen = sum(each.done for each in played.findings), measure(read(played.events))
    yield (
        f"{played.task}: run {played.status}, {done} of {len(played.findings)} subtasks,"
        f" {seen.tasks} tasks in {seen.latency_s:.2f} s, {seen.width:.1f} at once"
        f" (at most {seen.width_max}); at least {seen.least_s:.2f} s,"
        f" one by one {seen.sequential_s:.2f} s"
    )
    for each in played.findings:
        if not each.done:
            yield f"  {each.subtask}: {each.what} No: {each.wrong}"
    if played.status != "succeeded" or done < len(played.findings):
        for event in played.events:
            if event["fact"] not in QUIET:
                yield f"    {event['fact']} {_short(event['data'])}"


def _short(data: Mapping[str, object]) -> str:
    text = json.dumps({key: value for key, value in data.items() if key != "run"})
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def main() -> int:
    """Read the arguments, and play."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crossdevice", description=__doc__)
    parser.add_argument("names", nargs="*", help="folders in tasks/; none: all")
    parser.add_argument("--processes", action="store_true", help="with mosquitto, in real time")
    parser.add_argument("--fault", type=Kind, choices=[*Kind], default=Kind.NONE)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    kind, loop = ("processes", None) if given.processes else ("memory", VirtualClockLoop)
    root = Path(tempfile.mkdtemp(prefix="muster-crossdevice-"))
    keep = True  # what is wrong can be looked at
    try:
        with asyncio.Runner(loop_factory=loop) as runner:
            played = show(given.names, kind=kind, fault=given.fault, seed=given.seed, root=root)
            keep = not runner.run(played)
    except BenchmarkError as error:
        keep = False
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        keep = False
        sys.stderr.write("stopped\n")
        return INTERRUPTED
    finally:
        if not keep:
            shutil.rmtree(root, ignore_errors=True)
    return int(keep)


if __name__ == "__main__":
    sys.exit(main())
