"""Worlds by the thousand: `muster simulate` and `muster bench simulate`."""

import os
import signal
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Final

import orchestrator.snapshots
from benchmarks.frame import Benchmark, BenchmarkError, Figures, Item, Options, Progress, Row
from benchmarks.simulation.coverage import Pair, rows, share
from benchmarks.simulation.kinds import Kind
from benchmarks.simulation.report import Report
from benchmarks.simulation.world import HungError, Trace, live
from protocol import telemetry
from protocol.types import Json

WORLDS: Final = 10_000
QUICK_WORLDS: Final = 300
AT_ONCE: Final = 20  # worlds a worker takes at a time: about a second of work
HUNG_S: Final = 60  # real time for one world, which needs 0.03 s
ROWS_AT_ONCE: Final = 8  # so that a small world's journal is saved in pieces as well


def prepare() -> None:
    """Make this process fit for worlds: silent, and with snapshots as in a large system."""
    telemetry.silence()
    vars(orchestrator.snapshots)["ROWS_AT_ONCE"] = ROWS_AT_ONCE


def _hung(_number: int, _frame: object) -> None:
    raise HungError


def judge(seeds: Iterable[int], *, trace: Trace | None = None) -> list[Report]:
    """Let one world after the other live, in the main thread of a process that is prepared."""
    reports = []
    former = signal.signal(signal.SIGALRM, _hung)
    try:
        for seed in seeds:
            signal.alarm(HUNG_S)
            reports.append(live(seed, trace=trace))
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, former)
    return reports


def measure(options: Options) -> Iterator[Item]:
    """Let worlds live in worker processes; a world that goes wrong is a row with its reason."""
    count = options.settings.get("worlds", QUICK_WORLDS if options.quick else WORLDS)
    jobs = options.settings.get("jobs", 0) or os.cpu_count() or 1
    began = time.perf_counter()
    total = _Total()
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=prepare)
    try:
        for done in as_completed(_submitted(pool, options.seed, count)):
            for report in done.result():
                total.add(report)
                if report.violation:
                    yield Row(violation_row(report))
            label = f"{total.worlds:,} of {count:,} worlds, {total.violations} violations"
            yield Progress(total.worlds / count, label)
    except BrokenProcessPool as error:
        raise BenchmarkError("a worker process died; try fewer with --jobs") from error
    finally:
        pool.shutdown(cancel_futures=True)
    yield Figures(total.figures(time.perf_counter() - began))
    yield from map(Row, total.table())


def violation_row(report: Report) -> Mapping[str, Json]:
    """Say what went wrong, and how to see it again."""
    return {
        "seed": report.seed,
        "violation": report.violation,
        "replay": f"muster simulate --seed {report.seed} --trace",
    }


def _submitted(pool: ProcessPoolExecutor, seed: int, count: int) -> Iterable[Future[list[Report]]]:
    ends = range(seed, seed + count, AT_ONCE)
    return [pool.submit(judge, range(n, min(n + AT_ONCE, seed + count))) for n in ends]


class _Total:
    """What all worlds came to."""

    def __init__(self) -> None:
        self.worlds = self.violations = 0
        self._runs = self._succeeded = self._demanded = self._tasks = 0
        self._faults: list[int] = []
        self._kinds: Counter[Kind] = Counter()
        self._pairs: Counter[Pair] = Counter()

    def add(self, report: Report) -> None:
        self.worlds += 1
        self.violations += bool(report.violation)
        self._runs += report.runs
        self._succeeded += report.succeeded
        self._demanded += report.demanded
        self._tasks += report.tasks
        self._faults.append(sum(report.faults.values()))
        self._kinds.update(report.faults)
        self._pairs.update(report.pairs)

    def figures(self, wall_s: float) -> Mapping[str, float]:
        worlds, runs = max(self.worlds, 1), max(self._runs, 1)
        return {
            "worlds": self.worlds,
            "violations": self.violations,
            "worlds_per_s": self.worlds / wall_s,
            "faults_per_world": sum(self._faults) / worlds,
            "faults_least": min(self._faults, default=0),
            "tasks_per_world": self._tasks / worlds,
            "coverage": share(self._pairs),
            "succeeded": self._succeeded / runs,
            "demanded": self._demanded / runs,
        }

    def table(self) -> Iterator[Mapping[str, Json]]:
        """Yield the transitions, with how often each happened under each kind of fault."""
        yield {"fired": {str(kind): self._kinds[kind] for kind in Kind}}
        for table, state, cause in rows():
            under: dict[str, Json] = {
                str(kind): self._pairs[table, state, cause, kind] for kind in Kind
            }
            yield {"table": table, "state": state, "cause": cause, "under": under}


BENCHMARK: Final = Benchmark(
    "simulate",
    (measure,),
    goals={"violations": ("<=", 0)},
    settings={
        "worlds": f"how many worlds, {WORLDS:,} if left out",
        "jobs": "in how many processes at once; as many as there are cores if left out",
    },
)
