"""A planner as the settings describe it."""

from collections.abc import Mapping
from functools import partial

from orchestrator.planner.llm.asking import Rounds
from orchestrator.planner.llm.budget import Budget
from orchestrator.planner.llm.client import Endpoint, HttpModel
from orchestrator.planner.llm.dialect import Dialect
from orchestrator.planner.llm.patience import Patience
from orchestrator.planner.llm.planner import LlmPlanner, Tips, no_tips
from orchestrator.planner.llm.prompts import Sizes
from orchestrator.planner.llm.records import FolderRecorder
from orchestrator.planner.llm.settings import LlmSection
from protocol.settings import SettingsError


def planner(
    section: LlmSection, *, environment: Mapping[str, str], tips: Tips = no_tips
) -> LlmPlanner:
    """Return the planner of a settings file; `environment` is usually `os.environ`.

    Raises:
        SettingsError: the key is not where it should be.
    """
    endpoint = Endpoint(
        section.base_url,
        section.model,
        key=_key(section, environment),
        key_header=section.key_header,
        headers=section.headers,
        extra=section.extra,
    )
    model = HttpModel(
        endpoint,
        patience=Patience(section.first_token_s, section.idle_s, section.total_s),
        dialect=Dialect(format=section.format, stream=section.stream),
    )
    budget = Budget(
        section.run_s,
        section.run_tokens,
        section.run_money,
        section.prompt_price,
        section.answer_price,
    )
    recorder = partial(FolderRecorder, secrets=endpoint.secrets, size_bytes=section.record_bytes)
    return LlmPlanner(
        model,
        sizes=Sizes(section.prompt_tokens, section.answer_tokens, section.result_characters),
        rounds=Rounds(section.repairs, section.tries, section.retry_after_s),
        budget=budget,
        recorder=recorder(section.record) if section.record else None,
        tips=tips,
    )


def _key(section: LlmSection, environment: Mapping[str, str]) -> str | None:
    if section.key_env is not None:
        if key := environment.get(section.key_env, "").strip():
            return key
        raise SettingsError(
            f"planner.llm.key_env: the environment variable {section.key_env} is not set: put the"
            " key there, or name another"
        )
    if section.key_file is None:
        return None
    try:
        if key := section.key_file.read_text(encoding="utf-8").strip():
            return key
    except (OSError, ValueError) as error:
        raise SettingsError(f"planner.llm.key_file: {error}: put the key there") from error
    raise SettingsError(f"planner.llm.key_file: {section.key_file} is empty: put the key there")
