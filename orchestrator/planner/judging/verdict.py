"""What a judge says, read from its words: pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from orchestrator.planner.llm.parse import parse
from orchestrator.planner.llm.schema import Part
from orchestrator.planner.memory.secrets import redacted
from protocol.chat.exchange import Finish, Reply
from protocol.chat.tokens import clip
from protocol.types import Json

REASONS: Final = 3
REASON_CHARACTERS: Final = 300
SCHEMA: Final[Mapping[str, Json]] = {
    "type": "object",
    "properties": {
        "score": {"type": "number"},
        "reasons": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["score", "reasons"],
    "additionalProperties": False,
}
"""In the form that every server can enforce; the bounds are held here."""


class VerdictPart(Part):
    """The answer."""

    score: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
    reasons: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """How well a run did, from 0 to 1, and why; the most important reason first."""

    score: float
    reasons: tuple[str, ...] = ()


class UnfitError(Exception):
    """The answer is no verdict; `str()` says why."""


def verdict(reply: Reply) -> Verdict:
    """Read an answer; reasons are cut short, and without what looks like a secret.

    Raises:
        UnfitError: it is none.
    """
    if reply.finish is Finish.REFUSED:
        raise UnfitError("the model refuses")
    found = parse(reply.text, VerdictPart)
    if isinstance(found, tuple):
        raise UnfitError(clip(found[0].detail, REASON_CHARACTERS))
    said = (redacted(" ".join(each[: 2 * REASON_CHARACTERS].split())) for each in found.reasons)
    reasons = [clip(each, REASON_CHARACTERS) for each in said if each]
    return Verdict(found.score, tuple(reasons[:REASONS]))
