"""What `muster demo` prints, and what it leaves behind."""

import asyncio
import json
import shutil
import tempfile
from pathlib import Path
from typing import Final

import typer
from rich.console import Console
from rich.text import Text

from benchmarks.demo import timeline
from benchmarks.demo.fleet import SERVERS
from benchmarks.demo.performance import LIMIT_S, Performance, perform
from benchmarks.roll_call import MissingError
from benchmarks.supervisor import EndedError
from orchestrator.client import ClientError
from orchestrator.clock import loop_clock
from protocol.errors import TransportError

EXPECTED: Final = (ClientError, EndedError, MissingError, OSError, TimeoutError, TransportError)
INTERRUPTED: Final = 130


def main(*, seed: int, keep: Path | None, as_json: bool) -> int:
    """Play the demo and return the exit code: 0 if all went as it should.

    Args:
        seed: of the files.
        keep: an empty or new folder for everything; None takes a temporary one, of which the
            laptop's folder with the report is left if all is well, and everything if not.
        as_json: print one JSON object; what happens meanwhile goes to the standard error.
    """
    console, errors = Console(stderr=as_json, highlight=False), Console(stderr=True)
    try:
        root = _root(keep)
        seen = asyncio.run(_perform(root, seed, console))
    except asyncio.CancelledError:
        if keep is None:
            shutil.rmtree(root)
        console.print("demo: stopped")
        return INTERRUPTED
    except (*EXPECTED, ExceptionGroup) as error:
        errors.print(f"demo: {_cause(error)}", style="red", markup=False, soft_wrap=True)
        return 1
    if as_json:
        typer.echo(json.dumps(seen.document(), indent=2))
    _conclude(seen, console)
    if keep is None and not seen.problems:
        for path in root.iterdir():
            if path not in seen.report.parents:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    return 1 if seen.problems else 0


def _root(keep: Path | None) -> Path:
    if keep is None:
        return Path(tempfile.mkdtemp(prefix="muster-demo-"))
    keep.mkdir(parents=True, exist_ok=True)
    if any(keep.iterdir()):
        raise FileExistsError(f"{keep} is not empty; name another folder")
    return keep.absolute()


async def _perform(root: Path, seed: int, console: Console) -> Performance:
    began = loop_clock().elapsed

    def tell(who: str, what: str) -> None:
        style = "bold red" if what.startswith("killed") else ""
        seconds = loop_clock().elapsed - began
        console.print(Text(f"{seconds:5.1f} s  {who:<14} {what}", style), soft_wrap=True)

    return await perform(root, seed=seed, tell=tell)


def _cause(error: BaseException) -> str:
    """Say why in one line; what is no expected error is a bug, and raised again."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    if not isinstance(error, EXPECTED):
        raise error
    return str(error) or f"not done after {LIMIT_S:g} s"


def _conclude(seen: Performance, console: Console) -> None:
    verdict = seen.verdict
    console.print("", timeline.table(seen.timeline), "")
    for problem in seen.problems:
        console.print(f"wrong: {problem}", style="red", markup=False)
    for server, reason in verdict.missing.items():
        console.print(f"{server} could not be asked: {reason}", markup=False, soft_wrap=True)
    asked = len(SERVERS) - len(verdict.missing)
    if not seen.problems:
        console.print(
            f"The report is right: {verdict.errors} errors of {verdict.causes} causes on {asked}"
            f" of {len(SERVERS)} servers, recomputed from their files. No task was done twice.",
            style="green",
            soft_wrap=True,
        )
    console.print(Text(f"The report: {seen.report}"), soft_wrap=True)
