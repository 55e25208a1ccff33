"""`muster bench`, figures beside their goals, `muster simulate` and `muster demo`."""

import asyncio
import importlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks import frame
from benchmarks.circumstances import circumstances

CATALOG: Mapping[str, str] = {
    "chaos": "benchmarks.chaos.benchmark",
    "crossdevice": "benchmarks.crossdevice.benchmark",
    "hostile": "benchmarks.hostile.benchmark",
    "limits": "benchmarks.limits.benchmark",
    "overhead": "benchmarks.overhead.benchmark",
    "pinning": "benchmarks.pinning.benchmark",
    "planner": "benchmarks.planner.benchmark",
    "scheduling": "benchmarks.scheduling.benchmark",
    "simulate": "benchmarks.simulation.benchmark",
}
"""Benchmark → the module that holds it as `BENCHMARK`; imported only when it is asked for."""

INTERRUPTED: Final = 130

app = typer.Typer(no_args_is_help=True)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def bench(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help=f"One of: {', '.join(CATALOG)}.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    quick: Annotated[bool, typer.Option(help="Measure less: at most 60 s.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of everything drawn by chance.")] = 0,
    report: Annotated[
        Path | None, typer.Option(help="Write a page with pictures into this folder.")
    ] = None,
    rows: Annotated[
        Path | None,
        typer.Option(
            help="Write what is measured into this new file as it comes, a JSON line each."
        ),
    ] = None,
) -> None:
    """Run a benchmark. Exit code 0: all goals are met; 1: one is not; 2: it could not be run.

    Some take options of their own, such as: muster bench chaos --kills 200
    """
    if name not in CATALOG:
        raise typer.BadParameter(f"no benchmark {name!r}; there is {', '.join(CATALOG)}")
    benchmark: frame.Benchmark = importlib.import_module(CATALOG[name]).BENCHMARK
    options = frame.Options(seed, quick, *_own(benchmark, context.args))
    with _rows(rows) as keep:
        result = _measured(benchmark, options, as_json=as_json, keep=keep)
    if report is not None:
        _write(benchmark, result, report)
    raise typer.Exit(0 if result.met else 1)


@app.command()
def simulate(
    *,
    worlds: Annotated[
        int | None, typer.Option(min=1, help="How many worlds, 10,000 if left out.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the first one; the next is +1.")] = 0,
    jobs: Annotated[int, typer.Option(min=0, help="Processes at once; 0: one a core.")] = 0,
    trace: Annotated[
        bool, typer.Option("--trace", help="Replay the world of --seed, line by line.")
    ] = False,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Show what met which fault.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Let whole systems live in bad worlds, on a virtual clock, and judge each.

    Exit code 0: nothing happened that must not; 1: something did, and its seed is shown.
    """
    command = importlib.import_module("benchmarks.simulation.command")
    if trace:
        if worlds is not None or coverage or as_json:
            raise typer.BadParameter("--trace replays one world: it goes with --seed alone")
        raise typer.Exit(command.replay(seed))
    benchmark = importlib.import_module(CATALOG["simulate"]).BENCHMARK
    settings = {"jobs": jobs} | ({"worlds": worlds} if worlds else {})
    options = frame.Options(seed, settings=settings)
    result = _measured(benchmark, options, as_json=as_json)
    if coverage and not as_json:
        Console().print(command.coverage_table(result.rows))
    for violation in command.violations(result.rows):
        typer.echo(violation, err=True)
    raise typer.Exit(0 if result.met else 1)


@app.command()
def demo(
    *,
    seed: Annotated[int, typer.Option(help="Seed of the files that are searched.")] = 0,
    keep: Annotated[
        Path | None, typer.Option(help="Play in this folder, and leave all there.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Run a request on five devices, and kill one of them and the coordinator on the way.

    Exit code 0: the report is what recomputing it from the files gives.
    """
    command = importlib.import_module("benchmarks.demo.command")
    raise typer.Exit(command.main(seed=seed, keep=keep, as_json=as_json))


def _measured(
    benchmark: frame.Benchmark,
    options: frame.Options,
    *,
    as_json: bool,
    keep: frame.Keep = lambda _row: None,
) -> frame.Result:
    """Run a benchmark and print what came out."""
    around = circumstances()
    try:
        with _progress_bar() as report:
            result = asyncio.run(frame.run(benchmark, options, report=report, keep=keep))
    except frame.BenchmarkError as error:
        typer.echo(f"bench {benchmark.name}: {error}", err=True)
        raise typer.Exit(2) from error
    except asyncio.CancelledError as error:
        typer.echo(f"bench {benchmark.name}: stopped", err=True)
        raise typer.Exit(INTERRUPTED) from error
    if as_json:
        typer.echo(json.dumps(result.document(around), indent=2))
    else:
        Console().print(table(result))
    return result


@contextmanager
def _rows(path: Path | None) -> Iterator[frame.Keep]:
    """Write rows into a file as they come: whoever stops a long benchmark keeps what there is."""
    if path is None:
        yield lambda _row: None
        return
    try:
        file = path.open("x", encoding="utf-8", buffering=1)
    except OSError as error:
        raise typer.BadParameter(f"--rows: {path} cannot be made: {error.strerror}") from error
    with file:
        yield lambda row: file.write(f"{json.dumps(row)}\n")


def _write(benchmark: frame.Benchmark, result: frame.Result, folder: Path) -> None:
    """Write the page of a result, and say where it is."""
    write = importlib.import_module("benchmarks.report").write
    try:
        charts, more = benchmark.charts(result.rows), benchmark.page(result.rows)
        page = write(result.document(circumstances()), charts, folder, more=more)
    except (frame.BenchmarkError, OSError) as error:
        typer.echo(f"bench {benchmark.name}: no report: {error}", err=True)
        raise typer.Exit(2) from error
    typer.echo(str(page), err=True)


def _own(
    benchmark: frame.Benchmark, words: Sequence[str]
) -> tuple[Mapping[str, int], Mapping[str, Path], Mapping[str, str]]:
    """Read the benchmark's own options, numbers, paths and texts: `--kills 200`, `--kills=200`."""
    given: dict[str, int] = {}
    paths: dict[str, Path] = {}
    texts: dict[str, str] = {}
    known = {**benchmark.settings, **benchmark.paths, **benchmark.words}
    rest = iter(word for each in words for word in each.split("=", 1))
    for word in rest:
        name, value = word.removeprefix("--"), next(rest, "")
        if not word.startswith("--") or name not in known:
            there = "".join(f"\n  --{each}: {what}" for each, what in known.items())
            of_its_own = (
                f"its own options are:{there}" if there else "it has no options of its own"
            )
            raise typer.BadParameter(f"bench {benchmark.name} has no {word!r}; {of_its_own}")
        if name in benchmark.paths:
            paths[name] = _there(word, value)
        elif name in benchmark.words:
            texts[name] = value
        elif value.isdecimal():
            given[name] = int(value)
        else:
            raise typer.BadParameter(f"{word} takes a whole number from 0, got {value!r}")
    return given, paths, texts


def _there(word: str, value: str) -> Path:
    if not value or not Path(value).exists():
        raise typer.BadParameter(f"{word} takes a file or folder that is there, got {value!r}")
    return Path(value)


def table(result: frame.Result) -> Table:
    """Lay out the figures, with the goal and its verdict beside each that has one."""
    shown = Table("figure", title=f"{result.bench} (seed {result.options.seed})")
    shown.add_column("value", justify="right")
    shown.add_column("goal")
    for name in sorted(result.figures.keys() | result.goals.keys()):
        value = f"{result.figures[name]:,.4g}" if name in result.figures else "missing"
        goal = ""
        if name in result.goals:
            compare, bound = result.goals[name]
            verdict = "[green]met[/]" if result.holds(name) else "[red]not met[/]"
            goal = f"{compare} {bound:g} {verdict}"
        shown.add_row(name, value, goal)
    return shown


@contextmanager
def _progress_bar() -> Iterator[frame.Report]:
    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        whole = bar.add_task("starting", total=1.0)

        def report(progress: frame.Progress) -> None:
            bar.update(whole, completed=progress.share, description=progress.label)

        yield report
