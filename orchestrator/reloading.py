"""Playbooks as they are now: what is adopted while a coordinator runs answers the next request."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from orchestrator.core.edits import EditBatch
from orchestrator.planner import PlanRequest, RevisionRequest
from orchestrator.planner.playbook import PlaybookError, PlaybookPlanner
from orchestrator.planner.playbook.plan import Playbook
from protocol.telemetry import Level, write

Stamp: TypeAlias = Sequence[tuple[Path, int, int, int]]


class ReloadingPlaybooks:
    """Plans from playbooks, and reads their folders again where a file changed; see `Planner`.

    What cannot be read is a line in the log, and what was read before goes on to answer.

    Args:
        folders: as `PlaybookPlanner` takes them.
        learned: one more, before the others, which may not be there yet.

    Raises:
        PlaybookError: a file is wrong, now.
    """

    def __init__(self, folders: Iterable[Path], learned: Path) -> None:
        self._others = tuple(folders)
        self._learned = learned
        self._seen = self._stamp()
        self._planner = PlaybookPlanner(self._folders())

    @property
    def playbooks(self) -> Mapping[str, Playbook]:
        """By name, as of the last request."""
        return self._planner.playbooks

    async def propose(self, request: PlanRequest) -> EditBatch:
        """Return the plan of the best match."""
        await asyncio.to_thread(self._reload)
        return await self._planner.propose(request)

    async def revise(self, request: RevisionRequest) -> EditBatch:
        """Refuse, as playbooks do."""
        return await self._planner.revise(request)

    def _reload(self) -> None:
        stamp = self._stamp()
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            self._planner = PlaybookPlanner(self._folders())
        except PlaybookError as error:
            write(Level.WARNING, "playbooks_not_read", reason=str(error))

    def _folders(self) -> Sequence[Path]:
        return [*([self._learned] if self._learned.is_dir() else []), *self._others]

    def _stamp(self) -> Stamp:
        """Return what changes with any playbook."""
        found: list[tuple[Path, int, int, int]] = []
        for path in sorted(path for folder in self._folders() for path in folder.glob("*.yaml")):
            try:
                seen = path.stat()
            except OSError:
                continue  # it went away just now
            found.append((path, seen.st_mtime_ns, seen.st_size, seen.st_ino))
        return found
