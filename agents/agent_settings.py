"""The table `[skills.agent]` of device.toml: a model that works with the skills of the device.

```toml
[skills.agent]
base_url = "http://127.0.0.1:8080/v1"    # anything with /chat/completions
model = "qwen3"
key_env = "OPENAI_API_KEY"               # or key_file; a local server may need none
allow = ["files.*", "shell.run"]         # the skills it may use
needs_approval = ["files.append", { skill = "shell.run", args = { command = "rm|mv" } }]
steps = 30                               # also: seconds, tokens, money
```
"""

import math
import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator, Field, NonNegativeFloat, PositiveFloat, PositiveInt

from protocol.chat import Budget
from protocol.chat.settings import EndpointSection
from protocol.settings import Section


class CallRule(Section):
    """Calls of skills: `skill` may have `*`; each pattern must be found in its argument.

    A pattern looks at a text as it is, and at anything else as JSON.
    """

    skill: str
    args: Mapping[str, re.Pattern[str]] = {}


def _rule(value: object) -> object:
    return {"skill": value} if isinstance(value, str) else value


class AgentSection(EndpointSection):
    """Which model, what it may use, and how much of everything one task may take."""

    allow: Annotated[tuple[str, ...], Field(min_length=1)]
    """Names of skills, which may have `*`. Every caller of `agent.do` must be allowed to use them
    by the same line of `[policy]`, else the model may not."""
    needs_approval: tuple[Annotated[CallRule, BeforeValidator(_rule)], ...] = ()
    """What a person is asked about, call by call."""

    steps: PositiveInt = 30
    """Answers of the model."""
    answer_tokens: PositiveInt = 4096
    """How long one answer may be."""
    result_characters: PositiveInt = 20_000
    """How much of what a skill came to the model is shown."""
    tries: PositiveInt = 4
    """Of the server, for one answer."""
    retry_after_s: NonNegativeFloat = 60.0
    """The longest pause that a server may ask for."""

    seconds: PositiveFloat = 900.0
    """Of model and skills; people may take their time."""
    tokens: PositiveInt = 500_000
    money: PositiveFloat = math.inf
    prompt_price: NonNegativeFloat = 0.0
    """For 1,000 tokens."""
    answer_price: NonNegativeFloat = 0.0
    """For 1,000 tokens."""

    @property
    def budget(self) -> Budget:
        """What one task may take."""
        return Budget(self.seconds, self.tokens, self.money, self.prompt_price, self.answer_price)
