"""Numbers without chance, many of them."""

import pytest

from orchestrator.core.chance import Stream

FIRST = (
    *(6457827717110365317, 3203168211198807973, 9817491932198370423),
    *(4593380528125082431, 16408922859458223821),
)
"""What SplitMix64 begins with from seed 1234567, as its authors' code prints it."""
LOWEST, HIGHEST = 0x61C8864680B583EB, 0x31628AF67B2131AB
"""Seeds whose first number is 0 and 2⁶⁴ - 1: each step of the generator can be undone."""


def test_numbers_are_those_that_were_published():
    stream = Stream(1234567)
    assert [int(stream.unit() * 2**53) for _ in FIRST] == [number >> 11 for number in FIRST]


def test_numbers_reach_0_but_never_1():
    assert Stream(LOWEST).unit() == 0.0
    assert Stream(HIGHEST).unit() == 1.0 - 2.0**-53


@pytest.mark.parametrize("count", [1, 2, 3, 5, 7, 10_001, 2**40 + 1])
def test_what_is_below_a_count_is_never_that_count(count):
    assert Stream(LOWEST).below(count) == 0
    assert Stream(HIGHEST).below(count) == count - 1


def test_all_that_are_below_a_count_come_as_often():
    stream = Stream(0)
    drawn = [stream.below(5) for _ in range(5000)]
    assert all(900 < drawn.count(number) < 1100 for number in range(5))


def test_any_whole_number_is_a_seed():
    assert Stream(-1).unit() == Stream(2**64 - 1).unit() == Stream(2**65 - 1).unit()
    assert len({Stream(seed).unit() for seed in range(100)}) == 100
