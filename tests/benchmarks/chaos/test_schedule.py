from collections import Counter

from benchmarks.chaos.schedule import CUT_S, DECK, Target, Way, schedule
from benchmarks.chaos.site import LEASE_S


def test_same_seed_draws_the_same_kills_and_another_one_others():
    assert schedule(40, seed=1) == schedule(40, seed=1)
    assert schedule(40, seed=1) != schedule(40, seed=2)


def test_shorter_campaign_is_the_beginning_of_a_longer_one():
    assert schedule(5, seed=1) == schedule(50, seed=1)[:5]


def test_every_twenty_kills_have_the_whole_mix():
    strikes = schedule(40, seed=3)

    for deck in (strikes[:20], strikes[20:]):
        assert Counter((each.target, each.way) for each in deck) == Counter(DECK)


def test_cuts_are_drawn_around_the_lease_and_most_outlast_it():
    cuts = [each.away_s for each in schedule(400, seed=0) if each.way is Way.CUT]

    assert CUT_S[0] < LEASE_S < CUT_S[1]
    assert 0.5 < sum(away_s > LEASE_S for away_s in cuts) / len(cuts) < 0.9


def test_coordinator_and_broker_are_hit_too():
    assert {each.target for each in schedule(20, seed=0)} == set(Target)
