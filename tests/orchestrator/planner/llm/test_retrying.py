import pytest

from orchestrator.planner.llm.retrying import LAST_S, backoff_s, retry_after_s

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


def test_back_off_doubles_with_seeded_jitter_up_to_its_bound():
    pauses = [backoff_s(7, "x", n) for n in range(1, 9)]
    assert pauses == [backoff_s(7, "x", n) for n in range(1, 9)]
    assert pauses != [backoff_s(8, "x", n) for n in range(1, 9)]
    for n, pause in enumerate(pauses):
        assert 0.8 * min(2.0**n, LAST_S) <= pause < 1.2 * min(2.0**n, LAST_S)
