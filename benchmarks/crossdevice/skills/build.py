"""A step of a build or a test: a Python program in a process of its own."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from agents.builtin.bounds import Roots, os_errors
from agents.skills import Context, PermanentError, Skill, skill
from protocol.types import Effect

LIMIT_S: Final = 30.0
SHOWN: Final = 4_000  # characters of the output
BARE: Final = ("-I", "-S", "-B")  # no site, no user's packages, no .pyc: half as long to start


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended, and what it said."""

    args: Sequence[str]
    exit_code: int
    output: str


@dataclass(frozen=True, slots=True)
class Builds:
    """The skill over one set of roots."""

    roots: Roots

    async def run(
        self,
        context: Context,
        script: str,
        args: Sequence[str] = (),
        *,
        cwd: str = ".",
        check: bool = True,
        work_s: float | None = None,
    ) -> Ended:
        """Run a script; an exit code is an error unless it is 0 or `check` is false."""
        del work_s  # see `hardware`
        program, folder = self.roots.resolve(script), self.roots.resolve(cwd)
        context.guard()
        with os_errors():
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *BARE,
                str(program),
                *args,
                cwd=folder,
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
        try:
            async with asyncio.timeout(LIMIT_S):
                said, _ = await process.communicate()
        except TimeoutError as error:
            raise PermanentError(f"{script}: not done after {LIMIT_S:g} s") from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        output = said.decode(errors="replace")[-SHOWN:]
        if check and process.returncode:
            last = output.strip()[-300:]
            raise PermanentError(f"{script}: exit code {process.returncode}: {last}")
        return Ended(args, process.returncode or 0, output)


def skills(roots: Roots) -> Sequence[Skill]:
    """Make the skill; running a step again does the same again."""
    return (skill("build.run", effect=Effect.IDEMPOTENT)(Builds(roots).run),)
