import pytest

from orchestrator.planner.llm.outline import brief, kind, result, signature


def test_a_long_value_is_told_by_its_shape():
    value = {
        "lines": ["x" * 100] * 3,
        "deep": {"a": {"b": 1}},
        "text": "y" * 100,
        "n": None,
        "none": [],
    }
    assert brief(value, 250) == (
        f'{{"lines": list of 3, first: "{"x" * 60}…", "deep": {{"a": object of 1}}, '
        f'"text": "{"y" * 60}…", "n": null, "none": list of 0}}'
    )
    assert brief({f"k{n}": n for n in range(50)}, 150).endswith('"k11": 11, …}')
    assert len(brief(value, 50)) < 100


def test_a_result_that_is_cut_names_what_stands_for_the_whole():
    assert result("a", [1, 2], 10) == "[1,2]"
    assert (
        result('a"b', [0] * 50, 10)
        == 'list of 50… (10 characters more) (101 characters; whole: {"$from": "a\\"b"})'
    )


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "string"}, "string"),
        ({"type": ["string", "null"]}, "string|null"),
        ({"enum": ["a", 1]}, '"a"|1'),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}, {"type": "integer"}]}, "integer|null"),
        ({"oneOf": [{"type": "integer"}]}, "integer"),
        (
            {"type": "array", "items": {"type": "array", "items": {"type": "array", "items": {}}}},
            "list of list of array",
        ),
        ({"type": "array"}, "array"),
        ({"properties": {"a": {"properties": {"b": {"properties": {}}}}}}, "{a: {b: any}}"),
        ({"$ref": "#/x"}, "any"),
        (True, "any"),
    ],
)
def test_a_schema_is_told_as_a_type(schema, text):
    assert kind(schema) == text


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        (None, "anything"),
        ({}, ""),
        (
            {"properties": {"a": {"type": "string"}, "b": {}}, "required": ["a"]},
            "a: string, b?: any",
        ),
        ({"properties": [], "required": 7}, ""),
    ],
)
def test_a_skill_is_told_by_its_arguments(schema, text):
    assert signature(schema) == text
