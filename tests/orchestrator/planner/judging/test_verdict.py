"""What is taken for a verdict, and what is not."""

import json

import pytest

from orchestrator.planner.judging.verdict import (
    REASON_CHARACTERS,
    REASONS,
    UnfitError,
    Verdict,
    verdict,
)
from protocol.chat.exchange import Finish, Reply, Usage


def said(text, finish=Finish.STOP):
    return verdict(Reply(text if isinstance(text, str) else json.dumps(text), finish, Usage()))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ({"score": 0.8, "reasons": ["all is there", "slow"]}, (0.8, ("all is there", "slow"))),
        ({"score": 1}, (1.0, ())),
        (
            "Well: ```json\n" + '{"score": 0, "reasons": [" no\\n way ", ""]}```',
            (0.0, ("no way",)),
        ),
    ],
)
def test_a_verdict_is_read_from_its_words(text, expected):
    assert said(text) == Verdict(*expected)


@pytest.mark.parametrize(
    "text",
    [
        "I think it went well.",
        "",
        {"score": 1.5, "reasons": []},
        {"score": -0.1, "reasons": []},
        {"score": "0.8", "reasons": []},
        {"score": True},
        {"reasons": ["x"]},
        {"score": 0.5, "reasons": "x"},
        {"score": 0.5, "reasons": [], "cancel": "the run"},
        '{"score": NaN, "reasons": []}',
        '{"score": 0.5, "reasons": ["\\ud800"]}',
        [{"score": 0.5}] * 0,
    ],
)
def test_what_is_no_verdict_is_none(text):
    with pytest.raises(UnfitError):
        said(text)


def test_a_refusal_is_no_verdict():
    with pytest.raises(UnfitError, match="refuses"):
        said({"score": 1.0}, Finish.REFUSED)


def test_reasons_are_few_short_and_without_secrets():
    found = said({"score": 0.5, "reasons": ["password=hunter22", "x" * 9999, "c", "d", "e"]})
    assert len(found.reasons) == REASONS
    assert "hunter22" not in found.reasons[0]
    assert all(len(each) < REASON_CHARACTERS + 40 for each in found.reasons)
