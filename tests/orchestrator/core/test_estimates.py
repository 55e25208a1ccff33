"""Learned durations, and numbers without chance."""

import re

import pytest

from orchestrator.core.chance import identifier, unit
from orchestrator.core.estimates import MEMORY, PRIOR_S, Estimates
from protocol.types import DeviceId

FAST, SLOW = DeviceId("fast"), DeviceId("slow")


def test_a_declared_estimate_is_the_prior_and_scales_with_speed():
    estimates = Estimates()
    assert estimates.seconds("s", FAST, speed=4.0, declared=8.0) == 2.0
    assert estimates.seconds("s", FAST, speed=1.0, declared=None) == PRIOR_S


def test_measurements_pull_the_estimate_from_the_prior():
    estimates = Estimates()
    seen = []
    for _ in range(50):
        estimates.observe("s", SLOW, 10.0, speed=1.0)
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


def test_numbers_are_the_same_for_ever_and_differ_by_seed_purpose_and_count():
    assert unit(1, "x", 1) == unit(1, "x", 1)
    assert len({unit(1, "x", 1), unit(2, "x", 1), unit(1, "y", 1), unit(1, "x", 2)}) == 4
    assert all(0.0 <= unit(0, "x", n) < 1.0 for n in range(100))


def test_an_id_has_the_form_of_a_random_uuid():
    form = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}"
    assert re.fullmatch(form, identifier(1, "attempt", 1))
