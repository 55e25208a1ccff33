"""What is known over all devices: bounds, and what goes with a device."""

from orchestrator.core.retention.gaps import ENOUGH
from orchestrator.core.retention.keys import GapKey
from orchestrator.core.retention.warmth import SKILLS_KEPT, OpenGap, Warmth
from protocol.types import DeviceId, Resource

HERE, THERE = DeviceId("here"), DeviceId("there")
MODEL = Resource("model", "m")


def test_run_times_speak_once_there_are_enough_and_of_so_many_skills_only():
    warmth = Warmth()
    for n in range(SKILLS_KEPT + 5):
        for _ in range(ENOUGH):
            warmth.ran(f"skill {n}", HERE, 2.0)
    assert len(warmth.durations[HERE]) == SKILLS_KEPT
    assert warmth.duration("skill 0", HERE) is not None
    assert warmth.duration(f"skill {SKILLS_KEPT}", HERE) is None
    assert warmth.duration("skill 0", THERE) is None
    warmth.ran("skill 0", THERE, 2.0)
    assert warmth.duration("skill 0", THERE) is None  # one says nothing


def test_a_device_that_left_takes_its_places_gaps_and_times():
    warmth = Warmth()
    for device in (HERE, THERE):
        warmth.here(MODEL, device, idle=device == HERE)
        warmth.open(MODEL, device, OpenGap(1.0, GapKey("model", "search")))
        warmth.ran("search", device, 1.0)
    warmth.forget(HERE)
    assert (set(warmth.at[MODEL]), set(warmth.gaps[MODEL])) == ({THERE}, {THERE})
    assert not warmth.idle
    warmth.forget(THERE)
    assert (warmth.at, warmth.gaps, warmth.durations) == ({}, {}, {})


def test_the_chance_of_reuse_begins_at_one_half_and_follows_what_is_seen():
    warmth = Warmth()
    assert warmth.reuse_share("model") == 0.5
    for reused in (True, True, False):
        warmth.revised("model", reused=reused)
    assert warmth.reuse_share("model") == 0.6
