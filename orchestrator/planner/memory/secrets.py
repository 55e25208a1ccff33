"""Secrets taken out of what is learned: each becomes a mark, the same one wherever it stood.

A text is a secret, or holds one, where

1. it has a credential's form (`protocol.credentials`), or is 32 and more letters of both cases
   with digits and no sign of a path;
2. words before it say so: ``password=…``, ``--token …``, and, after ``password …`` or ``the api
   key is …``, a word with a digit or a special character in it;
3. its key says so: ``password``, ``token``, ``api_key``, ``authorization`` and the like.

A password that looks like a word, and that nothing names, cannot be told from one.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from protocol.credentials import FORMS
from protocol.types import Json

MARK: Final = re.compile(r"\[secret-\d+\]")
_NAMES: Final = (
    r"pass(?:word|wd|phrase|code)?|pwd|secret|token|credentials?|authorization|cookie"
    r"|(?:api|access|private|secret|auth)[-_ ]?(?:key|token)"
)
_KEY: Final = re.compile(rf"(?:^|[^a-z])(?:{_NAMES})$", re.IGNORECASE)
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SHAPES: Final = (
    *FORMS,
    *(
        re.compile(pattern, re.IGNORECASE)
        for pattern in (
            r"(?<![\w/.+-])(?-i:(?=\S*[a-z])(?=\S*[A-Z])(?=\S*\d))([\w+=-]{32,})(?![\w/.])",
            rf"(?:\b|--)(?:{_NAMES})\s*[:=]\s*[\"']?([^\s\"',;]+)",
            rf"--(?:{_NAMES})\s+[\"']?([^\s\"',;]+)",
            rf"\b(?:{_NAMES})(?:\s+is)?\s+[\"']?((?=\S*[\d!@#$%^&*])[^\s\"',;]{{4,}})",
        )
    ),
)


def secrets(text: str) -> Iterator[str]:
    """Yield what looks like a secret in a text (rules 1 and 2)."""
    for shape in _SHAPES:
        for found in shape.finditer(text):
            if not MARK.fullmatch(found[1]):
                yield found[1]


def names_secret(key: str) -> bool:
    """Tell whether what is under this key is a secret (rule 3)."""
    return _KEY.search(_HUMP.sub("_", key)) is not None


def redacted(text: str) -> str:
    """Return a text with marks in the place of its secrets."""
    return masked(text, None)[0]


def masked(text: str, value: Json) -> tuple[str, Json]:
    """Return a text and a value with marks in the place of their secrets.

    Texts in `value` that begin with ``${`` are references, and stay.
    """
    found = dict.fromkeys((*secrets(text), *_inside(value, named=False)))
    if not found:
        return text, value
    marks = {secret: f"[secret-{n}]" for n, secret in enumerate(found, start=1)}
    longest_first = sorted(marks, key=lambda secret: (-len(secret), secret))
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")

    def mark(text: str) -> str:
        return pattern.sub(lambda secret: marks[secret[0]], text)

    def marked(value: Json, *, named: bool) -> Json:
        match value:
            case str() if not value.startswith("${"):
                return mark(value)
            case int() | float() if named and not isinstance(value, bool):
                return marks[str(value)]
            case Mapping():
                return {
                    key: marked(part, named=named or names_secret(key))
                    for key, part in value.items()
                }
            case list() | tuple():
                return [marked(part, named=named) for part in value]
            case _:
                return value

    return mark(text), marked(value, named=False)


def _inside(value: Json, *, named: bool) -> Iterator[str]:
    match value:
        case str() if not value.startswith("${"):
            yield from (value,) if named and value else secrets(value)
        case int() | float() if named and not isinstance(value, bool):
            yield str(value)
        case Mapping():
            for key, part in value.items():
                yield from _inside(part, named=named or names_secret(key))
        case list() | tuple():
            for part in value:
                yield from _inside(part, named=named)
        case _:
            pass
