"""Words for people: what is wrong with arguments and outputs, and what skills say."""

import difflib
import textwrap
from collections.abc import Iterable
from typing import Final

from pydantic_core import ErrorDetails

TEXT_CHARACTERS: Final = 10_000  # some pages: a person reads it, and a message carries it


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


def carried(text: str) -> str:
    """Return a text as a message carries it: what no encoding knows replaced, and not too long."""
    text = text[: TEXT_CHARACTERS + 1].encode(errors="replace").decode()
    return text if len(text) <= TEXT_CHARACTERS else f"{text[: TEXT_CHARACTERS - 1]}…"
