from collections.abc import Awaitable, Callable, Sequence

import pytest

from agents.skills import Context, Skill, Skills
from protocol.types import AttemptId, Json, RunId, TaskId

Call = Callable[..., Awaitable[Json]]


@pytest.fixture
def context() -> Context:
    return Context(attempt=AttemptId("a"), run=RunId("r"), task=TaskId("t"))


@pytest.fixture
def call(context: Context) -> Call:
    """Call a skill of some by its name, as the runtime does."""

    def call(skills: Sequence[Skill], name: str, /, **args: Json) -> Awaitable[Json]:
        return Skills(skills)[name].call(context, args)

    return call
