import pytest

from protocol.chat import Dialect, Format, Patience
from protocol.chat.client import described
from protocol.chat.settings import EndpointSection
from protocol.settings import SettingsError

KEY = "a-key-of-ours-1"


def section(**more):
    return EndpointSection(base_url="http://127.0.0.1:1/v1", model="m", **more)


def test_an_endpoint_is_what_the_section_says(tmp_path):
    (tmp_path / "key").write_text(f"{KEY}\n")
    settings = section(
        key_file=tmp_path / "key", key_header="api-key", headers={"x": "y"}, extra={"top_k": 1}
    )
    endpoint = described(settings, "some.table", {})
    assert (endpoint.key, endpoint.key_header, endpoint.table) == (KEY, "api-key", "[some.table]")
    assert (endpoint.headers, endpoint.extra) == ({"x": "y"}, {"top_k": 1})
    assert endpoint.secrets == (KEY, "y")
    assert KEY not in f"{settings!r} {endpoint!r}"


def test_the_key_may_be_in_the_environment_or_nowhere():
    assert section().key("t", {}) is None
    assert section(key_env="K").key("t", {"K": f" {KEY} "}) == KEY


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ({"key_env": "K"}, r"^t\.key_env: the environment variable K is not set: put"),
        ({"key_file": "none"}, r"^t\.key_file: .*No such file.*: put the key there"),
        ({"key_file": "empty"}, r"^t\.key_file: .*empty is empty"),
    ],
)
def test_a_key_that_is_not_there_is_said(tmp_path, monkeypatch, where, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").touch()
    with pytest.raises(SettingsError, match=words):
        section(**where).key("t", {"K": " "})


def test_patience_and_dialect_are_settings():
    settings = section(first_token_s=1, idle_s=2, total_s=3, format="text", stream=False)
    assert settings.patience == Patience(1, 2, 3)
    assert settings.dialect == Dialect(Format.TEXT, stream=False)
