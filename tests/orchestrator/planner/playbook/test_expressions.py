import pytest

from orchestrator.planner.playbook.expressions import expressions, fill, fill_text, split_path

PARAMETERS = {"n": 3, "name": "x", "on": True, "none": None, "list": ["a", "b"]}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("${n}", 3),
        ("${list}", ["a", "b"]),
        ("${none}", None),
        ("${name}-${n}-${on}", "x-3-true"),
        ("${collect}", {"$from": "collect"}),
        ("${collect.results.0.name}", {"$from": "collect", "path": ["results", 0, "name"]}),
        ("${item}", {"$item": []}),
        ("${item.path}", {"$item": ["path"]}),
        ("$${n}", "${n}"),
        ("$${", "${"),
        ("costs $5", "costs $5"),
        (7, 7),
        ({"a": ["${n}", {"b": "${item}"}]}, {"a": [3, {"b": {"$item": []}}]}),
    ],
)
def test_references_become_values_or_the_references_of_the_plan(text, value):
    assert fill(text, PARAMETERS) == value


def test_the_value_of_a_parameter_is_not_expanded_again():
    assert fill("${a}", {"a": "${b}"}) == "${b}"


def test_text_stays_text():
    assert fill_text("${n}", PARAMETERS) == "3"


def test_every_reference_is_found_with_its_place():
    found = list(expressions({"a": ["x ${n}", "${b.0}"], "c": 1, "d": "${open", "e": "$${no}"}))
    assert [(place, each.name, each.whole, each.closed) for place, each in found] == [
        (("a", 0), "n", False, True),
        (("a", 1), "b", True, True),
        (("d",), "open", True, False),
    ]


def test_steps_of_digits_are_indices():
    assert split_path("a.0.b1") == ("a", 0, "b1")
    assert split_path("") == ()
