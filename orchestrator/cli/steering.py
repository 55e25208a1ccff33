"""`muster cancel`, `pause`, `resume`, `answer`, `settle` and `edit`: changing a run."""

import getpass
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from orchestrator.cli.calling import (
    BrokerOption,
    ConfigOption,
    Exit,
    JsonOption,
    RunArgument,
    ask,
    fail,
    one_line_errors,
    print_json,
    read_json,
)
from orchestrator.planner.playbook import document
from orchestrator.service.arguments import BatchPart
from protocol.sentences import told
from protocol.types import Json

app = typer.Typer()

TaskArgument = Annotated[str, typer.Argument(metavar="TASK", help="The task's id.")]


class Settled(StrEnum):
    """What a lost outcome was."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"


@app.command()
def cancel(
    run: RunArgument,
    task: Annotated[
        str | None, typer.Argument(metavar="TASK", help="Only this one, and what needs it.")
    ] = None,
    *,
    why: Annotated[str, typer.Option(help="For the record.")] = "cancelled by its owner",
    as_json: JsonOption = False,
    config: ConfigOption = None,
    broker: BrokerOption = None,
) -> None:
    """Stop a run, or one of its tasks."""
    _do(
        "cancel",
        {"run": run, "task": task, "why": why, "by": _me()},
        config,
        broker,
        as_json=as_json,
    )


@app.command()
def pause(
    run: RunArgument,
    *,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    broker: BrokerOption = None,
) -> None:
    """Start no further task of a run; what runs goes on."""
    _do("pause", {"run": run}, config, broker, as_json=as_json)


@app.command()
def resume(
    run: RunArgument,
    *,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    broker: BrokerOption = None,
) -> None:
    """Go on with a paused run."""
    _do("resume", {"run": run}, config, broker, as_json=as_json)


@app.command()
def answer(
    run: RunArgument,
    task: TaskArgument,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="Text, or with --parse JSON.")],
    *,
    question: Annotated[
        str | None,
        typer.Option(
            help="The one that you read, as `muster show` names it: no other is answered.",
            metavar="NAME",
        ),
    ] = None,
    parse: Annotated[bool, typer.Option("--parse", help="VALUE is JSON.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    broker: BrokerOption = None,
) -> None:
    """Answer the question that a task asks."""
    said = read_json(value) if parse else value
    args = {"run": run, "task": task, "value": said, "question": question, "by": _me()}
    _do("answer", args, config, broker, as_json=as_json)


@app.command()
def settle(
    run: RunArgument,
    task: TaskArgument,
    outcome: Annotated[Settled, typer.Argument(help="What you found out.")],
    value: Annotated[
        str | None, typer.Argument(metavar="VALUE", help="Its output, or why it failed.")
    ] = None,
    *,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    broker: BrokerOption = None,
) -> None:
    """Say what came of a task whose outcome was lost."""
    args = {"run": run, "task": task, "outcome": outcome, "value": value, "by": _me()}
    _do("settle", args, config, broker, as_json=as_json)


@app.command()
def edit(
    run: RunArgument,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="YAML or JSON: `edits`, each one of add_task, …")
    ],
    *,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    broker: BrokerOption = None,
) -> None:
    """Change the task graph of a run: all of the edits in the file, or none.

    A file has a list under `edits`. Each of its items is one of:

    add_task: {id: b, skill: text.count, args: {text: {$from: a}, pattern: x}}

    replace_task: {id: b, skill: text.count, args: {text: none, pattern: x}}

    set_args: {task: b, args: {text: none, pattern: x}}

    add_dependency: {predecessor: a, successor: b}

    remove_dependency: {predecessor: a, successor: b}

    remove_task: b

    cancel: b
    """
    with one_line_errors():
        try:
            found = document.read(file.read_text(encoding="utf-8"), str(file))
        except (OSError, UnicodeError) as error:
            fail(f"{file}: {getattr(error, 'strerror', None) or error}", Exit.BAD_INPUT)
    batch = found.value
    if not isinstance(batch, dict) or not isinstance(batch.get("edits"), list):
        fail(f"{file}: write a list under 'edits'; see `muster edit --help`", Exit.BAD_INPUT)
    with one_line_errors():
        _check(found)
    _do("edit", {"run": run, "batch": batch, "by": _me()}, config, broker, as_json=as_json)


def _check(batch: document.Document) -> None:
    """Hold a file of edits to their form, as the coordinator will, and say where it is wrong."""
    try:
        BatchPart.model_validate(batch.value)
    except ValidationError as error:
        wrong = [(batch.place(where), detail) for where, detail in told(error.errors(), BatchPart)]
        raise document.PlaybookError(wrong) from error


def _do(
    skill: str,
    args: Mapping[str, Json],
    config: Path | None,
    broker: str | None,
    *,
    as_json: bool,
) -> None:
    """Have it done, and say where the run stands now."""
    done = ask(config, broker, lambda client: client.call(skill, args))
    if as_json:
        print_json(done)
        return
    status = "paused" if done["paused"] else done["status"]
    typer.echo(f"run {done['run']}: {status}, revision {done['revision']}")


def _me() -> str:
    """Return whom the record names as having done it."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
