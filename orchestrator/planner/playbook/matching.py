"""Does a phrase answer a request? Only if it accounts for all of it, so nothing asked is lost.

Case, the amount of white space and the full stop at the end do not count. The score of a match is
the share of the request, white space aside, that the phrase says itself rather than takes in as
a parameter: the more specific phrase wins.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_GROUP = re.compile(r"\[[^][]+\]|[^][\s]+")
_PARAMETER = re.compile(r"\{([A-Za-z_]\w*)\}")


@dataclass(frozen=True, slots=True)
class Match:
    """How well a request fits, 0 to 1, and the parameters it gave."""

    score: float
    parameters: Mapping[str, str]


def phrase_pattern(phrase: str) -> str:
    """Turn a phrase with ``{parameter}`` and ``[optional words]`` into a regular expression.

    Raises:
        ValueError: its brackets do not pair.
    """
    if re.search(
        r"[][{}]", _GROUP.sub("", phrase) + _PARAMETER.sub("", phrase.translate(_SQUARE))
    ):
        raise ValueError(f"the brackets in {phrase!r} do not pair")
    return "".join(
        f"(?:{_words(group[1:-1])})?" if group.startswith("[") else _words(group)
        for group in _GROUP.findall(phrase)
    )


_SQUARE = str.maketrans("", "", "[]")


def _words(text: str) -> str:
    return "".join(_word(word) + r"(?:\s+|$)" for word in text.split())


def _word(word: str) -> str:
    literal_or_name = _PARAMETER.split(word)
    return "".join(
        f"(?P<{part}>.+?)" if n % 2 else re.escape(part) for n, part in enumerate(literal_or_name)
    )


def match(patterns: Iterable[re.Pattern[str]], request: str) -> Match | None:
    """Return the best match of any of the patterns."""
    text = " ".join(request.split()).rstrip(".!? ")
    found = (pattern.fullmatch(text) for pattern in patterns)
    matches = [_scored(each, text) for each in found if each and text]
    return max(matches, key=lambda each: each.score, default=None)


def _scored(found: re.Match[str], text: str) -> Match:
    parameters = {name: value for name, value in found.groupdict().items() if value is not None}
    taken = sum(_size(value) for value in parameters.values())
    return Match(1 - taken / _size(text), parameters)


def _size(text: str) -> int:
    return len(text.replace(" ", ""))
