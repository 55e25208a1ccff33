"""Plans by a model behind any OpenAI-compatible endpoint.

Pure: `schema` (the form of an answer) · `edits` (an answer as edits) · `parse` · `verdict` ·
`texts`, `prompts`, `footprint`, `catalogue`, `outline`, `room` (questions under a bound of
tokens) · `budget` · `dialect`, `stream`, `retrying` (what servers understand and say). I/O:
`client`, which alone loads httpx, and is not loaded from here; `records`, which keeps every
exchange for replay. `asking` gets one answer, `planner` a plan, `setup` the planner that
`settings` describe.
"""

from orchestrator.planner.llm.asking import Rounds
from orchestrator.planner.llm.budget import Budget
from orchestrator.planner.llm.dialect import Dialect, Format, Limit
from orchestrator.planner.llm.exchange import Model, ModelError, TryAgainError
from orchestrator.planner.llm.patience import Patience
from orchestrator.planner.llm.planner import LlmPlanner
from orchestrator.planner.llm.prompts import Sizes
from orchestrator.planner.llm.records import Exchange, FolderRecorder, Recorder, Replayed

__all__ = [
    "Budget",
    "Dialect",
    "Exchange",
    "FolderRecorder",
    "Format",
    "Limit",
    "LlmPlanner",
    "Model",
    "ModelError",
    "Patience",
    "Recorder",
    "Replayed",
    "Rounds",
    "Sizes",
    "TryAgainError",
]
