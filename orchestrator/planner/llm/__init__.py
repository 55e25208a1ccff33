"""Plans by a model behind any OpenAI-compatible endpoint.

How to talk to it is in `protocol.chat`. Pure: `schema` (the form of an answer) · `edits` (an
answer as edits) · `parse` · `verdict` · `texts`, `prompts`, `footprint`, `catalogue`, `outline`,
`room` (questions under a bound of tokens) · `budget`. I/O: `records`, which keeps every exchange
for replay. `asking` gets one answer, `planner` a plan, `setup` the planner that `settings`
describe.
"""

from orchestrator.planner.llm.asking import Rounds
from orchestrator.planner.llm.planner import LlmPlanner
from orchestrator.planner.llm.prompts import Sizes
from orchestrator.planner.llm.records import Exchange, FolderRecorder, Recorder, Replayed

__all__ = [
    "Exchange",
    "FolderRecorder",
    "LlmPlanner",
    "Recorder",
    "Replayed",
    "Rounds",
    "Sizes",
]
