import pytest

from orchestrator.planner.arguments import contract


def schema(**properties):
    return {"type": "object", "properties": properties, "additionalProperties": False}


def faults(args, schema):
    return list(contract(schema).faults(args))


NULLABLE = {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}


@pytest.mark.parametrize(
    ("part", "good", "bad"),
    [
        ({"type": "string"}, "x", 1),
        ({"type": "integer", "title": "N"}, 1, "1"),
        ({"type": "integer"}, 2, True),
        ({"type": "integer", "minimum": 1}, 1, 0),
        ({"type": "integer", "minimum": 1}, 1, True),
        ({"type": "number"}, 1, "1"),
        (NULLABLE, None, 3),
        ({"anyOf": [{"type": "string", "minLength": 2}, {"type": "null"}]}, "ab", "a"),
        ({"type": "array", "items": {"type": "string"}}, ["a"], [1]),
        ({"$ref": "#/$defs/a"}, "x", 1),
        (True, 1, None),
    ],
)
def test_literals_are_judged_by_their_schema(part, good, bad):
    whole = {**schema(x=part), "$defs": {"a": {"type": "string"}}}
    assert faults({"x": good}, whole) == []
    if part is not True:
        [fault] = faults({"x": bad}, whole)
        assert fault.startswith("argument 'x': ")


@pytest.mark.parametrize("value", [{"$from": "a"}, {"$item": []}, [{"b": {"$from": "a"}}]])
def test_what_holds_a_reference_is_trusted(value):
    assert faults({"x": value}, schema(x={"type": "integer"})) == []


def test_a_missing_argument_is_named_and_a_reference_counts_as_given():
    whole = {**schema(x={"type": "string"}), "required": ["x"]}
    assert faults({}, whole) == ["the argument 'x' is missing"]
    assert faults({"x": {"$from": "a"}}, whole) == []


def test_an_unknown_argument_is_told_the_nearest_known_one():
    assert faults({"pth": 1}, schema(path={"type": "string"})) == [
        "there is no argument 'pth', did you mean 'path'?"
    ]


def test_an_open_schema_takes_further_arguments():
    assert faults({"more": 1}, {"type": "object"}) == []


def test_without_a_schema_everything_fits():
    assert faults({"x": 1}, None) == []


@pytest.mark.parametrize(
    "broken",
    [
        {"type": "nonsense"},
        schema(x={"$ref": "#/$defs/missing"}),
        schema(x={"$ref": "https://example.invalid/schema"}),
        schema(x={"$ref": "#/properties/x"}),
        schema(x={"pattern": "("}),
    ],
)
def test_a_broken_schema_of_a_device_is_not_held_against_the_plan(broken):
    assert faults({"x": "v"}, broken) == []
