"""What `Orchestrator` is made of, looked at before anything is opened.

Python does not look, and what is wrong would break later, far from whoever wrote it.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeAlias

from orchestrator.core.scheduling.policies import Parameters
from orchestrator.core.tuning import Tuning
from orchestrator.planning import Scrutiny
from protocol.sentences import shown
from protocol.topics import Address

_Fits: TypeAlias = Callable[[object], bool]


def _is(kind: type) -> _Fits:
    return lambda value: isinstance(value, kind)


def _does(*methods: str) -> _Fits:
    return lambda value: (
        not isinstance(value, type)
        and all(callable(getattr(value, each, None)) for each in methods)
    )


def _or(*ways: _Fits) -> _Fits:
    return lambda value: any(fits(value) for fits in ways)


_NONE: Final = _is(type(None))
_FORMS: Final[Mapping[str, tuple[_Fits, str]]] = {
    "transport": (
        _does("run", "publish"),
        "a Transport, such as MemoryBroker().transport('coordinator')",
    ),
    "planner": (
        _or(_NONE, _does("propose")),
        "a Planner, such as PlaybookPlanner(), or None",
    ),
    "journal": (
        _or(_NONE, _does("__aenter__", "append")),
        "a Journal, such as SqliteJournal(Path('journal.db')), or None",
    ),
    "address": (_is(Address), "an Address, such as Address('muster', 'default', 'coordinator')"),
    "tuning": (_or(_NONE, _is(Tuning)), "a Tuning, such as Tuning(lost_after_s=7.0), or None"),
    "parameters": (_is(Parameters), "Parameters, such as Parameters(tiered=Bounds(10.0, 60.0))"),
    "memory": (
        _or(_NONE, _is(Path), _does("adopt_due")),
        "a Memory, a folder such as Path('memory'), or None",
    ),
    "judge": (_or(_NONE, _does("run", "ended")), "a Judge or None"),
    "clock": (callable, "a function that returns a Now"),
    "scrutiny": (_is(Scrutiny), "a Scrutiny"),
    "improver": (_or(_NONE, _does("improve", "close")), "an Improver or None"),
}
"""Argument → whether a value fits, and what to write."""


def check_given(arguments: Mapping[str, object]) -> None:
    """Make sure that every argument of the table is of its kind.

    Raises:
        TypeError: one is not; it says what to write.
    """
    for name, (fits, write) in _FORMS.items():
        if not fits(arguments[name]):
            raise TypeError(f"{name}: write {write}, got {shown(arguments[name])}")
