"""Who searches for better plans: a process of its own, so that no decision waits for a search.

The process is started with the first problem, and not before: programs whose plans are short
never have one. It runs `main`, with problems on its standard input and answers on its
standard output; so it does not import the program that it works for. If it is lost, so are
improvements and nothing else: a line in the log says so. It has CP-SAT if that is installed
(`exact`), and who starts it never loads that.
"""

import asyncio
import json
import os
import pickle
import subprocess
import sys
from contextlib import suppress
from typing import IO, Final, Protocol

from orchestrator.core.scheduling.improvement import Answer, Problem, solve
from orchestrator.exact import search
from protocol.telemetry import Level, write

LIMIT_S: Final = 120.0  # for one search: of all of a core it has 1 s, CP-SAT up to 4 s
NICE: Final = 10  # it takes what others leave
PROGRAM: Final = f"from {__name__} import main; main()"
STOP_S: Final = 5.0  # for a process that was killed to be gone


class Improver(Protocol):
    """Searches."""

    async def improve(self, problem: Problem) -> Answer | None:
        """Return what a search found; None: there is no searching any more."""

    def close(self) -> None:
        """Stop searching, whatever is under way."""


class Here:
    """Searches in this process, while all else waits: for simulations, where time is virtual.

    Without CP-SAT: what they find is the same wherever they run.
    """

    async def improve(self, problem: Problem) -> Answer | None:
        """Search at once."""
        return solve(problem)

    def close(self) -> None:
        """Have nothing to stop."""


class Worker:
    """Searches in another process, one problem after the other."""

    def __init__(self, command: tuple[str, ...] = (sys.executable, "-c", PROGRAM)) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._over = False

    async def improve(self, problem: Problem) -> Answer | None:
        """Hand a problem to the process, which is started if there is none yet."""
        if self._over:
            return None
        try:
            async with asyncio.timeout(LIMIT_S):
                return await asyncio.to_thread(self._ask, problem)
        except (OSError, ValueError, TimeoutError) as error:
            if not self._over:
                write(Level.WARNING, "improver_lost", reason=str(error) or type(error).__name__)
                self.close()
            return None

    def close(self) -> None:
        """Kill the process."""
        self._over = True
        if self._process is not None:
            self._process.kill()
            for pipe in _pipes(self._process):
                with suppress(OSError):  # it is gone, and what it was to read with it
                    pipe.close()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_S)

    def _ask(self, problem: Problem) -> Answer:
        process = self._process
        if process is None:
            process = self._process = subprocess.Popen(  # noqa: S603 - this module, or a test's
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # what a terminal interrupts is not for it
            )
        if self._over:
            self.close()  # while it started
        stdin, stdout = _pipes(process)
        pickle.dump(problem, stdin)
        stdin.flush()
        order, device = json.loads(stdout.readline())
        return Answer(tuple(order), tuple(device))


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    assert process.stdin is not None  # noqa: S101 - as asked for
    assert process.stdout is not None  # noqa: S101
    return process.stdin, process.stdout


def main() -> None:
    """Solve what comes, until nothing does any more."""
    os.nice(NICE)
    with suppress(EOFError, BrokenPipeError):
        while True:
            problem = pickle.load(sys.stdin.buffer)  # noqa: S301 - from who started this process
            print(json.dumps(search(problem)), flush=True)  # noqa: T201 - the answer
