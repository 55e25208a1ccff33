"""The arm `model`: a model endpoint plans from the request alone, and its tokens are counted."""

import os
from pathlib import Path
from typing import Final

from benchmarks.crossdevice import notes
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
        file: of the notes.
    """

    def __init__(self, planner: LlmPlanner, file: Path) -> None:
        self._planner = planner
        self._file = file

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
        notes.add(self._file, run, self._planner.accounts.of(run).tokens)


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
    return max(notes.of(folder / TOKENS, run), default=0)
