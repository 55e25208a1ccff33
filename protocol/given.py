"""What a program hands in to be built upon, looked at before anything is opened.

Python does not look, and what is wrong would break later, far from whoever wrote it.
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from protocol.sentences import shown

Fits: TypeAlias = Callable[[object], bool]
Forms: TypeAlias = Mapping[str, tuple[Fits, str]]
"""Argument → whether a value fits, and what to write."""


def of(*kinds: type) -> Fits:
    """Take instances of any of these classes."""
    return lambda value: isinstance(value, kinds)


def doing(*methods: str) -> Fits:
    """Take objects that have these methods; a class is none."""
    return lambda value: (
        not isinstance(value, type)
        and all(callable(getattr(value, each, None)) for each in methods)
    )


def either(*ways: Fits) -> Fits:
    """Take what fits one of these."""
    return lambda value: any(fits(value) for fits in ways)


NOTHING: Final = of(type(None))


def check_given(arguments: Mapping[str, object], forms: Forms) -> None:
    """Make sure that every argument of a table is of its kind.

    Raises:
        TypeError: one is not; it says what to write.
    """
    for name, (fits, write) in forms.items():
        if not fits(arguments[name]):
            raise TypeError(f"{name}: write {write}, got {shown(arguments[name])}")
