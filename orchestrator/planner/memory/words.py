"""Words of requests that tell them apart."""

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
_WORD: Final = re.compile(r"[^\W_]+")
_PLURAL: Final = re.compile(r"(\w\w[^s])s$")


def telling(text: str) -> list[str]:
    """Return the words of a text, folded, without small ones, plurals as singulars."""
    words: list[str] = _WORD.findall(text.casefold())
    return [_PLURAL.sub(r"\1", word) for word in words if word not in SMALL]
