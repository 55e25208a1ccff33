import pytest

from orchestrator.planner.playbook.format import ParameterPart
from orchestrator.planner.playbook.parameters import checked


def parameter(kind, **more):
    return ParameterPart(description="x", type=kind, **more)


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        ("string", "5", "5"),
        ("integer", "5", 5),
        ("integer", 5, 5),
        ("number", "2.5", 2.5),
        ("number", 2, 2),
        ("boolean", "true", True),
        ("duration", "day", 86400),
        ("duration", "2 hours", 7200),
        ("duration", "1.5 Minutes", 90),
        ("duration", "45", 45),
        ("duration", 0.5, 0.5),
        ("size", "100 MB", 100_000_000),
        ("size", "2GiB", 2 << 30),
        ("list", "a, b,,c", ["a", "b", "c"]),
        ("list", ["a"], ["a"]),
        ("object", '{"a": 1}', {"a": 1}),
        ("object", {"a": 1}, {"a": 1}),
    ],
)
def test_text_is_read_as_the_type(kind, given, value):
    result = checked(parameter(kind), given)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("string", 5),
        ("string", None),
        ("integer", "five"),
        ("integer", 2.5),
        ("integer", True),
        ("number", "true"),
        ("boolean", 1),
        ("duration", "a while"),
        ("duration", "3 apples"),
        ("duration", ""),
        ("size", 1.5),
        ("list", 3),
        ("object", "[1]"),
    ],
)
def test_another_type_is_refused(kind, given):
    with pytest.raises(ValueError, match=f"must be of type {kind}, got"):
        checked(parameter(kind), given)


def test_null_is_taken_exactly_where_it_is_the_default():
    assert checked(parameter("integer", default=None), None) is None
    with pytest.raises(ValueError, match="integer"):
        checked(parameter("integer", default=3), None)


def test_a_value_outside_of_the_choices_is_refused_with_the_choices():
    with pytest.raises(ValueError, match='must be one of "a", "b", got "c"'):
        checked(parameter("string", choices=("a", "b")), "c")
