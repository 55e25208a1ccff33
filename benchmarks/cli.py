"""`muster bench`, figures beside their goals, and `muster demo`."""

import asyncio
import importlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks import frame
from benchmarks.circumstances import circumstances

CATALOG: Mapping[str, str] = {
    "overhead": "benchmarks.overhead.benchmark",
}
"""Benchmark → the module that holds it as `BENCHMARK`; imported only when it is asked for."""

app = typer.Typer(no_args_is_help=True)


@app.command()
def bench(
    name: Annotated[str, typer.Argument(help=f"One of: {', '.join(CATALOG)}.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    quick: Annotated[bool, typer.Option(help="Measure less: at most 60 s.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of everything drawn by chance.")] = 0,
) -> None:
    """Run a benchmark. Exit code 0: all goals are met; 1: one is not; 2: it could not be run."""
    if name not in CATALOG:
        raise typer.BadParameter(f"no benchmark {name!r}; there is {', '.join(CATALOG)}")
    benchmark: frame.Benchmark = importlib.import_module(CATALOG[name]).BENCHMARK
    around = circumstances()
    options = frame.Options(seed=seed, quick=quick)
    try:
        with _progress_bar() as report:
            result = asyncio.run(frame.run(benchmark, options, report=report))
    except frame.BenchmarkError as error:
        typer.echo(f"bench {name}: {error}", err=True)
        raise typer.Exit(2) from error
    if as_json:
        typer.echo(json.dumps(result.document(around), indent=2))
    else:
        Console().print(table(result))
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
