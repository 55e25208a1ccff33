"""`muster simulate`: replay one world, or show what many came to."""

from collections.abc import Iterable, Mapping
from typing import Any

import typer
from rich.table import Table

from benchmarks.simulation.benchmark import judge, prepare
from benchmarks.simulation.kinds import Kind
from benchmarks.simulation.trace import line

FEW = 8  # kinds that fit into a cell of the table


def replay(seed: int) -> int:
    """Print one world line by line; return 1 if something happened in it that must not."""
    prepare()
    (report,) = judge([seed], trace=lambda at, who, what: typer.echo(line(at, who, what)))
    fired = ", ".join(f"{kind} {count}" for kind, count in sorted(report.faults.items()))
    typer.echo(f"seed {seed}: {report.succeeded} of {report.runs} runs succeeded; fired: {fired}")
    if report.violation:
        typer.echo(f"seed {seed}: {report.violation}")
    return int(bool(report.violation))


def violations(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a line for each world that went wrong."""
    return [
        f"seed {row['seed']}: {row['violation']} (replay: {row['replay']})"
        for row in rows
        if "violation" in row
    ]


def coverage_table(rows: Iterable[Mapping[str, Any]]) -> Table:
    """Lay out how many kinds of faults each transition met, and which it never did."""
    shown = Table("transition", "times", "kinds", "never under", title="transition x fault")
    for row in rows:
        if "under" in row:
            under: Mapping[str, int] = row["under"]
            missing = [kind for kind in Kind if not under[kind]]
            shown.add_row(
                f"{row['table']} {row['state']}: {row['cause']}",
                f"{max(under.values()):,}",
                f"{len(Kind) - len(missing)}/{len(Kind)}",
                ", ".join(missing) if len(missing) < FEW else f"{len(missing)} kinds",
            )
    return shown
