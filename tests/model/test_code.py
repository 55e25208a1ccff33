"""The code, held to the model: random walks, and each rule that the code must keep."""

from collections import Counter

from tests.model.replay import Code
from tests.model.walk import walk
from tests.model.words import Held, Order, Phase, Report, Task, World

OFFER = Order("offer", 0, 0, epoch=1, life=1)


def played(*labels, once=True):
    code = Code(World(once=once))
    for label in labels:
        code.step(label)
    return code


def test_i4_i9_i12_i13_the_code_goes_where_the_model_goes():
    used = Counter()
    for seed in range(30):
        for once in (True, False):
            walk(seed, once=once, used=used)
    done = {kind for kind, times in used.items() if times >= 3}
    assert {kind[0] for kind in done} == {
        "adopt", "announce", "beat", "crash", "deliver", "expire", "finish", "hello", "lapse",
        "lose_disk", "miss", "repeat", "restart",
    }  # fmt: skip
    replies = {("deliver", "owner", what) for what in ("started", "done", "lost", "refused", "")}
    orders = {("deliver", what) for what in ("offer", "ack", "refuse", "cancel")}
    assert {(*each, idle) for each in replies | orders for idle in (True, False)} <= done


def test_i13_a_duplicate_of_a_forgotten_offer_from_a_later_epoch_starts_nothing():
    """`floor_epochs`"""
    again = Order("offer", 0, 0, epoch=2, life=1)
    code = played(
        ("deliver", OFFER),
        ("restart",),
        ("repeat", "owner", 0),
        ("finish", 0, 0, "DONE"),
        ("deliver", "owner", Report("done", 0, 0, 1)),
        ("deliver", Order("ack", 0, 0, epoch=2)),
        ("crash", 0),
        ("deliver", again),
    )
    assert code.seen().starts == 1


def test_i13_an_offer_to_a_life_that_is_over_starts_nothing():
    """`offers_name_life`"""
    code = played(("deliver", OFFER), ("lose_disk", 0), ("deliver", OFFER))
    assert code.seen().starts == 1


def test_i13_the_word_of_another_life_is_no_promise_that_an_attempt_never_started():
    """`reports_name_life`"""
    code = played(
        ("hello", "owner", 0),
        ("deliver", OFFER),
        ("miss", "owner", 0),
        ("lose_disk", 0),
        ("lapse", "owner", 0),
        ("deliver", "owner", Held(0, 1, 1, held=(), asked=())),
        ("deliver", Order("refuse", 0, 0, epoch=1)),
        ("deliver", "owner", Report("refused", 0, 0, 2)),
    )
    assert code.seen().owner.task is Task.UNKNOWN


def test_i12_a_late_heartbeat_of_a_life_that_is_over_changes_nothing():
    """`lives_end`"""
    code = played(("deliver", OFFER), ("lose_disk", 0), ("beat", "owner", 0, 2))
    before = code.seen()
    code.step(("beat", "owner", 0, 1))
    assert code.seen() == before


def test_an_old_coordinator_acknowledges_no_result_of_an_attempt_that_it_never_made():
    """`ack_epochs`"""
    code = played(
        ("hello", "owner", 0),
        ("miss", "owner", 0),
        ("lapse", "owner", 0),
        ("deliver", "owner", Held(0, 1, 1, held=(), asked=())),
        ("deliver", Order("refuse", 0, 0, epoch=1)),
        ("adopt",),
        ("deliver", "owner", Report("refused", 0, 0, 1)),
    )
    device = code.device_of_last()
    offer = Order("offer", 1, device, epoch=2, life=1)
    for label in (
        ("deliver", offer),
        ("finish", device, 1, "DONE"),
        ("deliver", "old", Report("done", 1, device, 1)),
    ):
        code.step(label)
    ack = Order("ack", 1, device, epoch=1)
    if ack in code.sent():
        code.step(("deliver", ack))
    assert code.seen().devices[device].holds[1].phase is Phase.DONE
