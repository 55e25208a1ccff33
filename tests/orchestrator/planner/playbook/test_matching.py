import re

import pytest

from orchestrator.planner.playbook.matching import match, phrase_pattern


def found(request, *phrases):
    return match([re.compile(phrase_pattern(each), re.IGNORECASE) for each in phrases], request)


def test_a_phrase_matches_whatever_the_case_white_space_and_full_stop():
    assert found("  List  ALL my devices. ", "list all my devices").score == 1.0


def test_parameters_take_one_or_more_words():
    match = found("copy my new files from a to the big box", "copy {what} from {a} to {b}")
    assert match.parameters == {"what": "my new files", "a": "a", "b": "the big box"}


def test_the_score_is_the_share_that_the_phrase_says_itself():
    assert found("check abcde", "check {what}").score == pytest.approx(0.5)


def test_a_request_that_says_more_than_the_phrase_does_not_match():
    assert found("list all devices and reboot them", "list all devices") is None


@pytest.mark.parametrize("request_", ["find files", "find all files", "find all the files now"])
def test_words_in_square_brackets_may_be_missing(request_):
    assert found(request_, "find [all] [the] files [now]").score == 1.0


def test_a_parameter_in_missing_words_is_not_given():
    assert found("disk space", "disk space [of every {role}]").parameters == {}


def test_a_parameter_may_be_a_part_of_a_word():
    assert found("from all servers", "from all {role}s").parameters == {"role": "server"}


def test_the_most_specific_phrase_gives_the_score():
    assert found("check disk space", "check {what}", "check disk space").score == 1.0


def test_signs_of_regular_expressions_are_plain_text_in_phrases():
    assert found("what (now", "what (now").score == 1.0
    assert found("aab", "a+b") is None


def test_an_empty_request_matches_nothing():
    assert found(" . ", "[a]") is None


@pytest.mark.parametrize("phrase", ["a {b", "a b}", "[a", "a]", "[a [b]]", "{a b}", "{1}"])
def test_brackets_that_do_not_pair_are_refused(phrase):
    with pytest.raises(ValueError, match="do not pair"):
        phrase_pattern(phrase)
