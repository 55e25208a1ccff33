"""Predicates over outputs: a table of comparisons. What cannot be compared does not hold."""

import operator
from collections.abc import Callable, Mapping

from orchestrator.core.model import Op, Predicate
from orchestrator.core.references import MissingError, look_up
from protocol.types import Json

_COMPARE: Mapping[Op, Callable[..., bool]] = {
    Op.EQ: operator.eq,
    Op.NE: operator.ne,
    Op.LT: operator.lt,
    Op.LE: operator.le,
    Op.GT: operator.gt,
    Op.GE: operator.ge,
    Op.IN: lambda value, options: value in options,
    Op.EXISTS: lambda _value, _: True,
    Op.TRUTHY: lambda value, _: bool(value),
}


def holds(predicate: Predicate, output: Json) -> bool:
    """Tell whether a predicate is true of an output."""
    try:
        value = look_up(output, predicate.path)
        return bool(_COMPARE[predicate.op](value, predicate.value))
    except (MissingError, TypeError):
        return False
