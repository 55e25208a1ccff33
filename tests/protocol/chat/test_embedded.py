import pytest

from protocol.chat.embedded import STARTS, candidates


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (' {"a": 1} ', ['{"a": 1}', '{"a": 1}']),
        ("<think>{1}</think> x", ["x"]),
        ('a {"b": "}"} c {"d": {}} e', ['a {"b": "}"} c {"d": {}} e', '{"b": "}"}', '{"d": {}}']),
        ('{ "x \\" {"y": 2}', ['{ "x \\" {"y": 2}', '{"y": 2}']),
        ("none", ["none"]),
    ],
)
def test_json_is_found_between_other_words(text, found):
    assert list(candidates(text)) == found


def test_braces_without_end_are_looked_at_a_bounded_number_of_times():
    assert len(list(candidates("{ " * 1000))) == 1
    assert len(list(candidates("{} " * 1000))) == 1 + STARTS
