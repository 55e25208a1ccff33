"""Where a request says a value: as the text itself, or in words that a parameter's type reads.

Spans are half-open intervals of characters.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final, TypeAlias

from pydantic_core import to_json

from orchestrator.planner.playbook.format import Kind, ParameterPart
from orchestrator.planner.playbook.parameters import checked
from protocol.types import Json

Span: TypeAlias = tuple[int, int]

LONGEST: Final = 12  # words that say one value
_READ: Final[Mapping[Kind, ParameterPart]] = {
    kind: ParameterPart(description="read", type=kind)
    for kind in ("integer", "number", "boolean", "duration", "size", "list", "object")
}
_KINDS: Final[Mapping[type, Sequence[Kind]]] = {
    str: ("string",),
    bool: ("boolean",),
    int: ("integer", "size", "duration", "number"),
    float: ("number", "duration"),
    list: ("list",),
    tuple: ("list",),
    dict: ("object",),
}
_PART_OF_WORD: Final = 3  # letters; fewer are in any word by chance


def kinds(values: Sequence[Json]) -> tuple[Kind, ...]:
    """Return the types that all of these values may have, the plainest first; null has any."""
    known = [_KINDS[type(value)] for value in values if value is not None]
    return tuple(
        kind for kind in (known[0] if known else ()) if all(kind in each for each in known)
    )


def spans(request: str, value: Json, kind: Kind) -> tuple[Span, ...]:
    """Return where a request says a value, in its order; text may be a part of a word at last."""
    if value is None or value == "":
        return ()
    if kind != "string":
        return _said(request).get((kind, to_json(value)), ())
    places = _found(rf"(?<!\w){re.escape(str(value))}(?!\w)", request)
    if not places and len(str(value)) >= _PART_OF_WORD and str(value).isalpha():
        places = _found(re.escape(str(value)), request)
    return places


def _found(pattern: str, request: str) -> tuple[Span, ...]:
    return tuple(found.span() for found in re.finditer(pattern, request))


@lru_cache(maxsize=64)
def _said(request: str) -> Mapping[tuple[Kind, bytes], tuple[Span, ...]]:
    """Return every value that some words of a request can be read as. O(words · `LONGEST`)."""
    words = [found.span() for found in re.finditer(r"\S+", request)]
    values: dict[tuple[Kind, bytes], tuple[Span, ...]] = {}
    for first, (start, _) in enumerate(words):
        for _, end in words[first : first + LONGEST]:
            text = request[start:end].rstrip(",;:")
            for kind, parameter in _READ.items():
                try:
                    key = kind, to_json(checked(parameter, text))
                except ValueError:
                    continue
                values[key] = (*values.get(key, ()), (start, start + len(text)))
    return values
