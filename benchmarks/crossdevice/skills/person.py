"""What only a person can say; in the suite, `answers` of `task.yaml`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from agents.skills import Context, Skill, skill


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person said: `approved` if that begins with yes."""

    question: str
    answer: str
    approved: bool


@skill("person.ask")
async def ask(context: Context, question: str) -> Decision:
    """Ask the person at this device, and wait for the answer."""
    answer = str(await context.ask(question))
    return Decision(question, answer, approved=answer.lower().startswith("yes"))


SKILLS: Final[Sequence[Skill]] = (ask,)
