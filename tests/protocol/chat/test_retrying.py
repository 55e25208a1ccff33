import pytest

from protocol.chat.exchange import ModelError, TryAgainError
from protocol.chat.retrying import LAST_S, backoff_s, pause_s, retry_after_s

DATE = "Wed, 21 Oct 2026 07:28:00 GMT"


@pytest.mark.parametrize(
    ("value", "date", "seconds"),
    [
        ("7", "", 7.0),
        ("0", DATE, 0.0),
        ("Wed, 21 Oct 2026 07:28:30 GMT", DATE, 30.0),
        ("Wed, 21 Oct 2026 07:27:00 GMT", DATE, 0.0),
        ("Wed, 21 Oct 2026 07:28:30 GMT", "", None),
        ("Wed, 21 Oct 2026 07:28:30 -0000", DATE, None),
        ("-3", DATE, None),
        ("soon", DATE, None),
        ("", "", None),
    ],
)
def test_both_forms_of_retry_after_are_read(value, date, seconds):
    assert retry_after_s(value, date) == seconds


@pytest.mark.parametrize("chance", [0.0, 0.5, 0.99])
def test_back_off_doubles_with_jitter_up_to_its_bound(chance):
    pauses = [backoff_s(n, chance) for n in range(1, 9)]
    for n, pause in enumerate(pauses):
        assert pause == pytest.approx((0.8 + 0.4 * chance) * min(2.0**n, LAST_S))


@pytest.mark.parametrize(
    ("error", "n", "wait_s"),
    [
        (TryAgainError("busy"), 1, 0.8),
        (TryAgainError("busy"), 2, 1.6),
        (TryAgainError("busy", retry_after_s=7.0), 1, 7.0),
        (TryAgainError("busy", retry_after_s=61.0), 1, None),
        (TryAgainError("busy"), 3, None),
        (ModelError("no"), 1, None),
    ],
)
def test_there_is_another_try_where_it_may_help(error, n, wait_s):
    found = pause_s(error, n, 0.0, tries=3, longest_s=60.0)
    assert found == (None if wait_s is None else pytest.approx(wait_s))
