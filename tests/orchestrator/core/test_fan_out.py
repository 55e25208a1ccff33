"""`for_each`: children at run time, and the join."""

import pytest

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.decisions import progress
from orchestrator.core.edits import CancelTask, ReplaceTask
from orchestrator.core.model import ForEach, Needs, RunLimits
from protocol.types import DeviceId, Failed, FailureKind, Succeeded
from tests.support.world import RUN, World, card, edge, task

BAD = Failed(FailureKind.BAD_INPUT, "wrong")
EACH = {"n": {"$item": []}}


def over(source, *more, min_success=None, **rest):
    world = World()
    world.device("d", slots=20)
    loop = ForEach(source, min_success=min_success)
    world.submit(task("all", for_each=loop, args=EACH), *more, **rest)
    return world


def test_a_task_expands_over_the_output_of_another_and_joins_in_order():
    world = over(
        {"$from": "list", "path": ["names"]}, task("list"), task("end"), edge("all", "end")
    )
    world.finish("list", Succeeded({"names": ["x", "y"]}))
    assert world.offer("all[1]").args == {"n": "y"}
    world.finish("all[1]", Succeeded(1))
    world.finish("all[0]", Succeeded(0))

    assert world.row("all").output == {"results": [0, 1], "items": ["x", "y"], "missing": []}
    world.do("end")
    assert world.run().status == "succeeded"
    assert world.engine.snapshot(RUN).tasks[-1].parent == "all"


def test_an_empty_fan_out_joins_at_once():
    world = over([])
    assert world.row("all").output == {"results": [], "items": [], "missing": []}
    assert world.run().status == "succeeded"


def test_enough_successes_are_enough_and_what_is_missing_is_said():
    world = over([1, 2, 3], min_success=1)
    world.finish("all[0]", BAD)
    world.finish("all[1]", Succeeded("ok"))
    world.finish("all[2]", BAD)
    assert world.row("all").output == {
        "results": ["ok"],
        "items": [2],
        "missing": [{"item": 1, "reason": "wrong"}, {"item": 3, "reason": "wrong"}],
    }
    assert world.run().status == "succeeded"


def test_too_few_successes_fail_the_join_and_say_which():
    world = over([1, 2])
    world.finish("all[0]", BAD)
    world.do("all[1]")
    assert world.run().reason == "all: 1 of 2 succeeded, 2 needed (1: wrong)"


def test_a_join_may_ask_for_more_than_there_is():
    world = over([], min_success=1)
    assert world.run().reason == "all: 0 of 0 succeeded, 1 needed"


def test_a_task_expands_over_the_devices_that_match_lost_ones_included():
    world = World()
    for name, site in (("d1", "lab"), ("d2", "lab"), ("d3", "home")):
        world.device(name, labels={"site": site})
    world.tell(e.Announced(card("d2", labels={"site": "lab"}), online=False))
    world.submit(task("all", for_each=ForEach(labels={"site": "lab"}), args=EACH))

    assert world.states() == {"all": "active", "all[d1]": "active", "all[d2]": "ready"}
    assert world.offer("all[d1]").args == {"n": "d1"}
    world.do("all[d1]")
    world.beat("d2")
    world.do("all[d2]")
    assert world.row("all").output["items"] == ["d1", "d2"]


def test_a_task_waits_a_little_for_a_first_device_to_expand_over():
    world = World()
    world.submit(task("all", for_each=ForEach()))
    world.wait(4.0)
    world.device("d")
    world.wait(1.0)
    world.do("all[d]")
    assert world.run().status == "succeeded"


def test_a_task_that_no_device_can_be_expanded_over_fails_soon():
    world = World()
    world.submit(task("all", for_each=ForEach()))
    world.wait(5.0)
    assert world.row("all").reason == "no known device offers skill 'work'"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (7, "for_each needs a list of items, not int"),
        ({"$from": "list", "path": ["x"]}, "list has no 'x'"),
    ],
)
def test_what_is_no_list_cannot_be_expanded_over(source, reason):
    world = over(source, task("list"))
    world.finish("list", Succeeded({}))
    assert world.row("all").reason == reason


def test_an_item_without_what_the_arguments_name_fails_the_task():
    world = World()
    world.submit(task("all", for_each=ForEach([{}]), args={"n": {"$item": ["name"]}}))
    assert world.row("all").reason == "item has no 'name'"


def test_a_fan_out_is_bounded(monkeypatch):
    monkeypatch.setattr(progress, "MAX_FAN_OUT", 2)
    assert over([1, 2, 3]).row("all").reason == "for_each has 3 items, more than 2"


def test_a_fan_out_does_not_take_the_place_of_another_task():
    world = over([1], task("all[0]"))
    assert world.row("all").reason == "for_each would make 'all[0]', which is there already"
    world.do("all[0]")
    assert world.row("all[0]").parent is None


def test_the_planner_may_have_a_fan_out_made_again():
    world = over([1, 2], limits=RunLimits())
    world.finish("all[0]", Succeeded("old"))
    world.finish("all[1]", BAD)
    assert world.row("all").awaiting == "planner"

    again = task("all", for_each=ForEach([8, 9]), args=EACH)
    world.edit(ReplaceTask(again))
    world.do("all[0]", "all[1]")

    assert world.row("all").output["items"] == [8, 9]
    assert world.run().status == "succeeded"


def test_i7_a_fan_out_that_is_mended_keeps_what_its_parts_came_to():
    world = over([1, 2, 3], limits=RunLimits())
    world.finish("all[0]", Succeeded("one"))
    world.finish("all[1]", BAD)
    world.finish("all[2]", Succeeded("three"))
    said = len(world.offers)

    world.edit(ReplaceTask(task("all", for_each=ForEach([1, 2, 7]), args=EACH)))
    assert [offer.task for offer in [*world.offers.values()][said:]] == ["all[1]", "all[2]"]
    world.finish("all[1]", Succeeded("two"))
    world.finish("all[2]", Succeeded("seven"))

    assert world.row("all").output["results"] == ["one", "two", "seven"]
    assert world.run().status == "succeeded"


def test_i7_a_fan_out_over_devices_that_is_mended_asks_only_those_that_failed():
    world = World()
    world.device("d1")
    world.device("d2")
    world.submit(task("all", for_each=ForEach()), limits=RunLimits())
    world.finish("all[d1]", Succeeded("one"))
    world.finish("all[d2]", BAD)
    world.edit(ReplaceTask(task("all", for_each=ForEach(min_success=1))))
    world.finish("all[d2]", Succeeded("two"))
    assert len(world.ordered(c.Offer, task="all[d1]")) == 1
    assert world.row("all").output["results"] == ["one", "two"]


def test_i7_a_mended_fan_out_that_needs_no_more_joins_at_once():
    world = over([1], min_success=2, limits=RunLimits())
    world.finish("all[0]", Succeeded("one"))
    world.edit(ReplaceTask(task("all", for_each=ForEach([1]), args=EACH)))
    assert world.row("all").output["results"] == ["one"]
    assert len(world.offers) == 1


@pytest.mark.parametrize("other", [{"skill": "sum"}, {"args": {"n": 5}}])
def test_parts_that_would_do_other_work_are_done_again(other):
    world = over([1, 2], limits=RunLimits())
    world.tell(e.Announced(card("d", "work", "sum", slots=20), online=True))
    world.finish("all[0]", Succeeded("old"))
    world.finish("all[1]", BAD)
    changed = {"skill": "work", "args": EACH} | other
    world.edit(ReplaceTask(task("all", for_each=ForEach([1, 2]), **changed)))
    assert len(world.ordered(c.Offer, task="all[0]")) == 2


def test_cancelling_a_fan_out_cancels_its_parts():
    world = over([1, 2, 3], task("next"), edge("all", "next"))
    world.do("all[0]")
    world.edit(CancelTask("all"))
    assert world.states() == {
        "all": "cancelled",
        "next": "skipped",
        "all[0]": "succeeded",
        "all[1]": "cancelling",
        "all[2]": "cancelling",
    }
    world.wait(60.0)
    assert world.run().status == "failed"


def test_cancelling_every_part_fails_the_join():
    world = over([1])
    world.edit(CancelTask("all"), CancelTask("all[0]"))
    world.wait(60.0)
    assert world.run().ended_at is not None
    assert not world.happened(f.TaskJoined)


def test_a_part_that_was_cancelled_is_missing_with_its_reason():
    world = over([1, 2], min_success=0)
    for name in ("all[0]", "all[1]"):
        world.edit(CancelTask(name))
    world.wait(60.0)
    assert [part["item"] for part in world.row("all").output["missing"]] == [1, 2]


def test_parts_may_refer_to_outputs_of_other_tasks():
    world = World()
    world.device("d", slots=5)
    args = {"n": {"$item": []}, "from": {"$from": "a", "path": [0]}}
    world.submit(task("a"), task("all", for_each=ForEach([1]), args=args))
    world.finish("a", Succeeded(["x"]))
    assert world.offer("all[0]").args == {"n": 1, "from": "x"}


def test_an_output_without_what_the_arguments_name_fails_the_task():
    world = World()
    world.device("d")
    world.submit(task("a"), task("b", args={"x": {"$from": "a", "path": ["rows", 3]}}))
    world.finish("a", Succeeded({"rows": [1]}))
    assert world.row("b").reason == "its arguments cannot be filled: a.rows has no 3"


def test_needs_of_the_task_hold_for_its_parts():
    world = World()
    world.device("d1")
    world.device("d2")
    needs = Needs(device=DeviceId("d2"))
    world.submit(task("all", for_each=ForEach([1, 2]), needs=needs))
    assert {offer.device for offer in world.offers.values()} == {"d2"}


def test_parts_for_other_items_are_done_again_even_if_their_arguments_name_none():
    world = World()
    world.device("d", slots=9)
    world.submit(task("all", for_each=ForEach([1, 2])), limits=RunLimits())
    world.finish("all[0]", Succeeded("old"))
    world.finish("all[1]", BAD)
    world.edit(ReplaceTask(task("all", for_each=ForEach([7, 2]))))
    assert len(world.ordered(c.Offer, task="all[0]")) == 2
