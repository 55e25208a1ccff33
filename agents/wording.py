"""Words for people: what is wrong with arguments and outputs, and what skills say."""

from collections.abc import Iterable
from typing import Final

from pydantic_core import ErrorDetails

from protocol.nearest import nearest
from protocol.sentences import line

_PLAIN: Final = {"string_type": "write text", "tuple_type": "write a list, such as [a, b]"}
"""What is said of arguments called `path` too: those of skills are no places in an output."""
TEXT_CHARACTERS: Final = 10_000  # some pages: a person reads it, and a message carries it


def sentence(detail: ErrorDetails, known: Iterable[str] = ()) -> str:
    """Say what misses a schema, and where; `known` are the arguments that there are."""
    if detail["type"] == "unexpected_keyword_argument" and len(detail["loc"]) == 1:
        wrong = str(detail["loc"][0])
        return f"there is no argument {wrong!r}{nearest(wrong, known)}"
    return line(detail, words=_PLAIN)


def carried(text: str) -> str:
    """Return a text as a message carries it: what no encoding knows replaced, and not too long."""
    text = text[: TEXT_CHARACTERS + 1].encode(errors="replace").decode()
    return text if len(text) <= TEXT_CHARACTERS else f"{text[: TEXT_CHARACTERS - 1]}…"
