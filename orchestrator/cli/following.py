"""Following a run's events: as lines, as a table that changes in place, or as JSON lines."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final, TypeAlias, cast

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from orchestrator.cli.calling import console
from orchestrator.client import CallForgottenError, Client, CoordinatorSilentError
from orchestrator.render import story
from orchestrator.render.progress import Progress
from orchestrator.service.documents import Event
from protocol.types import Json

WAIT_S: Final = 20.0  # the longest that the coordinator lets a call wait
PATIENCE_S: Final = 120.0  # for a coordinator that is being started again
PAUSE_S: Final = 1.0
REFRESH_PER_S: Final = 4
MARGIN: Final = 4  # lines of the terminal that the table leaves free

Batch: TypeAlias = tuple[list[Event], float]
"""Events, and the coordinator's time when it told them."""


async def batches(client: Client, run: str, after: int) -> AsyncIterator[Batch]:
    """Yield a run's events after an offset until it has ended, over restarts of its coordinator.

    Raises:
        CoordinatorSilentError: it has been gone for `PATIENCE_S`.
    """
    loop = asyncio.get_running_loop()
    heard = loop.time()
    args: Mapping[str, Json] = {"run": run, "wait_s": WAIT_S}
    while True:
        try:
            answer = await client.call("events", {**args, "after": after})
        except (CoordinatorSilentError, CallForgottenError):
            if loop.time() - heard > PATIENCE_S:
                raise
            await asyncio.sleep(PAUSE_S)
            continue
        heard = loop.time()
        after = cast("int", answer["next"])
        yield cast("list[Event]", answer["events"]), cast("float", answer["wall"])
        if answer["ended"]:
            return


async def follow(
    client: Client, run: str, *, after: int = 0, show: Callable[[Event], None] | None = None
) -> None:
    """Tell `show` what happens in a run until it ends; left out, people see it."""
    out = console()
    if show is None and out.is_terminal:
        await _live(client, run, after, out)
        return
    async for events, _ in batches(client, run, after):
        for event in events:
            (show or _line)(event)


def _line(event: Event) -> None:
    typer.echo(story.line(event))


async def _live(client: Client, run: str, after: int, out: Console) -> None:
    progress = Progress()
    now = asyncio.get_running_loop().time
    ahead_s = 0.0  # the coordinator's wall clock against our elapsed one

    def table() -> Table:
        return progress.table(now() + ahead_s, rows=out.height - MARGIN)

    with Live(console=out, get_renderable=table, auto_refresh=False) as live:
        async with asyncio.TaskGroup() as group:
            ticking = group.create_task(_tick(live), name="progress")
            async for events, wall in batches(client, run, after):
                ahead_s = wall - now()
                for event in events:
                    progress.take(event)
                live.refresh()
            ticking.cancel()


async def _tick(live: Live) -> None:
    """Let the seconds of running tasks pass on the screen."""
    while True:
        await asyncio.sleep(1 / REFRESH_PER_S)
        live.refresh()
