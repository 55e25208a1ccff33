"""What is wrong with data, in words of ours: what to write, and where."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, TypeAdapter, ValidationError

from orchestrator.core.model import TaskSpec
from orchestrator.planner.playbook.format import PlaybookPart
from orchestrator.service.arguments import BatchPart
from protocol.sentences import complaint, first, line, names, told
from protocol.types import Effect


@dataclass
class Inner:
    size: int
    unit: str = "B"


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    items: tuple[Inner, ...] = Field((), max_length=1)
    by_name: Mapping[str, Inner] = Field(default_factory=dict)
    either: Annotated[Inner | None, Field(description="one or none")] = None


def wrong(form, value):
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(form).validate_python(value)
    return caught.value


@pytest.mark.parametrize(
    ("form", "value", "said"),
    [
        (int, "high", "write a whole number, got 'high'"),
        (int, 1.5, "write a whole number, got 1.5"),
        (int, "9" * 5000, "write a whole number, got "),
        (float, "soon", "write a number, got 'soon'"),
        (bool, "perhaps", "write true or false, got 'perhaps'"),
        (str, 5, "write text, got 5"),
        (Annotated[int, Field(multiple_of=3)], 5, "it must be a multiple of 3, got 5"),
        (tuple[int, ...], 5, "write a list, such as [a, b], got 5"),
        (set[int], 5, "write a list, such as [a, b], got 5"),
        (dict[str, int], 5, "write names with values, such as {name: value}, got 5"),
        (Outer, 5, "write names with values, such as {name: value}, got 5"),
        (Inner, 5, "write names with values, such as {name: value}, got 5"),
        (Path, 5, "write a path, got 5"),
        (FiniteFloat, float("inf"), "write a finite number, got inf"),
        (Annotated[float, Field(gt=0)], 0, "write a number greater than 0, got 0"),
        (Annotated[int, Field(ge=1)], 0, "write a number of at least 1, got 0"),
        (Annotated[int, Field(lt=65536)], 70000, "write a number less than 65536, got 70000"),
        (Annotated[int, Field(le=10**9)], 10**10, "at most 1000000000, got 10000000000"),
        (Annotated[str, Field(max_length=3)], "abcd", "write at most 3 characters, got 4"),
        (Annotated[str, Field(min_length=1)], "", "write text: it is empty"),
        (Annotated[list[int], Field(min_length=1)], [], "write one at least: it is empty"),
        (Annotated[list[int], Field(max_length=1)], [1, 2], "write at most 1 of them, got [1, 2]"),
        (Annotated[str, Field(pattern="^a+$")], "b", "write text of the form ^a+$, got 'b'"),
        (Effect, "twice", "write one of 'pure', 'idempotent' or 'once', got 'twice'"),
        (Literal["a", "b"], "c", "write one of 'a' or 'b', got 'c'"),
        (Effect, "pur", "or 'once', got 'pur', did you mean 'pure'?"),
        (re.Pattern, "(", "write a regular expression, got '('"),
        (Outer, {"items": [{"size": "x"}]}, "items.0.size: write a whole number, got 'x'"),
        (Outer, {"items": [{}]}, "items.0: 'size' is missing"),
    ],
)
def test_a_complaint_says_what_to_write_and_where(form, value, said):
    line = complaint(wrong(form, value), form)
    assert said in line
    assert "Input" not in line
    assert len(line) < 120


def test_an_unknown_name_is_told_first_with_the_nearest_known_one():
    error = wrong(Outer, {"items": 5, "by_nam": {}})
    assert complaint(error, Outer) == "'by_nam' is not known here, did you mean 'by_name'?"
    error = wrong(Outer, {"items": [{"sze": 1}]})
    assert complaint(error, Outer) == "items.0: 'sze' is not known here, did you mean 'size'?"


@pytest.mark.parametrize(
    ("form", "place", "some"),
    [
        (Outer, (), {"items", "by_name", "either"}),
        (Outer, ("items", 0), {"size", "unit"}),
        (Outer, ("by_name", "x"), {"size", "unit"}),
        (Outer, ("either",), {"size", "unit"}),
        (BatchPart, ("edits", 0, "add_task"), {"id", "skill", "needs"}),
        (BatchPart, ("edits", 0, "add_task", "limits"), {"run_s", "attempts"}),
        (PlaybookPart, ("tasks", 0, "after", 1, "mapping"), {"task", "on", "when"}),
        (TaskSpec, ("args", "x"), set()),
        (None, ("a",), set()),
        (int, (), set()),
    ],
)
def test_the_names_that_are_known_at_a_place(form, place, some):
    found = set(names(form, place))
    assert some <= found
    assert some or not found


def test_what_only_follows_from_something_else_is_not_told():
    form = Annotated[tuple[int, ...], Field(min_length=1)]
    error = ValidationError.from_exception_data(
        "x",
        [
            {"type": "too_short", "loc": ("a",), "input": [],
             "ctx": {"field_type": "Tuple", "min_length": 1, "actual_length": 0}},
            {"type": "int_parsing", "loc": ("a", 0), "input": "x"},
        ],
    )  # fmt: skip
    assert [where for where, _ in told(error.errors(), form)] == [("a", 0)]
    assert complaint(error) == "a.0: write a whole number, got 'x'"


def test_a_complaint_is_short_however_large_the_data_are():
    assert len(complaint(wrong(int, ["x" * 100] * 10_000))) < 120


def test_a_format_says_it_in_its_own_words_where_it_has_some():
    cause = first(wrong(Outer, {"items": 5}))
    assert line(cause, Outer, words={"tuple_type": "write [1]"}) == "items: write [1], got 5"
    assert line(cause, Outer, words={"int_type": "write 1"}).startswith("items: write a list, ")
