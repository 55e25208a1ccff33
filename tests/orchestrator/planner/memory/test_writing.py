import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator.planner.memory.writing import dump
from orchestrator.planner.playbook.document import read

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, width=32) | TEXT
VALUES = st.recursive(
    LEAVES.filter(lambda value: value not in (float("inf"), float("-inf"))),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
)


@given(VALUES)
@example({"on": "089", "1e3": "1e3", "x": ["~", "null", "TRUE", "${a}", "- b", "a: b", "#"]})
@example({"text": "two\nlines\n", "space": " x\n", "tab": "\t", "long": "word " * 60})
def test_what_is_written_is_read_back_the_same(value):
    again = read(dump({"value": value}), "f").value["value"]
    assert again == value
    assert type(again) is type(value)


def test_equal_parts_are_written_out_and_no_anchors():
    part = ["a" * 50, "b" * 50]
    text = dump({"one": part, "two": part})
    assert "&" not in text
    assert text.count("a" * 50) == 2


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1, "x"]}, "a: [1, x]\n"),
        ({"a": 1}, "{a: 1}\n"),
        ({"a": [{"b": 1}]}, "a:\n  - {b: 1}\n"),
        ({"a": ["x" * 40, "y" * 40]}, f"a:\n  - {'x' * 40}\n  - {'y' * 40}\n"),
        ({"a": "1\n2\n"}, "a: |\n  1\n  2\n"),
        ({"a": "\x85"}, '{a: "\\N"}\n'),
        ({"a": "b\nc\n"}, "a: |\n  b\n  c\n"),
    ],
)
def test_what_is_short_is_on_one_line(value, text):
    assert dump(value) == text
