import pytest

from orchestrator.core.lifecycle import TaskState as S
from orchestrator.core.model import ForEach
from orchestrator.planner import PlanningError
from orchestrator.planner.answers import editable
from orchestrator.planner.llm.footprint import footprint
from tests.orchestrator.planner.llm.cases import run, task


def names(rows):
    return [row.spec.id for row in rows]


def test_what_came_before_and_waits_is_nearest_first():
    rows = run(
        task("a", S.SUCCEEDED),
        task("b", S.SUCCEEDED, "a"),
        task("c", S.RECOVERING, "b", "a"),
        task("e", S.WAITING, "d"),
        task("d", S.WAITING, "c"),
        task("over", S.CANCELLED, "c"),
        task("x", S.ACTIVE),
        task("y", S.ACTIVE),
    )
    part = footprint(rows, "c")
    assert names([part.task]) == ["c"]
    assert names(part.ancestors) == ["b", "a"]
    assert names(part.descendants) == ["d", "e"]
    assert part.others == {S.CANCELLED: 1, S.ACTIVE: 2}
    assert part.tasks == ("c", "b", "a", "d", "e")


EACH = run(
    task("list", S.SUCCEEDED),
    task("each", S.ACTIVE, "list", for_each=ForEach({"$from": "list"})),
    task("each[0]", S.SUCCEEDED, parent="each"),
    task("each[1]", S.RECOVERING, parent="each"),
    task("each[2]", S.FAILED, parent="each"),
    task("end", S.WAITING, "each"),
)


def test_an_item_builds_on_what_its_task_builds_on_and_its_task_waits_for_it():
    part = footprint(EACH, "each[1]")
    assert names(part.ancestors) == ["list"]
    assert names(part.descendants) == ["each", "end"]


def test_of_a_for_each_the_items_that_failed_matter():
    part = footprint(EACH, "each")
    assert names(part.ancestors) == ["list", "each[2]"]
    assert part.others == {S.SUCCEEDED: 1, S.RECOVERING: 1}


def test_what_is_handed_on_is_what_the_rest_refers_to():
    rows = run(
        task("a", S.SUCCEEDED),
        task(
            "b", S.RECOVERING, "a", args={"x": [{"$from": "a", "path": ["n", 0]}, {"$from": "a"}]}
        ),
        task("c", S.WAITING, "b", "a", args={"y": {"deep": {"$from": "a", "path": ["n", 0]}}}),
        task("d", S.WAITING, "c", for_each=ForEach({"$from": "a", "path": ["l"]})),
        task("e", S.ACTIVE, "a", args={"z": {"$from": "a", "path": ["unrelated"]}}),
    )
    assert footprint(rows, "b").handed_on == {"a": (("n", 0), ("l",))}


def test_only_what_has_not_started_and_is_no_item_is_editable():
    found = {row.spec.id: editable(row) for row in EACH.tasks}
    assert [name for name, may in found.items() if may] == ["end"]


def test_an_unknown_task_is_refused():
    with pytest.raises(PlanningError, match="has no task 'z'"):
        footprint(EACH, "z")
