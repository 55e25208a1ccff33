import pytest

from orchestrator.planner.memory.errors import LearningError
from orchestrator.planner.memory.generalising import generalised


def merged(requests, *tasks):
    """Return the one task of several plans, and its parameters by name."""
    (task,), parameters = generalised(
        requests, [({"id": "t", "skill": "s", **each},) for each in tasks]
    )
    return task, {each.name: each for each in parameters}


def test_equal_differences_are_one_parameter():
    task, found = merged(
        ["look at x", "look at y"],
        {"args": {"a": "x", "b": ["x", 1]}, "title": "Look at x"},
        {"args": {"a": "y", "b": ["y", 1]}, "title": "Look at y"},
    )
    assert task["args"] == {"a": "${a}", "b": ["${a}", 1]}
    assert task["title"] == "Look at ${a}"
    assert found["a"].values == ("x", "y")


@pytest.mark.parametrize(
    ("one", "two", "kind"),
    [([1], [1, 2], "list"), ({"a": 1}, {"b": 1}, "object"), (True, False, "boolean")],
)
def test_what_differs_in_form_is_a_parameter_as_a_whole(one, two, kind):
    task, found = merged(["look", "look"], {"args": {"x": one}}, {"args": {"x": two}})
    assert task["args"] == {"x": "${x}"}
    assert found["x"].kind == kind
    assert found["x"].said == (False, False)


def test_values_of_two_types_are_no_parameter():
    with pytest.raises(LearningError, match="'x' of task 't' has several types"):
        merged(["look", "look"], {"args": {"x": 1}}, {"args": {"x": [1]}})


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"resources": [{"kind": "m", "amount": 1}]}, {"resources": [{"kind": "m", "amount": 2}]}),
        ({"for_each": {"items": "x"}}, {"for_each": {"items": "y"}}),
        ({"after": [{"task": "a", "on": "failure"}]}, {"after": [{"task": "a", "on": "success"}]}),
    ],
)
def test_where_playbooks_take_no_parameters_plans_must_be_the_same(one, two):
    with pytest.raises(LearningError, match="the plans differ in"):
        merged(["look", "look"], one, two)


def test_a_title_that_nobody_said_is_that_of_the_newest():
    task, found = merged(["look", "look"], {"title": "Have a look"}, {"title": "See"})
    assert task["title"] == "See"
    assert found == {}


def test_a_number_is_as_good_in_a_text():
    task, found = merged(
        ["do 5 things", "do 7 things"],
        {"args": {"n": 5}, "labels": {"size": "5"}, "title": "Do 5"},
        {"args": {"n": 7}, "labels": {"size": "7"}, "title": "Do 7"},
    )
    assert task == {
        "id": "t",
        "skill": "s",
        "args": {"n": "${n}"},
        "labels": {"size": "${n}"},
        "title": "Do ${n}",
    }
    assert [each.kind for each in found.values()] == ["integer"]


def test_a_number_does_not_take_the_place_of_a_text():
    task, found = merged(
        ["wait 2 minutes", "wait 3 minutes"],
        {"args": {"n": 120, "text": "120"}},
        {"args": {"n": 180, "text": "180"}},
    )
    assert task["args"] == {"n": "${n}", "text": "${text}"}
    assert [each.kind for each in found.values()] == ["duration", "string"]


def test_lists_are_in_no_text():
    task, _ = merged(
        ["tell a, b of x", "tell c, d of y"],
        {"args": {"who": ["a", "b"], "text": "about x!"}},
        {"args": {"who": ["c", "d"], "text": "about y!"}},
    )
    assert task["args"] == {"who": "${who}", "text": "about ${text}!"}


def test_a_dollar_before_a_parameter_would_escape_it():
    task, _ = merged(
        ["pay 5 now", "pay 7 now"], {"args": {"text": "costs $5"}}, {"args": {"text": "costs $7"}}
    )
    assert task["args"] == {"text": "${text}"}


def test_what_is_between_is_widened_until_the_request_says_it():
    task, found = merged(
        ["read _$a now", "read _$b now"],
        {"args": {"file": "log/_$a/x/y"}},
        {"args": {"file": "log/_$b/x/y"}},
    )
    assert task["args"] == {"file": "log/${file}/x/y"}
    assert found["file"].values == ("_$a", "_$b")


def test_a_dollar_before_a_known_parameter_is_not_lost():
    task, _ = merged(
        ["pay 5 now", "pay 7 now"],
        {"args": {"n": 5, "text": "costs $5"}},
        {"args": {"n": 7, "text": "costs $7"}},
    )
    assert task["args"] == {"n": "${n}", "text": "${text}"}


def test_a_word_that_is_a_parameter_in_one_plan_only_stays():
    task, _ = merged(
        ["read x", "read y"],
        {"args": {"n": "x", "text": "x x/q"}},
        {"args": {"n": "y", "text": "x y/q"}},
    )
    assert task["args"] == {"n": "${n}", "text": "x ${n}/q"}


def test_what_is_between_stops_at_whole_words():
    task, found = merged(
        ["read redis", "read rabbit"],
        {"args": {"file": "log/redis.log"}},
        {"args": {"file": "log/rabbit.log"}},
    )
    assert task["args"] == {"file": "log/${file}.log"}
    assert found["file"].values == ("redis", "rabbit")


def test_names_of_parameters_are_not_those_of_tasks():
    (task, _), found = generalised(
        ["look at x", "look at y"],
        [
            ({"id": "t", "skill": "s", "args": {"u": word, "item": f"{word}!"}}, {"id": "u"})
            for word in "xy"
        ],
    )
    assert task["args"] == {"u": "${t_u}", "item": "${t_u}!"}
    assert [each.name for each in found] == ["t_u"]
