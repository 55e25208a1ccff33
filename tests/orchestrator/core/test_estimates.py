"""Learned durations, and numbers without chance."""

import math
import re

import pytest

from orchestrator.core.chance import identifier, unit
from orchestrator.core.estimates import (
    LATE,
    MEMORY,
    PRIOR_BYTES,
    PRIOR_S,
    SPREAD,
    Estimates,
    Links,
    Mean,
    artifact_bytes,
    remaining_s,
)
from protocol.types import DeviceId

FAST, SLOW = DeviceId("fast"), DeviceId("slow")


def test_a_declared_estimate_is_the_prior_and_scales_with_speed():
    estimates = Estimates()
    assert estimates.seconds("s", FAST, speed=4.0, declared=8.0) == 2.0
    assert estimates.seconds("s", FAST, speed=1.0, declared=None) == PRIOR_S


def test_measurements_pull_the_estimate_from_the_prior():
    estimates = Estimates()
    seen = []
    for _ in range(100):
        estimates.observe("s", SLOW, 10.0, speed=1.0, declared=1.0)
        seen.append(estimates.seconds("s", SLOW, speed=1.0, declared=1.0))
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(10.0, rel=0.1)


def test_what_one_device_shows_is_the_prior_for_another_by_speed():
    estimates = Estimates()
    estimates.observe("s", SLOW, 8.0, speed=0.5)
    assert estimates.seconds("s", FAST, speed=2.0, declared=None) == pytest.approx(2.0)


def test_a_mean_follows_drift():
    estimates = Estimates()
    for _ in range(1000):
        estimates.observe("s", SLOW, 1.0, speed=1.0)
    for _ in range(int(3 * MEMORY)):
        estimates.observe("s", SLOW, 5.0, speed=1.0)
    assert estimates.reference("s", None) > 4.5


def test_tasks_of_one_skill_may_differ_in_size():
    """What a device learns is how it compares with what was declared."""
    estimates = Estimates()
    for declared in (1.0, 10.0, 100.0) * 40:
        estimates.observe("s", SLOW, 3.0 * declared, speed=1.0, declared=declared)
    assert estimates.seconds("s", SLOW, speed=1.0, declared=7.0) == pytest.approx(21.0, rel=0.1)


def test_what_takes_no_time_teaches_nothing_of_a_device():
    estimates = Estimates()
    estimates.observe("s", SLOW, 5.0, speed=1.0, declared=0.0)
    assert estimates.pace("s", SLOW, speed=2.0) == 0.5


def test_what_is_saved_comes_back_and_a_device_that_left_is_forgotten():
    estimates, again = Estimates(), Estimates()
    estimates.observe("s", SLOW, 8.0, speed=1.0, declared=2.0)
    estimates.observe("s", FAST, 1.0, speed=1.0, declared=2.0)
    value, weight, ratios = estimates.saved("s")
    again.load("s", Mean(value, weight), ratios)
    assert list(again.skills()) == ["s"]
    assert again.saved("s") == (4.5, 2.0, ((SLOW, 4.0, 1.0), (FAST, 0.5, 1.0)))
    again.forget(SLOW)
    assert again.saved("s")[2] == ((FAST, 0.5, 1.0),)


def test_a_link_has_the_rate_that_either_end_declares():
    links = Links()
    assert links.per_byte(SLOW, FAST) == 0.0
    links.declare(SLOW, {FAST: 4.0})
    assert links.per_byte(SLOW, FAST) == links.per_byte(FAST, SLOW) == 0.25
    assert links.per_byte(SLOW, SLOW) == links.per_byte(FAST, DeviceId("other")) == 0.0
    links.forget(SLOW)
    assert links.per_byte(SLOW, FAST) == 0.0


def test_a_link_is_as_fast_as_the_slower_of_its_ends():
    links, other = Links(), DeviceId("other")
    assert not links
    links.attach(SLOW, 2.0)
    links.attach(FAST, 8.0)
    assert links
    assert links.per_byte(SLOW, FAST) == links.per_byte(FAST, SLOW) == 0.5
    assert links.per_byte(FAST, other) == 0.125
    links.attach(SLOW, None)
    assert links.per_byte(SLOW, FAST) == 0.125
    links.declare(FAST, {SLOW: 4.0})
    assert links.per_byte(SLOW, FAST) == 0.25
    assert links.per_byte(FAST, other) == 0.125
    links.forget(FAST)
    assert not links


def test_what_was_measured_corrects_a_link_the_more_the_more_bytes_it_is_of():
    links = Links()
    links.attach(SLOW, 1e6)
    seen = []
    for _ in range(9):
        links.observe(FAST, SLOW, PRIOR_BYTES, PRIOR_BYTES / 1e5)
        seen.append(links.per_byte(FAST, SLOW))
    assert seen[0] == pytest.approx((1e-6 + 1e-5) / 2)
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1e-5, rel=0.2)
    assert links.per_byte(SLOW, FAST) == 1e-6


def test_a_link_that_nobody_declares_is_what_was_measured_and_follows_it():
    links = Links()
    links.observe(FAST, SLOW, 100.0, 1.0)
    assert links.per_byte(FAST, SLOW) == pytest.approx(0.01)
    for _ in range(40):
        links.observe(FAST, SLOW, 100.0, 4.0)
    assert links.per_byte(FAST, SLOW) == pytest.approx(0.04, rel=0.05)
    links.forget(SLOW)
    assert links.per_byte(FAST, SLOW) == 0.0


def test_so_many_links_are_remembered(monkeypatch):
    monkeypatch.setattr("orchestrator.core.estimates.PAIRS", 2)
    links, names = Links(), [DeviceId(f"{n}") for n in range(3)]
    for name in names:
        links.observe(name, SLOW, 1.0, 1.0)
    assert [links.per_byte(name, SLOW) for name in names] == [0.0, 1.0, 1.0]


def test_what_is_left_is_the_mean_of_durations_that_are_longer():
    """Against the mean by numbers: the log-normal tail, integrated."""
    mu = math.log(10.0) - SPREAD**2 / 2
    step = 0.001
    grid = [math.exp(mu + SPREAD * (-8 + n * step)) for n in range(int(16 / step))]
    weight = [math.exp(-((-8 + n * step) ** 2) / 2) for n in range(int(16 / step))]
    for age in (3.0, 10.0, 15.0):
        tail = [(x, w) for x, w in zip(grid, weight, strict=True) if x > age]
        mean = sum(x * w for x, w in tail) / sum(w for _, w in tail)
        assert remaining_s(10.0, age) == pytest.approx(mean - age, rel=0.01)


def test_what_has_not_begun_takes_all_of_its_time_and_what_is_absurdly_late_a_share_of_its_age():
    assert remaining_s(10.0, 0.0) == remaining_s(10.0, -1.0) == 10.0
    assert remaining_s(0.0, 5.0) == 0.0
    assert remaining_s(1.0, 1000.0) == LATE * 1000.0


def test_a_result_is_as_big_as_the_artifacts_in_it():
    one = {"$artifact": {"size_bytes": 7, "name": "x"}}
    assert artifact_bytes([one, {"more": [one], "text": "a" * 99}, 3, None]) == 14.0


def test_numbers_are_the_same_for_ever_and_differ_by_seed_purpose_and_count():
    assert unit(1, "x", 1) == unit(1, "x", 1)
    assert len({unit(1, "x", 1), unit(2, "x", 1), unit(1, "y", 1), unit(1, "x", 2)}) == 4
    assert all(0.0 <= unit(0, "x", n) < 1.0 for n in range(100))


def test_an_id_has_the_form_of_a_random_uuid():
    form = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}"
    assert re.fullmatch(form, identifier(1, "attempt", 1))
