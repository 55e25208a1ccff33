"""Words of requests that tell them apart, and from how many in common on they ask the same."""

import re
from typing import Final

_SMALL_WORDS: Final = """
    a about all an and any are as at be been by can could did do does each ever every everywhere
    few first for from had has have how i if in into is it its last let made make many me more
    much my new next no not now of off on one or our out over please said say show so some
    than that the their them then there these they this those to up us want was we went were
    what when where which who whose why will with would you your
"""
SMALL: Final = frozenset(_SMALL_WORDS.split())
"""Words that are in requests of any kind."""
ALIKE: Final = 0.5  # share of common words from which two requests ask the same
_WORD: Final = re.compile(r"[^\W_]+")
_PLURAL: Final = re.compile(r"(\w\w[^s])s$")


def telling(text: str) -> list[str]:
    """Return the words of a text, folded, without small ones, plurals as singulars."""
    words: list[str] = _WORD.findall(text.casefold())
    return [_PLURAL.sub(r"\1", word) for word in words if word not in SMALL]


def common(one: str, other: str) -> float:
    """Return the share of their telling words that both texts have, 0 to 1 (Jaccard 1912)."""
    words = [{*telling(text)} for text in (one, other)]
    return len(words[0] & words[1]) / max(1, len(words[0] | words[1]))
