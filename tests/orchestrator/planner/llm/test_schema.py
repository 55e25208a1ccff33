import json

import jsonschema
import pytest
from pydantic import ValidationError

from orchestrator.planner.llm.schema import ArgumentPart, ProposalPart, RevisionPart, schema
from protocol.chat.tokens import estimate

TASK = {
    "id": "b",
    "skill": "text.join",
    "args": [
        {"name": "lines", "value": {"$from": "a", "path": ["lines", 0]}},
        {"name": "more", "value": [1, 2.5, True, None, {"$item": ["name"]}]},
        {"name": "values", "value": {"$object": [{"name": "x", "value": "y"}]}},
    ],
    "device": None,
    "labels": ["role=storage"],
    "after": [
        {"task": "c", "on": "failure", "when": None},
        {"task": "d", "on": "success", "when": {"path": ["n"], "op": "gt", "value": 3}},
    ],
    "for_each": {"items": {"$from": "a", "path": []}, "labels": None, "min_success": 1},
    "limits": {"queue_s": None, "run_s": 5.0, "attempts": 2},
    "expect": {"path": ["rows"], "op": "exists", "value": None},
}
PROPOSAL = {"cannot": None, "tasks": [TASK]}
REVISION = {
    "cannot": None,
    "add_tasks": [TASK],
    "replace_tasks": [],
    "set_args": [{"task": "e", "args": []}],
    "add_dependencies": [{"predecessor": "a", "successor": "e", "on": "completion", "when": None}],
    "remove_dependencies": [{"predecessor": "a", "successor": "e"}],
    "remove_tasks": ["f"],
    "cancel_tasks": ["g"],
}
FORMS = [(ProposalPart, PROPOSAL), (RevisionPart, REVISION)]


def objects(value):
    if isinstance(value, dict):
        if value.get("type") == "object":
            yield value
        for each in value.values():
            yield from objects(each)
    elif isinstance(value, list):
        for each in value:
            yield from objects(each)


@pytest.mark.parametrize(("form", "answer"), FORMS)
def test_an_answer_that_says_everything_fits_form_and_schema(form, answer):
    jsonschema.validate(answer, schema(form))
    form.model_validate_json(json.dumps(answer))


@pytest.mark.parametrize("form", [ProposalPart, RevisionPart])
def test_the_schema_is_of_the_strict_kind_that_servers_enforce(form):
    found = list(objects(schema(form)))
    assert len(found) > 8
    for each in found:
        assert each["additionalProperties"] is False
        assert each["required"] == list(each["properties"])
    text = json.dumps(schema(form))
    for bound in ("pattern", "minimum", "exclusiveMinimum", "default", "title", "description"):
        assert f'"{bound}":' not in text
    jsonschema.Draft202012Validator.check_schema(schema(form))


@pytest.mark.parametrize(("form", "limit"), [(ProposalPart, 1500), (RevisionPart, 2000)])
def test_the_schema_takes_a_small_part_of_a_prompt(form, limit):
    assert estimate(json.dumps(schema(form))) < limit


@pytest.mark.parametrize(
    "value", [{"free": 1}, {"$from": "a"}, {"$object": {"a": 1}}, {"$from": "a", "x": 1}]
)
def test_a_value_in_another_form_does_not_fit_the_schema(value):
    task = TASK | {"args": [{"name": "x", "value": value}]}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"cannot": None, "tasks": [task]}, schema(ProposalPart))


def value_of(value):
    part = ArgumentPart.model_validate_json(json.dumps({"name": "x", "value": value}))
    return part.value


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({"$object": []}, {}),
        (
            {"$object": [{"name": "a", "value": {"$from": "t", "path": []}}]},
            {"a": {"$from": "t", "path": []}},
        ),
        ([{"$object": [{"name": "a", "value": [{"$object": []}]}]}], [{"a": [{}]}]),
        ({"plain": {"$object": [{"name": "a", "value": 1}]}}, {"plain": {"a": 1}}),
        (True, True),
    ],
)
def test_objects_are_put_in_the_place_of_their_entries(said, meant):
    assert value_of(said) == meant


@pytest.mark.parametrize(
    "value", [{"$object": 1}, {"$object": ["a"]}, {"$object": [{"name": "a"}]}]
)
def test_entries_in_another_form_are_a_fault(value):
    with pytest.raises(ValidationError, match="list of entries, each with a name and a value"):
        value_of(value)


def wrong(**changes):
    with pytest.raises(ValidationError) as caught:
        ProposalPart.model_validate_json(json.dumps({"tasks": [TASK | changes]}))
    return str(caught.value)


def test_what_the_schema_cannot_say_is_checked_here():
    twice = [{"name": "a", "value": 1}, {"name": "a", "value": 2}]
    assert "'a' is given 2 times" in wrong(args=twice)
    both = {"task": "c", "on": "failure", "when": {"path": [], "op": "truthy", "value": None}}
    assert "excludes on: failure" in wrong(after=[both])
    assert "greater than 0" in wrong(limits={"run_s": 0})
    assert "match pattern" in wrong(id="two words")
    assert "match pattern" in wrong(labels=["no value"])
    assert "Extra inputs" in wrong(other=1)


def test_a_number_that_is_none_is_a_fault():
    for text in ('"args": {"x": [1e999]}', '"limits": {"run_s": 1e999}'):
        with pytest.raises(ValidationError, match=r"out of range|finite number"):
            ProposalPart.model_validate_json(f'{{"tasks": [{{"id": "a", "skill": "s", {text}}}]}}')


def test_a_server_that_enforces_nothing_may_say_less():
    text = '{"tasks": [{"id": "a", "skill": "s", "args": {"x": {"y": 1}}, "after": ["b"]}]}'
    [task] = ProposalPart.model_validate_json(text).tasks
    assert [(each.name, each.value) for each in task.args] == [("x", {"y": 1})]
    assert [(each.task, each.on) for each in task.after] == [("b", "success")]
