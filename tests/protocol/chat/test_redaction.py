import pytest

from protocol.chat.redaction import redact


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("key AZ-123456 was refused", "key [secret] was refused"),
        ("Authorization: Bearer abc.def-1", "Authorization: Bearer [secret]"),
        ("https://me:pass@host/v1", "https://me:[secret]@host/v1"),
        ('"sk-proj_abcdefgh12"', '"[secret]"'),
        ("risk-averse task-oriented", "risk-averse task-oriented"),
        ("http://127.0.0.1:8080/v1 and me@host", "http://127.0.0.1:8080/v1 and me@host"),
        ("a short word", "a short word"),
    ],
)
def test_secrets_and_what_looks_like_one_are_masked(text, kept):
    assert redact(text, ["AZ-123456", "short"]) == kept
