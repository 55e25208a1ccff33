"""Which history speaks for a gap, and what a reload is taken to cost."""

import pytest

from orchestrator.core.retention.gaps import ENOUGH
from orchestrator.core.retention.keys import LOADS_KEPT, GapHistories, GapKey, LoadTimes, Utility
from protocol.types import DeviceId

KEY = GapKey("kv", "ask", "phone")


@pytest.mark.parametrize(
    ("seen", "speaks"),
    [
        (GapKey("kv", "ask", "phone"), GapKey("kv", "ask", "phone")),
        (GapKey("kv", "ask", "human"), GapKey(skill="ask")),
        (GapKey("browser", "ask", "phone"), GapKey(skill="ask")),
        (GapKey("kv", "test", "edge"), GapKey(kind="kv")),
        (GapKey("browser", "test", "edge"), GapKey()),
    ],
)
def test_the_finest_key_with_enough_samples_speaks(seen, speaks):
    histories = GapHistories()
    for _ in range(ENOUGH):
        histories.add(seen, 5.0)
    key, gaps = histories.speaking(KEY)
    assert key == speaks
    assert gaps.lease_s(9.0) == 5.0


def test_a_key_speaks_from_20_samples_on():
    histories = GapHistories()
    for _ in range(ENOUGH - 1):
        histories.add(KEY, 5.0)
    assert histories.speaking(KEY)[1].lease_s(9.0) == 9.0
    histories.add(KEY, 100.0, cut=True)
    assert histories.speaking(KEY)[0] == KEY
    assert histories.speaking(KEY)[1].lease_s(9.0) == 5.0


def test_beyond_its_bound_no_key_is_begun_and_the_coarser_ones_speak():
    histories = GapHistories(kept=6)
    histories.add(KEY, 1.0)
    for n in range(100):
        histories.add(GapKey("kv", "ask", f"class {n % 7}"), 1.0)
        assert len(histories) <= 6
    assert histories.speaking(GapKey("kv", "ask", "class 6"))[0] == GapKey(skill="ask")
    assert len(histories.speaking(GapKey(kind="kv"))[1]) == 101
    assert len(histories.speaking(GapKey())[1]) == 101


def test_what_was_learned_can_be_saved_and_taken_back():
    histories, again = GapHistories(), GapHistories()
    histories.add(KEY, 5.0)
    histories.add(KEY, 3.0, cut=True)
    for key in histories:
        again.load(key, histories.known(key) or ())
    assert [(key, again.known(key)) for key in again] == [
        (key, ((5.0, False), (3.0, True))) for key in (GapKey(), *KEY.levels()[:-1])
    ]
    assert histories.known(GapKey("other")) is None


def test_a_reload_costs_the_median_of_the_last_loads_there():
    loads = LoadTimes()
    here, there = DeviceId("here"), DeviceId("there")
    assert loads.reload_s("model", here, 4.0) == 4.0
    for load_s in (1.0, 9.0, 2.0):
        loads.add("model", here, load_s)
    assert loads.reload_s("model", here, 4.0) == 2.0
    for _ in range(LOADS_KEPT):
        loads.add("model", here, 7.0)
    assert loads.reload_s("model", here) == 7.0
    assert loads.reload_s("model", there) == 7.0  # as where it was loaded last
    assert loads.reload_s("browser", here) == 0.0
    loads.add("model", there, 3.0)
    loads.forget(here)
    assert (loads.of(here), loads.of(there)) == ((), (("model", (3.0,)),))
    assert (loads.reload_s("model", here), loads.reload_s("model", there)) == (3.0, 3.0)


def test_utility_is_work_for_each_second_of_loading_over_all_loads():
    loads = LoadTimes()
    here, there = DeviceId("here"), DeviceId("there")
    for _ in range(2 * LOADS_KEPT):
        loads.add("model", here, 2.0)
        loads.ran("model", here, 5.0)
    loads.ran("model", there, 1.0)
    assert loads.utility(here) == {"model": (160.0, 64.0)}
    assert loads.utility(here)["model"].ratio == 2.5
    assert loads.utility(there)["model"].ratio is None  # it was found warm
    assert loads.utility(DeviceId("nowhere")) == {}


def test_utility_goes_on_from_what_was_saved_and_goes_with_its_device():
    loads, here = LoadTimes(), DeviceId("here")
    loads.add("model", here, 2.0)  # the last ones, as they are restored
    loads.resume("model", here, Utility(50.0, 20.0))
    loads.add("model", here, 2.0)
    loads.ran("model", here, 5.0)
    assert loads.utility(here) == {"model": (55.0, 22.0)}
    loads.forget(here)
    assert loads.utility(here) == {}
