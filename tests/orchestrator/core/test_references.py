"""References in arguments."""

import pytest

from orchestrator.core.model import ForEach
from orchestrator.core.references import MissingError, fill_item, look_up, predecessors, resolve
from tests.support.world import task

OUTPUTS = {"a": {"rows": [{"n": 1}, {"n": 2}]}, "b": None}


@pytest.mark.parametrize(
    ("value", "stands_for"),
    [
        ({"$from": "a"}, OUTPUTS["a"]),
        ({"$from": "b"}, None),
        ({"$from": "a", "path": ["rows", 1, "n"]}, 2),
        ({"$from": "a", "path": ("rows", 0)}, {"n": 1}),
        ({"x": [{"$from": "b"}, 7], "y": ("z",)}, {"x": [None, 7], "y": ["z"]}),
        ({"$from": 3}, {"$from": 3}),
    ],
)
def test_a_reference_stands_for_its_place_in_an_output(value, stands_for):
    assert resolve(value, OUTPUTS.__getitem__) == stands_for


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (["x"], "a has no 'x'"),
        (["rows", 5], "a.rows has no 5"),
        (["rows", 0, "n", "m"], "a.rows.0.n has no 'm'"),
        ([["rows"]], r"a has no \['rows'\]"),
    ],
)
def test_a_place_that_is_not_there_is_named(path, message):
    with pytest.raises(MissingError, match=message):
        resolve({"$from": "a", "path": path}, OUTPUTS.__getitem__)


def test_items_are_filled_in_and_other_references_stay():
    args = {"all": {"$item": []}, "list": [{"$item": ["n"]}], "from": {"$from": "a"}, "k": 1}
    assert fill_item(args, {"n": 5}) == {
        "all": {"n": 5},
        "list": [5],
        "from": {"$from": "a"},
        "k": 1,
    }
    assert look_up([1, [2]], (1, 0)) == 2


def test_predecessors_are_found_once_each_in_order():
    args = {"x": [{"$from": "b"}, {"y": {"$from": "a", "path": [0]}}], "z": {"$from": "b"}}
    assert predecessors(task("t", args=args)) == ("b", "a")
    loop = ForEach({"$from": "c"})
    assert predecessors(task("t", for_each=loop)) == ("c",)
    assert predecessors(task("t", args=args, for_each=loop)) == ("b", "a", "c")
    assert predecessors(task("t")) == ()
