"""The skills of the daemons: each works for a while, and says so in the file of effects.

One skill for each effect class, and two that are `once`: `pay` can find out afterwards what came
of it, because its effect is the line it writes as it starts; `print_once` cannot, as a printer
cannot. A `pay` that was cut off between the ledger and its line did not happen.
"""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from agents.skills import Context, Json, Skill, skill
from benchmarks.chaos.effects import Mark, append, parse
from protocol.types import Effect, Failed, FailureKind, Outcome, Succeeded

ESTIMATE_S: Final = 0.16  # the mean of what `workload` draws


@skill(effect=Effect.PURE, estimate_s=ESTIMATE_S)
async def compute(
    context: Context, log: str, work_s: float, items: int = 0, given: Json = None
) -> dict[str, Json]:
    """Work on what is given, and return so many items."""
    return await _work(context, log, work_s, items, given)


@skill(effect=Effect.IDEMPOTENT, estimate_s=ESTIMATE_S)
async def store(
    context: Context, log: str, work_s: float, items: int = 0, given: Json = None
) -> dict[str, Json]:
    """Do what may be done twice."""
    return await _work(context, log, work_s, items, given)


async def _look(context: Context, args: Mapping[str, Json]) -> Outcome:
    text = await asyncio.to_thread(Path(str(args["log"])).read_text)
    own = "\n".join(line for line in text.splitlines() if context.attempt in line)
    if any(line.mark is Mark.START for line in parse(own)):
        return Succeeded(_output(context, int(str(args.get("items", 0)))))
    return Failed(FailureKind.TRANSIENT, "it did not happen: its line is not there")


@skill(effect=Effect.ONCE, estimate_s=ESTIMATE_S, reconcile=_look)
async def pay(
    context: Context, log: str, work_s: float, items: int = 0, given: Json = None
) -> dict[str, Json]:
    """Do what must be done once, and can be looked up."""
    context.guard()
    return await _work(context, log, work_s, items, given)


@skill(effect=Effect.ONCE, estimate_s=ESTIMATE_S)
async def print_once(
    context: Context, log: str, work_s: float, items: int = 0, given: Json = None
) -> dict[str, Json]:
    """Do what must be done once, and leaves no trace that could be looked up."""
    context.guard()
    return await _work(context, log, work_s, items, given)


async def _work(
    context: Context, log: str, work_s: float, items: int, _given: Json
) -> dict[str, Json]:
    write = partial(
        append,
        log,
        run=context.run,
        task=context.task,
        attempt=context.attempt,
        token=context.token,
    )
    write(Mark.START)
    try:
        await asyncio.sleep(work_s)
    except asyncio.CancelledError:
        write(Mark.STOPPED)
        raise
    write(Mark.END)
    return _output(context, items)


def _output(context: Context, items: int) -> dict[str, Json]:
    return {"attempt": context.attempt, "items": list(range(items))}


SKILLS: Final[Sequence[Skill]] = (compute, store, pay, print_once)
