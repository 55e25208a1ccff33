"""Does what a session orders, in order: nothing before the ledger rows that precede it.

All rows of one turn of the loop share one commit, one commit is under way at a time, and what
comes up meanwhile is the next; `hurry` ends the turn for those so far. What waited for a commit is
done together. Without rows in the way an action is done at once. What is only forgotten gathers
until the next heartbeat, or until it is much: nobody waits for it.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final

from agents.actions import (
    Action,
    AttemptRow,
    Beat,
    Change,
    Deed,
    EvictResource,
    Forget,
    ForgetRun,
    LoadResource,
    RunRow,
)
from agents.ledger import Ledger, LedgerError
from protocol.types import RunId

RETRY_S: Final = 1.0  # a full disk is freed by a person
FORGET_AT_ONCE: Final = 64  # as many as one message acknowledges: about 0.5 ms
_AT_ONCE: Final = (Beat, LoadResource, EvictResource)  # nothing of it is in the ledger


class Outbox:
    """The order of commits and actions.

    While the ledger cannot be written nothing leaves but heartbeats, and what is kept warm goes on
    being loaded and let go; the group is tried again
    every `RETRY_S`, and `told` hears of the first failure (with the error) and of its end (None).
    """

    def __init__(
        self,
        ledger: Ledger,
        perform: Callable[[Sequence[Deed]], None],
        told: Callable[[LedgerError | None], None],
    ) -> None:
        self._ledger = ledger
        self._perform = perform
        self._told = told
        self._changes: list[Change] = []
        """For the next commit."""
        self._forgotten: list[Forget] = []
        """For a commit some time."""
        self._waiting: list[Deed] = []
        """For after the next commit."""
        self._due = False
        """Something waits for the next commit, or may come to."""
        self._writing = False
        self.failing = False
        self._retry: asyncio.TimerHandle | None = None
        self._settled = asyncio.Event()

    def put(self, actions: Iterable[Action]) -> None:
        """Do these after all that was put before."""
        now: list[Deed] = []
        for action in actions:
            if isinstance(action, AttemptRow):
                self._changes.append(action)
                self._schedule()
            elif isinstance(action, Forget):
                self._forgotten.append(action)
                if len(self._forgotten) >= FORGET_AT_ONCE:
                    self._sweep()
            elif isinstance(action, RunRow | ForgetRun):
                self._gather()  # these name the same runs: their order counts
                self._changes.append(action)
                self._schedule()
            elif isinstance(action, _AT_ONCE):
                now.append(action)
                if isinstance(action, Beat):
                    self._sweep()
            elif self._due or self._writing:
                self._waiting.append(action)
            else:
                now.append(action)
        if now:
            self._perform(now)

    def hurry(self) -> None:
        """Commit now what would wait for the end of the turn: nothing more comes in this one."""
        if self._due and not self._writing:
            self._commit()

    async def settle(self) -> None:
        """Wait until everything is written and done."""
        self._sweep()
        while self._due or self._writing:
            self._settled.clear()
            await self._settled.wait()

    def close(self) -> None:
        """Give up what could not be written."""
        if self._retry:
            self._retry.cancel()

    def _sweep(self) -> None:
        self._gather()
        if self._changes:
            self._schedule()

    def _gather(self) -> None:
        """Have the next commit forget what gathered: one row for each run."""
        by_run: dict[RunId | None, list[Forget]] = {}
        for forget in self._forgotten:
            run = forget.run.run if forget.run else None
            by_run.setdefault(run, []).append(forget)
        self._forgotten.clear()
        for forgets in by_run.values():
            attempts = tuple(name for forget in forgets for name in forget.attempts)
            self._changes.append(Forget(attempts, forgets[-1].run))

    def _schedule(self) -> None:
        if not self._due:
            self._due = True
            if not self._writing:
                asyncio.get_running_loop().call_soon(self.hurry)

    def _commit(self) -> None:
        changes, self._changes = self._changes, []
        released, self._waiting = self._waiting, []
        self._due, self._writing = False, True
        self._write(changes, released)

    def _write(self, changes: list[Change], released: list[Deed]) -> None:
        self._ledger.write(changes, partial(self._written, changes, released))

    def _written(
        self, changes: list[Change], released: list[Deed], error: LedgerError | None
    ) -> None:
        if error:
            loop = asyncio.get_running_loop()
            self._retry = loop.call_later(RETRY_S, self._write, changes, released)
        if self.failing != bool(error):
            self.failing = bool(error)
            self._told(error)
        if error:
            return
        self._writing = False
        if self._due:
            asyncio.get_running_loop().call_soon(self.hurry)
        else:
            released, self._waiting = released + self._waiting, []
            self._settled.set()
        self._perform(released)
