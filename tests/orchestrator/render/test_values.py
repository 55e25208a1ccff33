import pytest

from orchestrator.render import values


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (None, ""),
        ({}, ""),
        (7, "7"),
        (True, "true"),
        ("as it is: [1]", "as it is: [1]"),
        ({"b": 1, "a": None}, "b: 1\na: null"),
        ({"text": "two\nlines\n"}, "text: |\n  two\n  lines"),
        (["größer", "5"], "- größer\n- '5'"),
        ([], "[]"),
    ],
)
def test_a_value_is_written_for_people(shown, text):
    assert values.value(shown) == text


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (None, "out"),
        (7, "out: 7"),
        ("word", "out: word"),
        ("two\nlines", "out:\n  two\n  lines"),
        ({"a": 1}, "out:\n  a: 1"),
    ],
)
def test_a_named_value_stands_beside_its_name_or_below(shown, text):
    assert values.entry("out", shown) == text
