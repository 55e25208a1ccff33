"""Which plays there are, and playing them one after the other; what was played is not repeated."""

import json
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeAlias
from zlib import crc32

from benchmarks.crossdevice import bundle
from benchmarks.crossdevice.arms import ARMS, OURS
from benchmarks.crossdevice.faults import WRONG, Fate, Kind, draw, possible
from benchmarks.crossdevice.fleet import FLEET
from benchmarks.crossdevice.hardware import Control
from benchmarks.crossdevice.metrics import measure
from benchmarks.crossdevice.notes import whole
from benchmarks.crossdevice.planning import PlannerControl
from benchmarks.crossdevice.play import clear, play
from benchmarks.crossdevice.stage import Stage
from benchmarks.crossdevice.task import Task
from benchmarks.crossdevice.trace import Trace, read
from benchmarks.frame import BenchmarkError
from orchestrator.clock import loop_clock

Row: TypeAlias = dict[str, Any]
KEY: Final = ("task", "arm", "fault", "seed", "stage", "commit", "machine")
"""What a play is known by: with another commit, or elsewhere, it is another one."""


@dataclass(frozen=True, slots=True)
class Case:
    """One play to come."""

    task: Task
    arm: str
    fault: Kind
    seed: int

    @property
    def label(self) -> str:
        """What it is called where people wait."""
        return f"{self.task.name} {self.arm} {self.fault} {self.seed}"


def cases(
    tasks: Sequence[Task], *, arms: Iterable[str], faults: Iterable[Kind], seeds: Iterable[int]
) -> Sequence[Case]:
    """Return every play: ours under every fault, the other arms in peace."""
    seeds, arms = tuple(seeds), tuple(arms)
    ours = (Case(t, OURS, fault, seed) for fault in faults for seed in seeds for t in tasks)
    others = (
        Case(t, a, Kind.NONE, seed) for a in arms if a != OURS for seed in seeds for t in tasks
    )
    return [*(ours if OURS in arms else ()), *others]


class Store:
    """The rows of former plays, as JSON lines; None keeps nothing.

    Raises:
        BenchmarkError: the file cannot be written, or holds something else.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._rows: Mapping[tuple[Any, ...], Row] = {}
        if path is None:
            return
        try:
            text = path.read_text(encoding="utf-8") if path.exists() else ""
            rows = [row for row in whole(text) if isinstance(row, dict) and "task" in row]
            if text.strip() and not rows:
                raise BenchmarkError(f"--resume {path}: there are no rows of plays in it")
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                if text and not text.endswith("\n"):  # half a row that a kill left
                    file.write("\n")
        except (OSError, UnicodeError) as error:
            raise BenchmarkError(f"--resume {path}: {error}") from error
        self._rows = {_key(row): row for row in rows}

    def find(self, row: Mapping[str, Any]) -> Row | None:
        """Return the row of the same play."""
        return self._rows.get(_key(row))

    def add(self, row: Row) -> None:
        """Keep a row, at once."""
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")


async def run(
    stage: Stage,
    played: Sequence[Case],
    *,
    store: Store,
    around: Mapping[str, Any],
    bundles: Path,
) -> AsyncIterator[Row]:
    """Play cases, and yield the row of each.

    Args:
        stage: where.
        played: which, in order.
        store: what is there already, and where rows are kept.
        around: what every row says beside: commit, stage and configuration.
        bundles: where failed plays are kept, to be looked at.
    """
    peace: dict[tuple[str, int], Counter[str]] = {}
    for number, case in enumerate(played):
        known = {**around, **_named(case)}
        row = store.find(known)
        if row is None:
            starts, began = peace.get((case.task.name, case.seed), Counter()), loop_clock().elapsed
            row = {**known, **await _play(stage, case, number, bundles, starts)}
            row["seconds"] = round(loop_clock().elapsed - began, 3)
            store.add(row)
        if case.arm == OURS and case.fault is Kind.NONE:
            peace[case.task.name, case.seed] = Counter(each[1] for each in row["gantt"])
        yield row


async def _play(
    stage: Stage, case: Case, number: int, bundles: Path, peace: Mapping[str, int]
) -> Row:
    plan = draw(case.fault, case.task, seed=case.seed)
    if not possible(case.task, plan):  # nothing is learned from waiting for the time limit
        return {"possible": False, "success": False, "status": "impossible", "plan": asdict(plan)}
    fate = (_Exclusive if ARMS[case.arm].exclusive else Fate)(plan, case.task, peace)
    wrong = WRONG if case.fault is Kind.PLANNER30 else 0.0
    stage.planning(PlannerControl(case.arm, wrong, crc32(case.label.encode())))
    messages, size = stage.traffic()
    load = round(os.getloadavg()[0], 2)  # afterwards the play itself is part of it
    played = await play(case.task, stage, seed=case.seed, number=number, faults=fate)
    now_messages, now_size = stage.traffic()
    trace, wrongs = read(played.events), stage.mistakes(played.run)
    row: Row = {
        "possible": True,
        "success": played.success and played.status == "succeeded",
        "status": played.status,
        "subtasks": len(played.findings),
        "done": sum(each.done for each in played.findings),
        "idle": played.idle,
        "wrong": {each.subtask: each.wrong for each in played.findings if each.wrong},
        "plan": {**asdict(plan), "struck": fate.met(trace, mistakes=wrongs)},
        "load": load,
        **measure(trace, struck_at=fate.struck_at, victim=plan.victim).document(),
        "messages": now_messages - messages,
        "bytes": now_size - size,
        "tokens": stage.tokens(played.run),
        "gantt": _gantt(trace),
    }
    if not row["success"]:
        said = {**_named(case), "stage": stage.kind, **row}
        row["bundle"] = str(bundle.keep(stage, played, said, bundles))
    clear(stage, played.folder)
    return row


class _Exclusive(Fate):
    """Nothing goes wrong, and one call at a time is made on the whole fleet."""

    def controls(self) -> Mapping[str, Control]:
        there = super().controls()
        usual = Control(battery=self.battery)
        return {name: replace(there.get(name, usual), exclusive=True) for name in FLEET}


def _named(case: Case) -> Row:
    return {
        "task": case.task.name,
        "category": case.task.file.category,
        "arm": case.arm,
        "fault": str(case.fault),
        "seed": case.seed,
    }


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row.get(each) for each in KEY)


def _gantt(trace: Trace) -> list[list[Any]]:
    """Return every attempt: task, device, start and end since the submission, whether of use."""
    return [
        [
            span.task,
            span.device,
            round(span.start - trace.start, 3),
            round(span.end - trace.start, 3),
            span.done,
        ]
        for span in trace.spans
    ]
