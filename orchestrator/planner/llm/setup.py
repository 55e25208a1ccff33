"""A planner as the settings describe it."""

from collections.abc import Mapping
from functools import partial

from orchestrator.planner import Planner
from orchestrator.planner.choosing import ChoosingPlanner, Known, nothing_known
from orchestrator.planner.llm.asking import Rounds
from orchestrator.planner.llm.planner import LlmPlanner, Tips, no_tips
from orchestrator.planner.llm.prompts import Sizes
from orchestrator.planner.llm.records import FolderRecorder
from orchestrator.planner.llm.settings import LlmSection
from protocol.chat import Budget
from protocol.chat.client import HttpModel, described


def planner(
    section: LlmSection,
    *,
    environment: Mapping[str, str],
    tips: Tips = no_tips,
    known: Known = nothing_known,
) -> Planner:
    """Return the planner of a settings file.

    Args:
        section: the table `[planner.llm]`.
        environment: usually `os.environ`.
        tips: what experience says about a request.
        known: how often skills succeeded on devices; to choose between `candidates`.

    Raises:
        SettingsError: the key is not where it should be.
    """
    endpoint = described(section, "planner.llm", environment)
    model = HttpModel(endpoint, patience=section.patience, dialect=section.dialect)
    budget = Budget(
        section.run_s,
        section.run_tokens,
        section.run_money,
        section.prompt_price,
        section.answer_price,
    )
    recorder = partial(FolderRecorder, secrets=endpoint.secrets, size_bytes=section.record_bytes)
    model_planner = LlmPlanner(
        model,
        sizes=Sizes(section.prompt_tokens, section.answer_tokens, section.result_characters),
        rounds=Rounds(section.repairs, section.tries, section.retry_after_s),
        budget=budget,
        recorder=recorder(section.record) if section.record else None,
        tips=tips,
    )
    if section.candidates == 1:
        return model_planner
    return ChoosingPlanner(model_planner, section.candidates, limit_s=section.run_s, known=known)
