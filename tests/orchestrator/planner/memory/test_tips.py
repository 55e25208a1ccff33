import pytest

from orchestrator.planner.memory.aging import HALF_LIFE_S
from orchestrator.planner.memory.experience import Try
from orchestrator.planner.memory.tips import MOST_TIPS, OFFERED, learned, matching, normalised
from protocol.types import FailureKind


def late(device="nas", skill="look", reason="no answer in 5 s", kind="timeout"):
    return Try("a", skill, device, FailureKind(kind), reason)


def learn(tips, *tried, now=0.0, succeeded=False, classes=None):
    return learned(tips, tried, now, succeeded=succeeded, classes=classes or {})


def test_a_failure_leaves_a_line_that_says_what_then_worked():
    (tip,) = learn((), late(), Try("a", "look", "pi"))
    assert tip.line == (
        "look failed on nas once (timeout: no answer in N s); trying again on pi worked (1 of 1)"
    )


def test_a_failure_that_nothing_mended_says_so():
    (tip,) = learn((), late())
    assert tip.line == "look failed on nas once (timeout: no answer in N s); nothing tried worked"


def test_a_tip_is_there_for_who_asks_much_the_same():
    tips = learned((), [late()], 0.0, succeeded=False, classes={}, request="print the poster")
    assert matching(tips, "print a big poster", (), 0.0) == tips
    assert matching(tips, "paint the house", (), 0.0) == ()


def test_the_request_of_a_tip_is_the_last_one_short_and_without_secrets():
    tips = learned((), [late()], 0.0, succeeded=False, classes={}, request="print the poster")
    asked = f"log in with password=hunter2 {'x' * 500}"
    (tip,) = learned(tips, [late()], 1.0, succeeded=False, classes={}, request=asked)
    assert tip.request.startswith("log in with password=[secret-1] xx")
    assert len(tip.request) == 200


def test_tips_that_are_alike_become_one():
    tips = learn((), late(reason="no answer in 5 s"), Try("a", "look", "pi"))
    tips = learn(tips, late(reason="no  answer in 17 s"), Try("a", "look", "pi"), now=9.0)
    tips = learn(tips, late(), Try("a", "look", "nas"), now=10.0)
    (tip,) = tips
    assert (tip.times, tip.wall) == (3, 10.0)
    assert tip.remedies == {"trying again on pi worked": 2, "trying again there worked": 1}
    assert tip.line.endswith("trying again on pi worked (2 of 3)")


@pytest.mark.parametrize(
    "other",
    [late("pi"), late(skill="peek"), late(reason="other"), late(kind="transient")],
)
def test_what_differs_is_a_tip_of_its_own(other):
    assert len(learn((), late(), other)) == 2


def test_devices_of_a_class_share_a_tip():
    classes = {"nas": "server", "big": "server", "pi": "sensor"}
    tips = learn((), late("nas"), late("big"), late("pi"), classes=classes)
    assert [(each.device, each.device_class, each.times) for each in tips] == [
        ("", "server", 2),
        ("pi", "sensor", 1),
    ]
    assert "failed on devices of class server 2 times" in tips[0].line


def test_wrong_arguments_are_wrong_on_every_device():
    (tip,) = learn((), late("nas", kind="bad_input"), late("pi", kind="bad_input"))
    assert tip.line.startswith("look failed 2 times (bad input: ")


def test_the_oldest_and_least_used_go_first():
    tips = learn(
        (), *(late(reason=f"reason {chr(97 + n % 26)}{n // 26 * 'x'}") for n in range(MOST_TIPS))
    )
    assert len(tips) == MOST_TIPS
    used = tuple(t.model_copy(update={"used": n % 2}) for n, t in enumerate(tips))
    after = learn(used, late(reason="new"), now=HALF_LIFE_S / 2)
    assert len(after) == MOST_TIPS
    assert "new" in [each.reason for each in after]
    assert sum(each.used for each in after) == MOST_TIPS // 2


def test_a_tip_that_is_twice_a_half_life_old_makes_room_even_if_it_was_used():
    tips = learn(
        (), *(late(reason=f"{chr(97 + n % 26)}{n // 26 * 'x'}") for n in range(MOST_TIPS))
    )
    used = tuple(each.model_copy(update={"used": 1}) for each in tips)
    assert "new" in [t.reason for t in learn(used, late(reason="new"), now=2 * HALF_LIFE_S)]


def test_tips_of_the_skills_matter_and_of_devices_that_the_request_names():
    tips = learn(
        (), late("nas", "look"), late("pi", "look"), late("pi", "write"), late("x", "send")
    )
    found = matching(tips, "look at pi", {"look"}, 0.0)
    assert [(each.device, each.skill) for each in found] == [
        ("pi", "look"),
        ("pi", "write"),
        ("nas", "look"),
    ]
    assert matching(tips, "other things", set(), 0.0) == ()


def test_only_a_few_are_offered_the_most_frequent_first():
    tips = learn((), *(late(f"d{n}") for n in range(9)), late("d5"))
    found = matching(tips, "x", {"look"}, 0.0)
    assert len(found) == OFFERED
    assert found[0].device == "d5"


@pytest.mark.parametrize(
    ("reason", "plain"),
    [
        ("took 3.5 s,  limit\n2", "took N s, limit N"),
        ("at 0xdeadbeef", "at N"),
        ("run 0f3b9a12c4 of 8d3f9a10-1111-2222-3333-0123456789ab", "run N of N"),
        ("facade", "facade"),
        ("denied: password=hunter2", "denied: password=[secret-N]"),
        ("x" * 500, "x" * 159 + "…"),
    ],
)
def test_reasons_are_told_without_what_changes(reason, plain):
    assert normalised(reason) == plain
