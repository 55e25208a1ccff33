"""The table `[planner.llm]` of muster.toml.

```toml
[planner]
choice = "llm"

[planner.llm]
base_url = "https://example.com/v1"   # anything with /chat/completions
model = "gpt-4.1-mini"
key_env = "OPENAI_API_KEY"               # or key_file; a local server may need none
run_tokens = 200_000                     # what one run may spend; also: run_s, run_money
candidates = 3                           # first plans made side by side; the best is taken
record = "state/planner"                 # keep every exchange for replay
```
"""

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from orchestrator.planner.llm.asking import Rounds
from orchestrator.planner.llm.prompts import Sizes
from orchestrator.planner.llm.records import SIZE_BYTES
from protocol.chat import Budget
from protocol.chat.settings import EndpointSection
from protocol.settings import LocalPath

_SIZES, _ROUNDS, _BUDGET = Sizes(), Rounds(), Budget()


class LlmSection(EndpointSection):
    """Which model plans, and within which bounds; see the classes that the defaults are from."""

    prompt_tokens: PositiveInt = _SIZES.prompt_tokens
    answer_tokens: PositiveInt = _SIZES.answer_tokens
    result_characters: PositiveInt = _SIZES.result_characters
    repairs: NonNegativeInt = _ROUNDS.repairs
    tries: PositiveInt = _ROUNDS.tries
    retry_after_s: NonNegativeFloat = _ROUNDS.retry_after_s

    candidates: PositiveInt = 1
    """First plans that are asked for side by side; the best is taken (`planner.choosing`)."""

    run_s: PositiveFloat = _BUDGET.seconds
    run_tokens: PositiveInt = _BUDGET.tokens
    run_money: PositiveFloat = _BUDGET.money
    prompt_price: NonNegativeFloat = _BUDGET.prompt_price
    answer_price: NonNegativeFloat = _BUDGET.answer_price

    record: LocalPath | None = None
    """The folder of the records; None keeps none."""
    record_bytes: PositiveInt = SIZE_BYTES
