"""What is wrong with a file, as its author should read it: what to write, in words of YAML."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pydantic_core import ErrorDetails

_LIST: Final = "write a list, such as [a, b]"
_MAPPING: Final = "write names with values, such as {name: value}"
_WHOLE: Final = "write a whole number"
_WRITE: Final[Mapping[str, str]] = {
    "tuple_type": _LIST,
    "list_type": _LIST,
    "dict_type": _MAPPING,
    "mapping_type": _MAPPING,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "dataclass_type": _MAPPING,
    "string_type": "write text",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": "write a number",
    "float_parsing": "write a number",
}
"""Kind of an error of pydantic's → what to write instead."""
_PATH: Final[Mapping[str, str]] = {
    "string_type": "write a dotted path, such as disks.0.free_bytes",
    "tuple_type": "write a path as a list, such as [disks, 0, free_bytes]",
}
"""The same, of a place in an output: `path`."""


def told(errors: Sequence[ErrorDetails]) -> Iterator[tuple[tuple[int | str, ...], str]]:
    """Yield where and what, without what only follows from something else."""
    for each in errors:
        where = each["loc"]
        if each["type"] == "too_short" and any(_below(other["loc"], where) for other in errors):
            continue  # it is short of what is wrong with its items
        yield where, _sentence(each)


def _below(place: tuple[int | str, ...], other: tuple[int | str, ...]) -> bool:
    return len(place) > len(other) and place[: len(other)] == other


def _sentence(error: ErrorDetails) -> str:
    kind, message, last = error["type"], error["msg"], error["loc"][-1] if error["loc"] else ""
    match kind:
        case "extra_forbidden" | "unexpected_keyword_argument":
            return f"{last!r} is not known here"
        case "missing":
            return f"{last!r} is missing"
        case "value_error":
            return message.removeprefix("Value error, ")
        case "too_short":
            return "write one at least: it is empty"
        case "enum" | "literal_error":
            say = f"write one of {error.get('ctx', {}).get('expected')}"
        case _:
            say = (_PATH if last == "path" else _WRITE).get(kind) or _WRITE.get(kind) or message
    say = say.replace("Input should be", "it must be")
    return f"{say}, got {textwrap.shorten(repr(error['input']), 60)}"
