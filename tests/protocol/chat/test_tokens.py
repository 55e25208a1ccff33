import pytest

from protocol.chat.tokens import clip, estimate


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("word", 1),
        ("words", 2),
        ("a b c d ", 2),
        ('{"a":1}', 3),
        ("一二三", 3),
        ("é", 1),
    ],
)
def test_tokens_are_estimated_by_kind_of_character(text, tokens):
    assert estimate(text) == tokens


@pytest.mark.parametrize(
    "text", ["plain English prose", '{"json": [1, 2]}', "日本語テキスト", "🎉🎉", "{" * 50]
)
def test_an_estimate_is_between_a_quarter_of_the_characters_and_the_bytes(text):
    assert len(text) / 4 <= estimate(text) <= len(text.encode())


def test_a_text_that_is_cut_says_so():
    assert clip("abcdef", 6) == "abcdef"
    assert clip("abcdefg", 6) == "abcdef… (1 characters more)"
