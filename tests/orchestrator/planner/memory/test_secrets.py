import pytest

from orchestrator.planner.memory.secrets import masked, names_secret, redacted, secrets

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Authorization: Bearer abcdef123456", "abcdef123456"),
        ("fetch https://me:hunter2@example.org/x", "hunter2"),
        (f"use {JWT} for it", JWT),
        ("key sk-abcdefgh12345678", "sk-abcdefgh12345678"),
        ("key ghp_abcdefghij0123456789", "ghp_abcdefghij0123456789"),
        ("key AKIAABCDEFGHIJKLMNOP0123", "AKIAABCDEFGHIJKLMNOP0123"),
        ("a Qw3rTy7UiOpAsDfGhJkLzXcVbNm1234567 b", "Qw3rTy7UiOpAsDfGhJkLzXcVbNm1234567"),
        ("run it with password=hunter2, now", "hunter2"),
        ("run it with --token abcd now", "abcd"),
        ("the api key is x1y2z3", "x1y2z3"),
        ("log in with the password hunter2", "hunter2"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----", "MII"),
    ],
)
def test_what_looks_like_a_secret_is_taken_out(text, secret):
    assert secret not in redacted(text)
    assert redacted(redacted(text)) == redacted(text)
    assert list(secrets(redacted(text))) == []


@pytest.mark.parametrize(
    "text",
    [
        "reset the password of bob",
        "write a basic description",
        "rotate the token on every server",
        "count the tokens of report.txt",
        "hash 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "read /srv/Projects2024/SomeVeryLongFolderNameThatGoesOn/notes.txt",
        "look at https://example.org:8080/a",
    ],
)
def test_what_does_not_is_left(text):
    assert redacted(text) == text


@pytest.mark.parametrize("key", ["password", "API_KEY", "apiKey", "accessToken", "x-auth-token"])
def test_keys_name_secrets(key):
    assert names_secret(key)


@pytest.mark.parametrize("key", ["max_tokens", "key", "compass", "path", "secretary"])
def test_other_keys_do_not(key):
    assert not names_secret(key)


def test_a_secret_has_the_same_mark_wherever_it_stands():
    request, value = masked(
        "log in to nas as bob with hunter2",
        {"password": "hunter2", "url": "http://bob:hunter2@nas", "pin": ["hunter2", "hunter22"]},
    )
    assert request == "log in to nas as bob with [secret-1]"
    assert value == {
        "password": "[secret-1]",
        "url": "http://bob:[secret-1]@nas",
        "pin": ["[secret-1]", "hunter22"],
    }


def test_all_below_a_key_that_names_secrets_is_secret_but_references():
    _, value = masked(
        "x", {"token": {"a": 12, "b": True, "c": None, "d": "${login.token}", "e": ""}}
    )
    expected = {"a": "[secret-1]", "b": True, "c": None, "d": "${login.token}", "e": ""}
    assert value == {"token": expected}


def test_a_secret_that_another_begins_with_leaves_nothing_of_it():
    _, value = masked("x", {"password": "abc", "token": "abc-def", "both": "abc-def abc"})
    assert value["both"] == "[secret-2] [secret-1]"


def test_different_secrets_have_different_marks():
    assert redacted("password=one1 token=two2") == "password=[secret-1] token=[secret-2]"
