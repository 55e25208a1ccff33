"""The table `[planner.judge]` of muster.toml.

```toml
[planner.judge]                       # a model that says how well ended runs did
base_url = "http://127.0.0.1:8080/v1"   # anything with /chat/completions
model = "qwen3-32b"                    # key_env, key_file and more: as in [planner.llm]
```
"""

from pydantic import PositiveFloat, PositiveInt

from orchestrator.planner.judging.bounds import DEFAULT_BOUNDS
from protocol.chat.settings import EndpointSection


class JudgeSection(EndpointSection):
    """Which model judges, and how much it is asked; see `Bounds`."""

    prompt_tokens: PositiveInt = DEFAULT_BOUNDS.prompt_tokens
    answer_tokens: PositiveInt = DEFAULT_BOUNDS.answer_tokens
    tries: PositiveInt = DEFAULT_BOUNDS.tries
    verdict_s: PositiveFloat = DEFAULT_BOUNDS.verdict_s
    waiting: PositiveInt = DEFAULT_BOUNDS.waiting
