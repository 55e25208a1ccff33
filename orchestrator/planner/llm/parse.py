"""From a model's text to a checked form, or to what is wrong with it: pure.

The answer should be one JSON object. Of what else there may be in the text, the first object that
has the form is taken.
"""

from dataclasses import asdict, dataclass
from typing import TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails, from_json

from orchestrator.core.edits import Reason
from orchestrator.planner.llm.schema import Part
from protocol.chat.embedded import candidates
from protocol.chat.tokens import clip
from protocol.types import Json

P = TypeVar("P", bound=Part)
SHOWN = 12  # faults; a model that made more of them starts again


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with an answer, as the model is told."""

    rule: str
    """`json`, `schema`, `length`, or the rule of a `Reason`."""
    detail: str
    task: str | None = None
    where: str = ""
    """The place in the answer, such as ``tasks.0.args``."""

    @classmethod
    def of(cls, reason: Reason) -> "Fault":
        """Return a reason of the checks as a fault."""
        return cls(reason.rule, reason.detail, reason.task)

    def told(self) -> dict[str, Json]:
        """Return it as JSON, without what is not known."""
        return {key: value for key, value in asdict(self).items() if value}


def parse(text: str, form: type[P]) -> P | tuple[Fault, ...]:
    """Return the answer, or what is wrong with it."""
    faults: tuple[Fault, ...] = ()
    for candidate in candidates(text):
        found = _read(candidate, form)
        if not isinstance(found, tuple):
            return found
        if not faults or (faults[0].rule == "json" != found[0].rule):
            faults = found
    return faults or (Fault("json", "there is no JSON object in the answer"),)


def _read(text: str, form: type[P]) -> P | tuple[Fault, ...]:
    try:
        value: Json = from_json(text, allow_inf_nan=False)
        if not isinstance(value, dict) or not value.keys() & form.model_fields.keys():
            return (Fault("json", f"an object with {', '.join(form.model_fields)} is expected"),)
        return form.model_validate_json(text)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False)[:SHOWN]
        return tuple(_fault(each, value) for each in details)
    except ValueError as error:
        return (Fault("json", str(error)),)


def _fault(error: ErrorDetails, answer: Json) -> Fault:
    where = [str(step) for step in error["loc"]]
    match error["type"]:
        case "extra_forbidden":
            detail = f"{where[-1]!r} is not known here"
        case "missing":
            detail = f"{where[-1]!r} is missing"
        case _:
            detail = f"{error['msg']}, got {clip(repr(error['input']), 80)}"
    return Fault("schema", detail, _task(answer, error["loc"]), ".".join(where))


def _task(answer: Json, place: tuple[int | str, ...]) -> str | None:
    """Return the id of the task that the place belongs to."""
    match answer, place:
        case dict(), (str() as kind, int() as n, *_):
            found = answer[kind][n]
            name = (found.get("id") or found.get("task")) if isinstance(found, dict) else None
            return name if isinstance(name, str) else None
        case _:
            return None
