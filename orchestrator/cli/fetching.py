"""`muster fetch`: what a task made, from the device that keeps it."""

import asyncio
from pathlib import Path
from typing import Annotated, cast

import typer

from orchestrator.cli.calling import (
    BrokerOption,
    ConfigOption,
    Exit,
    RunArgument,
    ask,
    every,
    fail,
    one_line_errors,
)
from protocol.artifacts import Artifact
from protocol.artifacts.reference import references
from protocol.types import Json

app = typer.Typer()


@app.command()
def fetch(
    run: RunArgument,
    task: Annotated[str, typer.Argument(metavar="TASK", help="The task that made it.")],
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A file, or a folder.")] = Path(),
    *,
    config: ConfigOption = None,
    broker: BrokerOption = None,
) -> None:
    """Save the file or the big output that a task made; a fetch that was cut off goes on."""
    from protocol.artifacts import fetching  # noqa: PLC0415  no other command needs httpx

    shown = ask(config, broker, lambda client: every(client, "show", {"run": run, "task": task}))
    tasks = cast("list[dict[str, Json]]", shown["tasks"])
    with one_line_errors():
        artifact = _only(task, tasks[0].get("output"))
        if path.is_dir():
            path /= Path(artifact.content.name).name or artifact.content.sha256[:16]
        if not path.parent.is_dir():
            fail(f"{path.parent}: no such folder; make it, or name another", Exit.BAD_INPUT)
        asyncio.run(fetching.fetch(artifact, path))
    typer.echo(f"{path}: {artifact.content.size_bytes} bytes")


def _only(task: str, output: Json) -> Artifact:
    found = dict(references(output, "output"))
    if not found:
        fail(f"{task}: its output refers to no artifact; `muster show` has it", Exit.FAILED)
    if len(found) > 1:
        places = ", ".join(found)
        fail(f"{task}: its output refers to several artifacts ({places})", Exit.FAILED)
    return next(iter(found.values()))
