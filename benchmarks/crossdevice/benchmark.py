"""The benchmark `crossdevice`: its part and its goals. The names of the figures are a contract."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from statistics import fmean
from typing import Any, Final

from benchmarks.circumstances import circumstances
from benchmarks.crossdevice import campaign, page
from benchmarks.crossdevice.arms import ARMS, OURS
from benchmarks.crossdevice.campaign import Case, Store
from benchmarks.crossdevice.faults import Kind, draw, possible
from benchmarks.crossdevice.processes import LEASE_S
from benchmarks.crossdevice.session import STAGES, open_stage
from benchmarks.crossdevice.summary import figures
from benchmarks.crossdevice.task import load_all, names
from benchmarks.frame import (
    Benchmark,
    BenchmarkError,
    Figures,
    Goal,
    Item,
    Options,
    Progress,
    Row,
)
from benchmarks.roll_call import MissingError
from benchmarks.site import cause
from benchmarks.supervisor import EndedError, cancel_when_told_to_stop
from protocol.errors import TransportError

QUICK: Final = 12  # tasks
ALL: Final = "all"

GOALS: Final[dict[str, Goal]] = {
    "success.none": (">=", 1.0),
    **{f"success.{kind}": (">=", 0.95) for kind in Kind if kind is not Kind.NONE},
    "subtasks.none": (">=", 0.99),
    "possible.device_lost": (">=", 0.4),
    "saving_of_possible": (">=", 0.9),
    "tasks": (">=", 60),
    "categories": (">=", 12),
    "minutes.none": ("<=", 15),
}
SUITE: Final = frozenset(
    {"possible.device_lost", "tasks", "categories", "minutes.none", "saving_of_possible"}
)
"""Goals of the suite as a whole: some tasks of it do not have to meet them."""


async def measure(options: Options) -> AsyncIterator[Item]:
    """Play every task under every fault, ours and the other arms, as the options say.

    Raises:
        BenchmarkError: a task or an option is not as it should be, or a program did not start.
    """
    played = chosen(options)
    table = _model(options, played)
    around = {"stage": _one(options, "stage", STAGES, "processes"), **_around()}
    store = Store(Path(options.words["resume"]) if "resume" in options.words else None)
    bundles = _writable(Path(options.words.get("bundles", "crossdevice-failed")))
    root = Path(tempfile.mkdtemp(prefix="muster-crossdevice-"))
    rows: list[campaign.Row] = []
    cancel_when_told_to_stop()
    yield Progress(0.0, "starting")
    try:
        tasks = {case.task.name: case.task for case in played}.values()
        async with open_stage(around["stage"], root, tasks, model=table) as stage:
            plays = campaign.run(stage, played, store=store, around=around, bundles=bundles)
            async for row in plays:
                rows.append(row)
                yield Row(row)
                yield progress(rows, played)
    except (EndedError, MissingError, TransportError, ExceptionGroup) as error:
        kept = "; go on with the same --resume FILE" if rows and "resume" in options.words else ""
        raise BenchmarkError(f"{cause(error)}{kept}") from error
    finally:
        shutil.rmtree(root, ignore_errors=True)
        with suppress(OSError):  # what failed is in there
            bundles.rmdir()
    yield Figures(figures(rows))


def chosen(options: Options) -> Sequence[Case]:
    """Return the plays that the options ask for.

    Raises:
        BenchmarkError: there is no such task, arm or fault.
    """
    words = options.words
    tasks = load_all(_several("task", words.get("task", ALL), names()))
    if options.quick and "task" not in words:
        tasks = tasks[:: max(1, len(tasks) // QUICK)][:QUICK]
    faults = "none" if options.quick else ALL
    seeds = options.settings.get("seeds", 1)
    if not seeds:
        raise BenchmarkError("--seeds 0: then nothing is played")
    arms = _several("arm", words.get("arm", OURS), ARMS, left_out=("model",))
    kinds = [Kind(name) for name in _several("fault", words.get("fault", faults), Kind)]
    others = [arm for arm in arms if arm != OURS]
    if others and Kind.NONE not in kinds:
        raise BenchmarkError(f"--arm {others[0]} is played in peace alone: add none to --fault")
    return campaign.cases(
        tasks,
        arms=arms,
        faults=kinds,
        seeds=range(options.seed, options.seed + seeds),
    )


def goals(options: Options) -> Mapping[str, Goal]:
    """Return the goals of what the options ask for.

    Raises:
        BenchmarkError: see `chosen`.
    """
    ours = [case for case in chosen(options) if case.arm == OURS]
    met = {str(c.fault) for c in ours if possible(c.task, draw(c.fault, c.task, seed=c.seed))}
    whole = not options.quick and "task" not in options.words
    return {
        name: goal
        for name, goal in GOALS.items()
        if (whole if name in SUITE else True) and _measured(name, met)
    }


def _measured(name: str, faults: AbstractSet[str]) -> bool:
    """Tell whether plays of ours under these faults have a figure."""
    _, _, fault = name.partition(".")
    needs = {"saving_of_possible": {str(Kind.NONE)}}
    return needs.get(name, {fault} if fault else set()) <= faults


def _model(options: Options, played: Sequence[Case]) -> str:
    """Return the settings of the model that plans.

    Raises:
        BenchmarkError: one is asked for, and not named, or its file cannot be read.
    """
    if all(case.arm != "model" for case in played):
        return ""
    if "model" not in options.words:
        raise BenchmarkError("--arm model needs --model FILE, with a table [planner.llm]")
    try:
        return Path(options.words["model"]).read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise BenchmarkError(f"--model: {error}") from error


def _writable(bundles: Path) -> Path:
    """Make the folder now: that it cannot be is worth knowing before the first failure.

    Raises:
        BenchmarkError: it cannot be made, or nothing can be put into it.
    """
    try:
        bundles.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=bundles).close()
    except OSError as error:
        raise BenchmarkError(f"--bundles {bundles}: {error}") from error
    return bundles


def progress(rows: Sequence[campaign.Row], played: Sequence[Case]) -> Progress:
    """Say how much is done, and how long the rest will take if its plays are like these."""
    done, plays = len(rows), len(played)
    left_s = fmean(row.get("seconds", 0.0) for row in rows) * (plays - done)
    label = played[done].label if done < plays else "done"
    return Progress(done / plays, f"{done}/{plays}, {left_s / 60:.0f} min left: {label}")


def _around() -> Mapping[str, Any]:
    there = circumstances()
    machine = there["machine"]
    return {
        "commit": there["commit"],
        "config": {"lease_s": LEASE_S},
        "versions": there["versions"],
        "machine": f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_mb']} MB",
    }


def _several(
    option: str, text: str, known: Iterable[str], *, left_out: Sequence[str] = ()
) -> Sequence[str]:
    """Read names; all of them but those that want more than a name."""
    known = list(known)
    every = [name for name in known if name not in left_out]
    found = every if text == ALL else [each.strip() for each in text.split(",") if each.strip()]
    for name in found or [text]:
        if name not in known:
            there = ", ".join(get_close_matches(name, known) or [*known, ALL])
            raise BenchmarkError(f"--{option} {name!r}: there is {there}")
    return list(dict.fromkeys(found))  # once, though named twice


def _one(options: Options, option: str, known: Iterable[str], default: str) -> str:
    found = _several(option, options.words.get(option, default), known)
    if len(found) != 1:
        raise BenchmarkError(f"--{option} takes one of {', '.join(known)}")
    return found[0]


BENCHMARK: Final = Benchmark(
    name="crossdevice",
    goals=GOALS,
    goals_of=goals,
    parts=(measure,),
    settings={"seeds": "how many seeds, from --seed on (1)"},
    words={
        "task": "names of tasks, with commas between them (all)",
        "arm": f"{', '.join(ARMS)}, or all (ours)",
        "fault": f"{', '.join(Kind)}, or all (all; --quick: none)",
        "stage": "processes, or memory (processes)",
        "model": "a file with a table [planner.llm], for --arm model",
        "resume": "a file of rows: what is in there is not played again, the rest is added",
        "bundles": "a folder for what failed (crossdevice-failed)",
    },
    page=page.sections,
)

__all__ = ["BENCHMARK", "GOALS"]
