"""The table `[planner.llm]` of muster.toml.

```toml
[planner]
choice = "llm"

[planner.llm]
base_url = "https://example.com/v1"   # anything with /chat/completions
model = "gpt-4.1-mini"
key_env = "OPENAI_API_KEY"               # or key_file; a local server may need none
run_tokens = 200_000                     # what one run may spend; also: run_s, run_money
record = "state/planner"                 # keep every exchange for replay
```
"""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, JsonValue, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from orchestrator.planner.llm.asking import Rounds
from orchestrator.planner.llm.budget import Budget
from orchestrator.planner.llm.dialect import Format
from orchestrator.planner.llm.patience import Patience
from orchestrator.planner.llm.prompts import Sizes
from orchestrator.planner.llm.records import SIZE_BYTES
from protocol.settings import LocalPath, Section

_SIZES, _ROUNDS, _BUDGET, _PATIENCE = Sizes(), Rounds(), Budget(), Patience()


class LlmSection(Section):
    """Which model plans, and within which bounds; see the classes that the defaults are from."""

    base_url: Annotated[str, Field(pattern=r"^https?://")]
    model: str
    key_env: str | None = None
    """The environment variable with the key, so that it is in no configuration or command line."""
    key_file: LocalPath | None = None
    """A file with the key."""
    key_header: str = "authorization"
    headers: Mapping[str, str] = {}
    extra: Mapping[str, JsonValue] = {}

    format: Format = Format.SCHEMA
    """The strongest way to ask for JSON that is tried."""
    stream: bool = True
    first_token_s: PositiveFloat = _PATIENCE.first_token_s
    idle_s: PositiveFloat = _PATIENCE.idle_s
    total_s: PositiveFloat = _PATIENCE.total_s

    prompt_tokens: PositiveInt = _SIZES.prompt_tokens
    answer_tokens: PositiveInt = _SIZES.answer_tokens
    result_characters: PositiveInt = _SIZES.result_characters
    repairs: NonNegativeInt = _ROUNDS.repairs
    tries: PositiveInt = _ROUNDS.tries
    retry_after_s: NonNegativeFloat = _ROUNDS.retry_after_s

    run_s: PositiveFloat = _BUDGET.seconds
    run_tokens: PositiveInt = _BUDGET.tokens
    run_money: PositiveFloat = _BUDGET.money
    prompt_price: NonNegativeFloat = _BUDGET.prompt_price
    answer_price: NonNegativeFloat = _BUDGET.answer_price

    record: LocalPath | None = None
    """The folder of the records; None keeps none."""
    record_bytes: PositiveInt = SIZE_BYTES
