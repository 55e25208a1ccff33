"""Outputs are held to what skills declare: what JSON Schema refuses is refused, and no more."""

import time
from dataclasses import replace

import jsonschema
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from agents.skills import skill
from orchestrator import promises
from orchestrator.core.facts import AttemptFailed, TaskPlaced
from orchestrator.promises import broken
from protocol.types import Effect, FailureKind
from tests.support.muster import muster, plan, spec

ROW = {
    "type": "object",
    "properties": {"n": {"type": "integer"}, "name": {"type": "string"}},
    "required": ["n"],
    "additionalProperties": False,
}
TABLE = {"type": "object", "properties": {"rows": {"type": "array", "items": ROW}}}
REFERENCE = {"$artifact": {"sha256": "0" * 64}}
DEEP = {"$defs": {"n": {"type": ["integer", "array"], "items": {"$ref": "#/$defs/n"}}}}


def nested(value, depth):
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("schema", "output", "said"),
    [
        (TABLE, {"rows": [{"n": 1}, {"n": "1"}]}, "output.rows.1.n: '1' is not of type 'integer'"),
        (TABLE, {"rows": [{"name": "x"}]}, "output.rows.0: 'n' is a required property"),
        (
            TABLE,
            {"rows": [{"n": 1, "m": 2}]},
            "output.rows.0: Additional properties are not allowed ('m' was",
        ),
        (TABLE, [], "output: [] is not of type 'object'"),
        ({"type": ["string", "null"]}, {}, "output: {} is not of type 'string', 'null'"),
        ({"type": "integer"}, True, "output: True is not of type 'integer'"),
        ({"type": "integer"}, 1.5, "output: 1.5 is not of type 'integer'"),
        ({"type": "boolean"}, 0, "output: 0 is not of type 'boolean'"),
        ({"enum": ["a", 1]}, True, "output: True is not one of ['a', 1]"),
        ({"const": 1}, 2, "output: 1 was expected"),
        ({"const": None}, 0, "output: None was expected"),
        ({"minimum": 1}, 0, "output: 0 is less than the minimum of 1"),
        ({"exclusiveMaximum": 1}, 1, "output: 1 is greater than or equal to the maximum of 1"),
        ({"maxLength": 1}, "ab", "output: 'ab' is too long"),
        ({"minItems": 1}, [], "output: [] should be non-empty"),
        ({"maxProperties": 0}, {"a": 1}, "output: {'a': 1} is expected to be empty"),
        (
            {"prefixItems": [{"type": "null"}], "items": False},
            [None, 1],
            "output: Expected at most 1 item but found 1 extra: 1",
        ),
        ({"allOf": [{}, {"type": "null"}]}, 1, "output: 1 is not of type 'null'"),
        ({"anyOf": [{"type": "null"}, ROW]}, {"n": "x"}, "output.n: 'x' is not of type 'integer'"),
        ({"oneOf": [{"type": "null"}, {"type": "array"}]}, 1, "output: 1 is not valid under"),
        ({"$ref": "#/$defs/a~1b", "$defs": {"a/b": ROW}}, 1, "output: 1 is not of type 'object'"),
        (
            {**DEEP, "$ref": "#/$defs/n"},
            [[1, ["x"]]],
            "output.0.1.0: 'x' is not of type 'integer', 'array'",
        ),
        (False, 1, "output: False schema does not allow 1"),
    ],
)
def test_a_broken_promise_is_named_with_its_place(schema, output, said):
    assert (broken(schema, output) or "").startswith(said)


@pytest.mark.parametrize(
    ("schema", "output"),
    [
        (TABLE, {"rows": [{"n": 1.0, "name": ""}], "more": 1}),
        (TABLE, {"rows": REFERENCE}),
        (ROW, REFERENCE),
        ({"anyOf": [{"type": "null"}, ROW]}, None),
        ({"const": {"a": [1]}}, {"a": [2]}),
        ({"enum": [1, "a"]}, 1.0),
        ({"type": "frobnicated"}, 1),
        ({"type": 5, "required": "x", "enum": "y", "minimum": "z"}, 1),
        ({"pattern": "(a+)+$"}, "a" * 100 + "b"),
        ({"patternProperties": {"^x": {}}, "additionalProperties": False}, {"xy": 1}),
        ({"not": {}}, 1),
        ({"not": {"items": {"type": "integer"}}}, [REFERENCE]),
        ({"oneOf": [{"items": ROW}, {"items": {"type": "null"}}]}, [REFERENCE]),
        ({"$ref": "#/$defs/gone"}, 1),
        ({"$ref": "#anchor"}, 1),
        ({"$ref": "https://example.org/s.json"}, 1),
        ({"$ref": "#/$defs/a%25b", "$defs": {"a%25b": False}}, 1),
        ({"$schema": "http://json-schema.org/draft-07/schema#", "type": "null"}, 1),
        ({"$ref": "#"}, 1),
        ({**DEEP, "$ref": "#/$defs/n"}, nested("x", 400)),
        ({"items": {"type": "integer"}}, [1] * promises.STEPS + ["x"]),
        (True, 1),
    ],
)
def test_what_is_not_understood_or_too_much_counts_as_kept(schema, output):
    assert broken(schema, output) is None


def test_a_dialect_that_is_known_is_read():
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "null"}
    assert broken(schema, 1) == "output: 1 is not of type 'null'"
    assert broken({**schema, "$id": "https://example.org/s"}, 1) is not None


NAMES = st.sampled_from("ab")
SCHEMAS = st.recursive(
    st.sampled_from(
        [
            *({}, True, False, {"type": "string", "maxLength": 1}, {"type": ["object", "null"]}),
            *({"type": "integer", "minimum": 1}, {"type": "number", "exclusiveMinimum": 0.5}),
            *({"enum": ["a", None, 1]}, {"const": False}, {"type": "boolean"}),
            *({"minItems": 1, "maxItems": 1}, {"required": ["a"]}, {"minProperties": 2}),
            {"$ref": "#/$defs/x"},
        ]
    ),
    lambda inner: st.one_of(
        st.builds(
            lambda part, more: {"type": "object", "properties": {"a": part}, **more},
            inner,
            st.sampled_from([{}, {"additionalProperties": False}, {"required": ["a"]}]),
        ),
        st.builds(lambda part: {"additionalProperties": part}, inner),
        st.builds(lambda part: {"type": "array", "items": part}, inner),
        st.builds(lambda one, two: {"prefixItems": [one], "items": two}, inner, inner),
        st.builds(lambda *parts: {"anyOf": parts}, inner, inner),
        st.builds(lambda *parts: {"allOf": parts}, inner, inner),
    ),
    max_leaves=6,
)
OUTPUTS = st.recursive(
    st.none() | st.sampled_from(["", "a", "ab", 0, 1, 1.0, 2.5, True, False]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=6,
)


@given(SCHEMAS, SCHEMAS, OUTPUTS)
def test_it_says_what_json_schema_says(schema, other, output):
    """Brute force: another reader of the same schemas agrees, in both directions."""
    assume(isinstance(schema, dict))
    whole = {**schema, "$defs": {"x": other if other != {"$ref": "#/$defs/x"} else {}}}
    assume("'$ref'" not in str(other))
    valid = jsonschema.Draft202012Validator(whole).is_valid(output)
    assert (broken(whole, output) is None) is valid


@given(SCHEMAS, SCHEMAS, OUTPUTS)
def test_one_of_is_never_stricter_than_json_schema(one, two, output):
    assume("'$ref'" not in str((one, two)))
    schema = {"oneOf": [one, two]}
    if jsonschema.Draft202012Validator(schema).is_valid(output):
        assert broken(schema, output) is None


@pytest.mark.parametrize(
    ("schema", "output"),
    [
        ({"items": {"anyOf": [{"type": "null"}] * 50}}, ["x" * 1000] * 5000),
        ({"anyOf": [{"type": "null"}] * 100_000}, "x" * 250_000),
        ({"items": {"enum": ["y"] * 100_000}}, ["x"] * 100_000),
        (
            {"patternProperties": {"(a+)+$": {}}, "additionalProperties": False},
            {"a" * 26 + "b": 1},
        ),
        ({"items": {"required": ["y"] * 2000, "properties": {}}}, [{"x": 1}] * 30_000),
        ({"$defs": {"n": {"anyOf": [{"$ref": "#/$defs/n"}] * 9}}, "$ref": "#/$defs/n"}, 1),
    ],
)
def test_a_hostile_schema_or_output_takes_little_time(schema, output):
    began = time.thread_time()
    broken(schema, output)
    assert time.thread_time() - began < 0.5


def lying(declared, answer, *, effect=Effect.PURE):
    """Return a skill that answers something else than its card declares."""

    @skill(effect=effect)
    async def count() -> dict[str, object] | str:
        """Count."""
        return answer

    info = replace(count.info, output_schema=declared)
    return replace(count, info=info)


async def play(devices, **task):
    async with muster(devices) as (orchestrator, _):
        run = await orchestrator.submit("x", plan=plan(spec("a", "count", **task)))
        result = await run.result()
        facts = [entry.fact async for entry in run.events()]
    return result, facts


async def test_a_device_that_answers_otherwise_has_failed_and_another_does_it():
    result, facts = await play(
        {"liar": [lying(ROW, {"n": "one"})], "good": [lying(ROW, {"n": 1})]}
    )
    assert result.outputs == {"a": {"n": 1}}
    placed = [fact.device for fact in facts if isinstance(fact, TaskPlaced)]
    failed = [fact for fact in facts if isinstance(fact, AttemptFailed)]
    assert placed == ["liar", "good"]
    assert [fact.kind for fact in failed] == [FailureKind.BAD_OUTPUT]


async def test_the_reason_is_stated_where_nobody_else_can_do_it():
    result, facts = await play({"liar": [lying(ROW, {"n": "one"})]})
    assert not result.succeeded
    said = "count answers what it does not declare: output.n: 'one' is not of type 'integer'"
    assert said in result.missing["a"]
    (failure,) = [fact for fact in facts if isinstance(fact, AttemptFailed)]
    assert failure.kind is FailureKind.BAD_OUTPUT


async def test_what_may_happen_once_is_not_done_again_for_its_answer():
    skills = [lying(ROW, {"n": "one"}, effect=Effect.ONCE)]
    result, facts = await play({"liar": skills, "good": skills})
    assert not result.succeeded
    assert sum(isinstance(fact, TaskPlaced) for fact in facts) == 1


@pytest.mark.parametrize("declared", [None, {}, {"type": ["object", "string"]}])
async def test_whoever_declares_nothing_narrower_may_answer_anything(declared):
    result, _ = await play({"a": [lying(declared, "text")]})
    assert result.outputs == {"a": "text"}
