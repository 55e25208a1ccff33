"""Means with intervals."""

import pytest

from benchmarks.pinning.interval import interval


def test_one_value_has_no_interval():
    assert interval([3.0]) == (3.0, 3.0, 3.0)


def test_few_values_are_trusted_less():
    assert interval([1.0, 3.0]) == pytest.approx((2.0, 2.0 - 12.71, 2.0 + 12.71))
    many = interval([1.0, 3.0] * 50)
    assert many.mean - many.low == pytest.approx(1.96 * 1.00504 / 10, rel=1e-3)
