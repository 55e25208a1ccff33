"""What has the form of a credential, and what only looks a little like one."""

import pytest

from protocol.credentials import masked


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Authorization: Bearer abc.def-1", "Authorization: Bearer *"),
        ("authorization: basic dXNlcjpwYXNz", "authorization: basic *"),
        ("https://me:pass@host/v1", "https://me:*@host/v1"),
        ("use eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl now", "use * now"),
        ('"sk-proj_abcdefgh12", "ghp_abcdefghij0123456789"', '"*", "*"'),
        ("-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----.", "*."),
        ("-----BEGIN PRIVATE KEY-----\nMII and the rest is cut off", "*"),
        (r'{"a":"-----BEGIN PRIVATE KEY-----\nMII","b":1}', '{"a":"*","b":1}'),
        (r'"\"-----BEGIN PRIVATE KEY-----\nMII\""', r'"\"*\""'),
        ("Bearer abcdefgh, then Bearer 12345678", "Bearer *, then Bearer *"),
        (r'{"said":"Bearer abcdefgh\"x"}', r'{"said":"Bearer *\"x"}'),
    ],
)
def test_credentials_are_masked_and_what_is_around_them_stays(text, kept):
    assert masked(text, "*") == kept
    assert masked(kept, "*") == kept


@pytest.mark.parametrize(
    "text",
    [
        "risk-averse task-oriented",
        "a basic description, Basic Authentication and the bearer of news",
        "http://127.0.0.1:8080/v1 and me@host",
        '{"url":"http://host:8080","mail":"me@host"}',
        "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----",
    ],
)
def test_the_rest_is_left_as_it_is(text):
    assert masked(text, "*") == text
