import pytest

from orchestrator.planner.memory.aligning import aligned, shape
from orchestrator.planner.memory.errors import LearningError


def chain(*names):
    """Return tasks that each read the one before."""
    reads = [{}, *({"args": {"x": f"${{{name}.y}}"}} for name in names[:-1])]
    return [{"id": name, "skill": "look", **r} for name, r in zip(names, reads, strict=True)]


def test_a_shape_does_not_depend_on_names_order_or_literals():
    one = [{"id": "a", "skill": "s", "args": {"n": 1}}, {"id": "b", "skill": "t", "after": ["a"]}]
    two = [
        {"id": "y", "skill": "t", "after": ["x"]},
        {"id": "x", "skill": "s", "args": {"n": "2"}},
    ]
    assert shape(one) == shape(two)


A = {"id": "a", "skill": "s"}
B = {"id": "b", "skill": "s"}


@pytest.mark.parametrize(
    "other",
    [
        [A, B],
        [A, {**B, "after": [{"task": "a", "on": "failure"}]}],
        [A, {**B, "effect": "once", "after": ["a"]}],
        [A, {**B, "after": ["a"]}, {"id": "c", "skill": "s"}],
    ],
)
def test_what_is_done_and_in_which_order_is_a_shape_of_its_own(other):
    tasks = [A, {**B, "after": ["a"]}]
    assert shape(tasks) != shape(other)
    with pytest.raises(LearningError):
        aligned(other, tasks)


def test_tasks_alike_are_told_apart_by_their_place_in_the_plan():
    assert aligned([*reversed(chain("p", "q", "r"))], chain("a", "b", "c")) == tuple(
        chain("a", "b", "c")
    )


def test_conditions_and_items_are_renamed_too():
    def tasks(first, second):
        after = [{"task": first, "when": {}}]
        each = {"items": f"${{{first}.rows}}"}
        last = {"id": second, "skill": "t", "for_each": each, "after": after}
        return [{"id": first, "skill": "s"}, last]

    assert aligned(tasks("p", "q"), tasks("a", "b")) == tuple(tasks("a", "b"))


def test_the_same_names_stay_where_plans_are_symmetric():
    tasks = [{"id": name, "skill": "s", "args": {"n": name}} for name in "ba"]
    to = [{"id": name, "skill": "s", "args": {"n": 0}} for name in "ab"]
    assert [each["args"]["n"] for each in aligned(tasks, to)] == ["a", "b"]


def test_plans_that_colours_cannot_tell_apart_are_compared_by_their_edges():
    def rings(*sizes):
        rings = [
            [f"{ring}{n}" for n in range(size)] for ring, size in zip("xy", sizes, strict=False)
        ]
        return [
            {"id": name, "skill": "s", "after": [ring[n - 1]]}
            for ring in rings
            for n, name in enumerate(ring)
        ]

    assert shape(rings(6)) == shape(rings(3, 3))
    with pytest.raises(LearningError, match="dependencies of these plans differ"):
        aligned(rings(6), rings(3, 3))
