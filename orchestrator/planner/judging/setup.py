"""A judge as the settings describe it."""

from collections.abc import Mapping

from orchestrator.planner.judging.bounds import Bounds
from orchestrator.planner.judging.judge import Judge
from orchestrator.planner.judging.settings import JudgeSection
from protocol.chat.client import HttpModel, described


def judge(section: JudgeSection, *, environment: Mapping[str, str]) -> Judge:
    """Return the judge of a settings file; `environment` is usually `os.environ`.

    Raises:
        SettingsError: the key is not where it should be.
    """
    endpoint = described(section, "planner.judge", environment)
    model = HttpModel(endpoint, patience=section.patience, dialect=section.dialect)
    bounds = Bounds(
        section.prompt_tokens,
        section.answer_tokens,
        section.tries,
        section.verdict_s,
        section.waiting,
    )
    return Judge(model, name=section.model, bounds=bounds, secrets=endpoint.secrets)
