import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.references import MissingError, look_up
from orchestrator.planner.checks.outputs import Reach, reach

ROW = {"type": "object", "properties": {"name": {"type": "string"}}}
CLOSED = {**ROW, "additionalProperties": False}
TABLE = {"type": "object", "properties": {"rows": {"type": "array", "items": CLOSED}}}
NO, MAYBE, YES = Reach


@pytest.mark.parametrize(
    ("schema", "path", "expected"),
    [
        (ROW, (), YES),
        (ROW, ("name",), YES),
        (ROW, ("nam",), MAYBE),
        (ROW, (0,), NO),
        (ROW, ("name", "x"), NO),
        (ROW, ("name", 0), YES),
        (CLOSED, ("nam",), NO),
        (TABLE, ("rows", 0, "name"), YES),
        (TABLE, ("rows", 0, "nam"), NO),
        (TABLE, ("rows", "name"), NO),
        ({}, ("x",), YES),
        (True, ("x",), YES),
        (False, ("x",), NO),
        ({"type": ["null", "object"]}, ("x",), YES),
        ({"type": ["null", "array"]}, ("x",), NO),
        ({"anyOf": [{"type": "null"}, CLOSED]}, ("name",), YES),
        ({"anyOf": [{"type": "null"}, CLOSED]}, ("nam",), NO),
        ({"anyOf": [{"type": "null"}, ROW]}, ("nam",), MAYBE),
        ({"oneOf": [{"type": "array"}, ROW]}, (1,), YES),
        ({"allOf": [ROW, {"type": "object"}]}, ("name",), YES),
        ({"allOf": [{}, CLOSED]}, ("nam",), NO),
        ({**ROW, "allOf": [TABLE]}, ("rows",), YES),
        ({"$ref": "#/$defs/a~1b", "$defs": {"a/b": CLOSED}}, ("nam",), NO),
        ({"$ref": "#/$defs/gone"}, ("nam",), YES),
        ({"$ref": "elsewhere"}, ("nam",), YES),
        ({**ROW, "additionalProperties": {"type": "string"}}, ("nam", "x"), NO),
        ({**ROW, "patternProperties": {"^n": {}}}, ("nam",), YES),
        ({"prefixItems": [CLOSED], "items": False}, (0, "nam"), NO),
        ({"prefixItems": [CLOSED], "items": False}, (1,), NO),
        ({"prefixItems": [CLOSED], "items": False}, (-1,), YES),
        ({"type": "array", "maxItems": 2}, (2,), NO),
        ({"type": "array", "maxItems": 2}, (-3,), NO),
    ],
)
def test_a_path_is_judged_by_the_schema(schema, path, expected):
    assert reach(schema, path) is expected


PARTS = st.recursive(
    st.sampled_from([{}, {"type": "string"}, {"type": ["object", "null"]}]),
    lambda inner: st.one_of(
        st.builds(
            lambda part, closed: {"type": "object", "properties": {"a": part}, **closed},
            inner,
            st.sampled_from([{}, {"additionalProperties": False}]),
        ),
        st.builds(lambda part: {"type": "array", "items": part}, inner),
        st.builds(lambda *parts: {"anyOf": parts}, inner, inner),
        st.builds(lambda part: {"additionalProperties": part}, inner),
    ),
    max_leaves=5,
)
VALUES = st.recursive(
    st.none() | st.sampled_from(["", "ab"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
    ),
    max_leaves=6,
)


@given(PARTS, VALUES, st.lists(st.sampled_from(["a", "b", 0, -1]), max_size=3))
def test_what_a_valid_value_has_is_never_called_impossible(schema, value, path):
    valid = jsonschema.Draft202012Validator(schema).is_valid(value)
    try:
        look_up(value, path)
    except MissingError:
        return
    if valid:
        assert reach(schema, tuple(path)) is not Reach.IMPOSSIBLE


def test_a_schema_without_end_is_judged_in_no_time():
    wide = {f"a{n}": {"anyOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 9} for n in range(5000)}
    assert reach({"$ref": "#/$defs/a0", "$defs": wide}, ("x",)) is Reach.POSSIBLE
    assert reach({"anyOf": [{"$ref": "#"}, {"$ref": "#"}]}, ("x",)) is Reach.POSSIBLE
