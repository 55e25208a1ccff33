"""What is wrong with arguments and outputs, in words."""

import difflib
import textwrap
from collections.abc import Iterable

from pydantic_core import ErrorDetails


def sentence(detail: ErrorDetails, known: Iterable[str] = ()) -> str:
    """Say what misses a schema, and where; `known` are the arguments that there are."""
    place = ".".join(map(str, detail["loc"]))
    match detail["type"]:
        case "unexpected_keyword_argument":
            near = suggest(place, known) if len(detail["loc"]) == 1 else ""
            return f"there is no argument {place!r}{near}"
        case "missing" | "missing_argument" | "missing_keyword_only_argument":
            return f"{place!r} is missing"
        case _:
            got = textwrap.shorten(repr(detail["input"]), 80)
            return f"{place or 'value'}: {detail['msg']}, got {got}"


def suggest(wrong: str, known: Iterable[str]) -> str:
    """Name the nearest known word, else all of them, as the rest of a sentence."""
    known = list(known)
    if near := difflib.get_close_matches(wrong, known, n=1):
        return f", did you mean {near[0]!r}?"
    return f", there are {', '.join(known)}" if known else ""
