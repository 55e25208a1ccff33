"""Values of parameters: read from a request's words, and checked."""

import json
import re
from collections.abc import Callable, Mapping

from orchestrator.planner.playbook.format import Kind, ParameterPart
from protocol.types import Json

_TYPES: Mapping[Kind, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "duration": (int, float),
    "size": int,
    "list": (list, tuple),
    "object": Mapping,
}
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
_BYTES = {
    "byte": 1,
    **{f"{letter}b": 1000**n for n, letter in enumerate("kmgt", 1)},
    **{f"{letter}ib": 1024**n for n, letter in enumerate("kmgt", 1)},
}


def checked(parameter: ParameterPart, value: Json) -> Json:
    """Return the value of a parameter; text, as a request gives it, is read as the type.

    Raises:
        ValueError: it has another type, or is not one of the choices.
    """
    if value is None and not parameter.required and parameter.default is None:
        return None
    if isinstance(value, str):
        value = _READ.get(parameter.type, _json)(value)
    fits = isinstance(value, _TYPES[parameter.type])
    if not fits or (isinstance(value, bool) and parameter.type != "boolean"):
        raise ValueError(f"must be of type {parameter.type}, got {json.dumps(value)}")
    if parameter.choices and value not in parameter.choices:
        choices = ", ".join(map(json.dumps, parameter.choices))
        raise ValueError(f"must be one of {choices}, got {json.dumps(value)}")
    return value


def _json(text: str) -> Json:
    try:
        value: Json = json.loads(text)
    except ValueError:
        return text
    return value


def _list(text: str) -> Json:
    return [item.strip() for item in text.split(",") if item.strip()]


def _quantity(units: Mapping[str, int]) -> Callable[[str], Json]:
    def read(text: str) -> Json:
        found = re.fullmatch(r"(\d+(?:\.\d+)?)?\s*([a-z]*?)s?", text.strip().lower())
        if found is None or found[0] == "" or found[2] not in {"", *units}:
            return text
        return int(float(found[1] or 1) * units.get(found[2], 1))

    return read


_READ: Mapping[Kind, Callable[[str], Json]] = {
    "string": str,
    "duration": _quantity(_SECONDS),
    "size": _quantity(_BYTES),
    "list": _list,
}
