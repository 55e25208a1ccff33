"""The arm `model`: a model endpoint plans from the request alone, and its tokens are counted."""

import json
import os
from pathlib import Path
from typing import Final

from orchestrator.core.edits import EditBatch
from orchestrator.planner import Planner, PlanRequest, RevisionRequest
from orchestrator.planner.llm import setup
from orchestrator.planner.llm.planner import LlmPlanner
from orchestrator.planner.llm.settings import LlmSection
from protocol.types import RunId

TOKENS: Final = "tokens.jsonl"


class CountedModel:
    """A planner by model, which notes after each answer what the run has spent.

    Args:
        planner: the product's own.
        notes: the file of the notes, lines of `[run, tokens]`.
    """

    def __init__(self, planner: LlmPlanner, notes: Path) -> None:
        self._planner = planner
        self._notes = notes

    async def propose(self, request: PlanRequest) -> EditBatch:
        """See `Planner`."""
        try:
            return await self._planner.propose(request)
        finally:
            self._note(request.run)

    async def revise(self, request: RevisionRequest) -> EditBatch:
        """See `Planner`."""
        try:
            return await self._planner.revise(request)
        finally:
            self._note(request.snapshot.run)

    def _note(self, run: RunId) -> None:
        with self._notes.open("a", encoding="utf-8") as notes:
            notes.write(json.dumps([run, self._planner.accounts.of(run).tokens]) + "\n")


def model(section: LlmSection | None, folder: Path) -> Planner | None:
    """Return the planner of the settings, if they name a model; one candidate for each question.

    Raises:
        SettingsError: the key is not where it should be.
    """
    if section is None:
        return None
    one = section.model_copy(update={"candidates": 1})
    planner = setup.planner(one, environment=os.environ)
    assert isinstance(planner, LlmPlanner)
    return CountedModel(planner, folder / TOKENS)


def tokens(folder: Path, run: str) -> int:
    """Return what a run has spent: 0 where no model was asked."""
    notes = folder / TOKENS
    if not notes.is_file():
        return 0
    lines = map(json.loads, notes.read_text(encoding="utf-8").splitlines())
    return max((spent for name, spent in lines if name == run), default=0)
