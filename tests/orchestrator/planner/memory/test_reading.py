import pytest

from orchestrator.planner.memory.reading import kinds, spans

REQUEST = "copy 5 files of the last 2 hours, 10 MB, from a.txt to servers a, b"


@pytest.mark.parametrize(
    ("value", "kind", "said"),
    [
        (5, "integer", ["5"]),
        (7200, "duration", ["2 hours"]),
        (10_000_000, "size", ["10 MB"]),
        ("a.txt", "string", ["a.txt"]),
        ("server", "string", ["server"]),
        (["a", "b"], "list", ["a, b"]),
        ("a", "string", ["a", "a"]),
        ("er", "string", []),
        ("A.txt", "string", []),
        (6, "integer", []),
        (None, "string", []),
        ("", "string", []),
    ],
)
def test_a_value_is_found_where_the_request_says_it(value, kind, said):
    assert [REQUEST[start:end] for start, end in spans(REQUEST, value, kind)] == said


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (["a", "b"], ("string",)),
        ([None, "b"], ("string",)),
        ([5, 6], ("integer", "size", "duration", "number")),
        ([5, 6.5], ("duration", "number")),
        ([True, False], ("boolean",)),
        ([[1], [2]], ("list",)),
        ([{}, {"a": 1}], ("object",)),
        (["5", 5], ()),
        ([None], ()),
    ],
)
def test_the_types_that_all_values_may_have(values, found):
    assert {*kinds(values)} == {*found}
