"""`muster devices`, `runs`, `show` and `playbooks`: what there is, and what happened."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, cast

import typer

from orchestrator.cli.calling import (
    BrokerOption,
    ConfigOption,
    JsonOption,
    RunArgument,
    ask,
    console,
    every,
    one_line_errors,
    print_json,
    read_settings,
)
from orchestrator.client import Client
from orchestrator.planner.playbook import PlaybookPlanner
from orchestrator.render import graph, story, tables, warm
from orchestrator.service.documents import Document, Event, devices_from, run_from
from protocol.types import Json

app = typer.Typer()

READABLE: Final = 120  # columns of a table whose cells have several lines


@app.command()
def devices(
    *, as_json: JsonOption = False, config: ConfigOption = None, broker: BrokerOption = None
) -> None:
    """List the devices that the coordinator knows, what they work on and what is warm there."""
    listed = ask(config, broker, lambda client: every(client, "devices", {}))["devices"]
    if as_json:
        print_json(listed)
    else:
        fleet = devices_from(listed)
        console().print(tables.devices(fleet))
        for seen, told in zip(fleet, cast("Sequence[Document]", listed), strict=True):
            _omitted(seen.card.device, told)
        for line in warm.utility(fleet):
            typer.echo(line)


@app.command()
def runs(
    *, as_json: JsonOption = False, config: ConfigOption = None, broker: BrokerOption = None
) -> None:
    """List the runs, newest first."""
    listed = ask(config, broker, lambda client: every(client, "runs", {}))["runs"]
    if as_json:
        print_json(listed)
    else:
        console().print(tables.runs(cast("Sequence[Mapping[str, Json]]", listed)))


@app.command()
def show(
    run: RunArgument,
    task: Annotated[
        str | None, typer.Argument(metavar="TASK", help="Its arguments, output and story.")
    ] = None,
    *,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    broker: BrokerOption = None,
) -> None:
    """Show the task graph of a run, or one task with the story of its tries."""

    async def look(client: Client) -> Mapping[str, Json]:
        shown = await every(client, "show", {"run": run, "task": task})
        if task is None:
            return shown
        return {**shown, **await every(client, "story", {"run": run, "task": task}), **shown}

    shown = ask(config, broker, look)
    if as_json:
        print_json(shown)
        return
    seen = run_from(
        cast("Mapping[str, Json]", shown["run"]), cast("Sequence[Json]", shown["tasks"])
    )
    told = cast("Document", shown["run"])
    if task is None:
        console().print(graph.graph(seen))
        _omitted(f"run {seen.run}", told)
        _asked(seen.run, told)
        return
    console().print(graph.task(seen.tasks[0]))
    _asked(seen.run, told, task)
    for event in cast("Sequence[Event]", shown["events"]):
        typer.echo(story.line(event))


@app.command()
def playbooks(*, as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """List the playbooks of this machine's settings, and what to say to have each one run."""
    with one_line_errors():
        known = PlaybookPlanner(read_settings(config, None).playbook_folders).playbooks.values()
    if as_json:
        print_json([playbook.part.model_dump(mode="json") for playbook in known])
    else:
        out = console()
        out.print(tables.playbooks(known), width=min(out.width, READABLE))


def _asked(run: str, told: Mapping[str, Json], task: str | None = None) -> None:
    """Say what a run asks, or one task of it, and how to answer just that."""
    questions = cast("Sequence[Mapping[str, str]]", told.get("questions", ()))
    for each in questions:
        if task in (None, each["task"]):
            command = shlex.join(["muster", "answer", run, each["task"]])
            typer.echo(f"{each['task']} asks: {' '.join(each['text'].split())}")
            typer.echo(f"  {command} --question {each['question']} VALUE")
    if task is None and (more := told.get("questions_omitted")):
        typer.echo(f"run {run}: {more} more tasks ask")


def _omitted(name: str, told: Mapping[str, Json]) -> None:
    """Say how much more is warm on a device, or for a run, than a message holds."""
    if more := told.get("warm_omitted"):
        typer.echo(f"{name}: {more} more are warm")
