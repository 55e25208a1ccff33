"""What was probably meant by an unknown name."""

import difflib
from collections.abc import Iterable

SHOWN = 12  # names that a person still reads


def meant(wrong: str, known: Iterable[str]) -> str:
    """Name the nearest known word as the rest of a sentence, if there is one."""
    near = difflib.get_close_matches(wrong, known, n=1)
    return f", did you mean {near[0]!r}?" if near else ""


def nearest(wrong: str, known: Iterable[str]) -> str:
    """Name the nearest known word, else the first of them, as the rest of a sentence."""
    known = sorted(known)
    if near := meant(wrong, known):
        return near
    more = ", …" if len(known) > SHOWN else ""
    return f", there are {', '.join(known[:SHOWN])}{more}" if known else ""
