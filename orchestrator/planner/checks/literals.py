"""The literals of a request: what a plan must carry over as it stands.

Rules, in the order in which they claim text; what one has claimed no later one sees:

1. URLs (``http://``, ``https://``) and e-mail addresses; closing punctuation is not part of them.
2. Text in quotes, straight or curly, double or single, in back-ticks or guillemets; an apostrophe
   inside a word is no quote.
3. Paths: what begins with ``/``, ``~/``, ``./``, ``../`` or a drive, and names with an extension
   (``orders.csv``, ``*.log``, ``etc/app.conf``).
4. Dates: ``2024-05-01``, ``1 May 2024``, ``May 1, 2024``, ``1.5.2024``, ``5/1/2024``.
5. Numbers with a unit of time, size or share: ``2 GB``, ``90 percent``, ``24h``.
6. Names of known devices, as whole words.

A literal is carried over if one of its forms is in a text of the plan, as whole words, whatever
the case, the white space and the kind of slash; backslashes that escape are overlooked. A date may
be in any of the forms above (where day and month can be told apart only by custom, in either). A
quantity may be in any unit of its dimension, as a number or in a text: ``2 hours`` as 7200,
``2 GB`` as 2e9 or 2 · 2³⁰, ``90 %`` as 0.9. What a request means without saying it ("the last
day", "both") is no literal, nor is a number without a unit.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias


@dataclass(frozen=True, slots=True)
class Literal:
    """Something that a request says; found by any of its forms."""

    text: str
    forms: tuple[str, ...]
    """Folded; see `fold`."""
    values: tuple[float, ...] = ()


_Read: TypeAlias = Callable[[re.Match[str]], Literal]

_TIME: Final = {
    "ms": 0.001, "millisecond": 0.001, "s": 1.0, "sec": 1.0, "second": 1.0, "min": 60.0,
    "minute": 60.0, "h": 3600.0, "hr": 3600.0, "hour": 3600.0, "d": 86400.0, "day": 86400.0,
    "week": 604800.0,
}  # fmt: skip
_SIZE: Final = {
    "byte": 1.0, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12,
    "kib": 2.0**10, "mib": 2.0**20, "gib": 2.0**30, "tib": 2.0**40,
}  # fmt: skip
_SHARE: Final = {"%": 0.01, "percent": 0.01}
_DIMENSIONS: Final[Sequence[Mapping[str, float]]] = (_TIME, _SIZE, _SHARE)
LONGEST_QUOTE: Final = 200  # characters; bounds the search for the other quotation mark
_CLAIMED: Final = "\0"  # stays between what stood on both sides
_BINARY: Final = {"kb": "kib", "mb": "mib", "gb": "gib", "tb": "tib"}

_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_SHORT: Final = [month[:3] for month in _MONTHS]
_MONTH: Final = (
    r"(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
    r"(?:uary|ruary|ch|il|e|y|ust|tember|ember|ober|t|\.)?"
)
_UNITS: Final = "|".join(
    sorted({unit for each in _DIMENSIONS for unit in each if unit != "%"}, key=len, reverse=True)
)
_QUOTES: Final = (
    ('"', '"'),
    ("`", "`"),
    ("“", "”"),
    ("«", "»"),
    ("\N{LEFT SINGLE QUOTATION MARK}", "\N{RIGHT SINGLE QUOTATION MARK}"),
    (r"(?<!\w)'", r"'(?!\w)"),
)


def literals(request: str, devices: Iterable[str] = ()) -> tuple[Literal, ...]:
    """Return the literals of a request, each once; `devices` are names of known ones."""
    return (*_said(request), *_named(request, tuple(devices)))


@lru_cache(maxsize=256)
def _said(request: str) -> Sequence[Literal]:
    found: dict[str, Literal] = {}
    for pattern, read in _RULES:
        for match in pattern.finditer(request):
            literal = read(match)
            if literal.forms:
                found.setdefault(literal.text, literal)
        request = pattern.sub(_CLAIMED, request)
    return tuple(found.values())


def _named(request: str, devices: Sequence[str]) -> Iterator[Literal]:
    text = fold(request)
    for device in dict.fromkeys(devices):
        if device and holds(text, form := fold(device)):
            yield Literal(device, (form,))


def fold(text: str) -> str:
    """Return a text without what may differ: case, white space, kind of slash."""
    return " ".join(text.replace("\\", "/").casefold().split())


def holds(text: str, form: str) -> bool:
    """Tell whether a folded text has a form in it, as whole words.

    A letter at its end has no letter or digit beside it, a digit no digit: ``2024-05-01T10``.
    """
    start = text.find(form)
    while start >= 0:
        end = start + len(form)
        if not _joined(form[0], text[start - 1 : start]) and not _joined(
            form[-1], text[end : end + 1]
        ):
            return True
        start = text.find(form, start + 1)
    return False


def _joined(inside: str, outside: str) -> bool:
    return outside.isdigit() if inside.isdigit() else inside.isalnum() and outside.isalnum()


def is_file(text: str) -> bool:
    """Tell whether a whole text is a path, by the rules above."""
    return ("/" in text or "." in text) and _PATH.fullmatch(text) is not None


def _verbatim(match: re.Match[str]) -> Literal:
    text = match[0].rstrip(".,;:!?)")
    return Literal(text, _forms(text))


def _quoted(match: re.Match[str]) -> Literal:
    text = next(part for part in match.groups() if part is not None)
    return Literal(text, () if _CLAIMED in text else _forms(text))


def _forms(text: str) -> tuple[str, ...]:
    whole = fold(text)
    bare = whole.removeprefix("./").rstrip("/")
    return tuple(form for form in dict.fromkeys((bare, whole)) if form)


def _date(match: re.Match[str]) -> Literal:
    part = match.groupdict()
    year, day = int(part["year"]), int(part["day"])
    named = part["month"].casefold()
    month = int(named) if named.isdigit() else _SHORT.index(named) + 1
    pairs = {(month, day), (day, month)} if part.get("either") else {(month, day)}
    forms = [
        form for m, d in sorted(pairs) if 1 <= m <= len(_MONTHS) for form in _dates(year, m, d)
    ]
    return Literal(match[0], tuple(forms))


def _dates(year: int, month: int, day: int) -> Iterator[str]:
    yield f"{year}-{month:02}-{day:02}"
    yield f"{year}{month:02}{day:02}"
    yield f"{year}/{month:02}/{day:02}"
    for m, d in ((f"{month}", f"{day}"), (f"{month:02}", f"{day:02}")):
        yield f"{d}.{m}.{year}"
        yield f"{m}/{d}/{year}"
        yield f"{d}/{m}/{year}"
    full = _MONTHS[month - 1]
    for word in (full[:3], full):
        yield f"{day} {word} {year}"
        yield f"{word} {day}, {year}"
        yield f"{word} {day} {year}"


def _quantity(match: re.Match[str]) -> Literal:
    number = float(match["number"].replace(",", ""))
    unit = match["unit"].casefold()
    if not any(unit in each for each in _DIMENSIONS):
        unit = unit.removesuffix("s")
    dimension = next(each for each in _DIMENSIONS if unit in each)
    bases = {number * dimension[name] for name in (unit, _BINARY.get(unit, unit))}
    values = sorted({base / scale for base in bases for scale in (1.0, *dimension.values())})
    return Literal(match[0], (fold(match[0]),), tuple(values))


_PATH: Final = re.compile(
    r"""(?<![\w/.~*+-])(?:
        (?:~|\.{1,2})?/[\w.*?@+~-][\w./*?@+~-]*     # absolute, or from here or home
      | [A-Za-z]:\\[\w.\\-]*[\w]                    # with a drive
      | (?:(?:[\w.*+-]+/)+[\w.*+-]*[\w*]|[\w.*+-]*[\w*]{2}|\*)  # with an extension; a name of
        \.[a-z][a-z0-9]{0,4}(?![\w/])               # one letter ("e.g.") only in a folder
    )""",
    re.VERBOSE,
)
_RULES: Final[Sequence[tuple[re.Pattern[str], _Read]]] = (
    (re.compile(r"https?://[^\s\"'<>`«»\u201c\u201d]+", re.IGNORECASE), _verbatim),
    (re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), _verbatim),
    (
        re.compile(
            "|".join(rf"{left}([^\n]{{1,{LONGEST_QUOTE}}}?){right}" for left, right in _QUOTES)
        ),
        _quoted,
    ),
    (_PATH, _verbatim),
    (re.compile(r"(?<!\d)(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})(?!\d)"), _date),
    (
        re.compile(
            rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)? (?:of )?{_MONTH},? (?P<year>\d{{4}})\b",
            re.IGNORECASE,
        ),
        _date,
    ),
    (
        re.compile(
            rf"\b{_MONTH} (?P<day>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<year>\d{{4}})\b", re.IGNORECASE
        ),
        _date,
    ),
    (re.compile(r"(?<![\w.])(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})\b"), _date),
    (
        re.compile(r"(?<![\w/])(?P<month>\d{1,2})(?P<either>/)(?P<day>\d{1,2})/(?P<year>\d{4})\b"),
        _date,
    ),
    (
        re.compile(
            rf"(?<![\w.])(?P<number>\d+(?:,\d{{3}})*(?:\.\d+)?)[ -]?"
            rf"(?P<unit>(?:{_UNITS})s?\b|%)",
            re.IGNORECASE,
        ),
        _quantity,
    ),
)
