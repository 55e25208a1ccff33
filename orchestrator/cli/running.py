"""`muster run` and `muster watch`."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, NoReturn, cast
from uuid import uuid4

import typer

from orchestrator.cli.calling import (
    BrokerOption,
    ConfigOption,
    Exit,
    JsonOption,
    RunArgument,
    ask,
    console,
    every,
    fail,
    print_json,
    read_json,
)
from orchestrator.cli.following import follow
from orchestrator.client import Client
from orchestrator.core.facts import RunStatus
from orchestrator.core.snapshot import RunSnapshot
from orchestrator.render import graph
from orchestrator.service.arguments import MOST_PRIORITY
from orchestrator.service.documents import Event, run_from
from protocol.types import Json

app = typer.Typer()

LONGEST_S: Final = 1e9  # 30 years: more is a slip of the pen


@app.command()
def run(
    request: Annotated[str, typer.Argument(help="What is to be done, in words.")],
    *,
    param: Annotated[
        list[str] | None,
        typer.Option(help="A parameter: name=text, or name:=json.", metavar="NAME=VALUE"),
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="Yours: the same key again makes no second run.")
    ] = None,
    owner: Annotated[str, typer.Option(help="Whose run this is.")] = "",
    priority: Annotated[
        int, typer.Option(help="Higher goes first.", min=-MOST_PRIORITY, max=MOST_PRIORITY)
    ] = 0,
    deadline: Annotated[
        float | None,
        typer.Option(help="Seconds after which the run is stopped.", min=0.001, max=LONGEST_S),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(help="Seconds to wait; the run goes on.", min=0.001, max=LONGEST_S),
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Print the run and leave.")] = False,
    cancel_on_interrupt: Annotated[
        bool, typer.Option("--cancel-on-interrupt", help="Ctrl-C stops the run too.")
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    broker: BrokerOption = None,
) -> None:
    """Run a request and follow it.

    Exit code 0: it succeeded; 1: it failed, or nobody has a plan for it; 2: the command line makes
    no sense; 3: no broker or coordinator answers; 124: --timeout has passed; 130: interrupted.
    """
    if key == "":
        raise typer.BadParameter("it is empty: write one, or leave it out", param_hint="'--key'")
    submission: Mapping[str, Json] = {
        "request": request,
        "parameters": parameters(param or ()),
        "key": key or str(uuid4()),
        "owner": owner,
        "priority": priority,
        "deadline_s": deadline,
    }
    known: list[str] = []

    async def submit(client: Client) -> RunSnapshot | None:
        async with asyncio.timeout(timeout):
            run_id = str((await client.call("submit", submission))["run"])
            known.append(run_id)
            if detach:
                return None
            if not as_json:
                typer.echo(f"run {run_id}")
            await follow(client, run_id, show=_silently if as_json else None)
            return await _fetch(client, run_id)

    try:
        ended = ask(config, broker, submit)
    except TimeoutError:
        _goes_on(known, f"not finished after {timeout:g} s", Exit.TIMED_OUT)
    except KeyboardInterrupt:
        if cancel_on_interrupt and known:
            why: Mapping[str, Json] = {"run": known[0], "why": "interrupted by its owner"}
            ask(config, broker, lambda client: client.call("cancel", why))
            fail(f"interrupted; run {known[0]} is being stopped", Exit.INTERRUPTED)
        _goes_on(known, "interrupted", Exit.INTERRUPTED)
    if ended is not None:
        _conclude(ended, as_json=as_json)
    if as_json:
        print_json({"run": known[0]})
    else:
        typer.echo(known[0])


@app.command()
def watch(
    run: RunArgument,
    *,
    after: Annotated[
        int, typer.Option(help="Only what came after this offset, an event's seq.", min=0)
    ] = 0,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    broker: BrokerOption = None,
) -> None:
    """Follow a run until it ends: what happened so far, then what happens. Ctrl-C only leaves."""

    async def watching(client: Client) -> RunSnapshot:
        await follow(client, run, after=after, show=print_json if as_json else None)
        return await _fetch(client, run)

    try:
        ended = ask(config, broker, watching)
    except KeyboardInterrupt:
        _goes_on([run], "interrupted", Exit.INTERRUPTED)
    _conclude(ended, as_json=as_json)


def parameters(given: Sequence[str]) -> dict[str, Json]:
    """Read `name=text` and `name:=json`.

    Raises:
        typer.BadParameter: one of them is neither, or is there twice.
    """
    found: dict[str, Json] = {}
    for each in given:
        said, equals, value = each.partition("=")
        name = said.removesuffix(":")
        if not (name and equals):
            raise typer.BadParameter(f"{each!r}: write name=text or name:=json")
        if name in found:
            raise typer.BadParameter(f"parameter {name!r} is there twice: write it once")
        found[name] = value if said == name else read_json(value)
    return found


def _silently(event: Event) -> None:
    """Show nothing of an event: the result says it all."""


async def _fetch(client: Client, run: str) -> RunSnapshot:
    shown = await every(client, "show", {"run": run})
    return run_from(
        cast("Mapping[str, Json]", shown["run"]), cast("Sequence[Json]", shown["tasks"])
    )


def _goes_on(known: Sequence[str], why: str, code: Exit) -> NoReturn:
    if not known:
        fail(f"{why} before the coordinator took the request; see `muster runs`", code)
    fail(f"{why}; the run goes on: `muster watch {known[0]}`", code)


def _conclude(run: RunSnapshot, *, as_json: bool) -> NoReturn:
    """Print what a run came to, and end with its exit code."""
    succeeded = run.status is RunStatus.SUCCEEDED
    if as_json:
        print_json(
            {
                "run": run.run,
                "status": run.status,
                "reason": run.reason,
                "outputs": run.outputs,
                "missing": run.missing,
            }
        )
    else:
        console().print(graph.result(run))
    raise typer.Exit(Exit.SUCCEEDED if succeeded else Exit.FAILED)
