from pathlib import Path

import pytest

from agents.config import read
from protocol.settings import SettingsError

FULL = """
[device]
id = "server-1"
org = "acme"
unit = "lab"
labels = { kind = "server" }
slots = 2
capacity = { memory = 8e9 }
state = "ledger"

[broker]
host = "broker.example.org"
port = 8883
username = "server-1"
password_file = "password"
tls = { ca_file = "/etc/ca.pem" }

[skills]
python = ["somewhere:skills"]
table = { enabled = false }

[skills.files]
roots = ["logs", "/srv/data"]

[skills.shell]
allow = [{ run = "uptime" }, { run = "git", args = ["log", "-n", "[0-9]+"] }]

[skills.http]
allow = ["example.org"]

[artifacts]
listen = "[::]:8470"
url = "https://example.org/blobs/"
quota_bytes = 1000
keep_s = 60

[policy]
"acme/ops/*" = ["system.*", "files.read"]
"acme/*" = ["text.grep"]
"""


@pytest.fixture
def config(tmp_path):
    def write(text: str) -> Path:
        path = tmp_path / "device.toml"
        path.write_text(text)
        return path

    return write


def test_a_full_file_is_read_and_paths_start_at_its_folder(config, tmp_path):
    (tmp_path / "password").write_text("secret\n")
    device = read(config(FULL))
    assert device.device.state == tmp_path / "ledger"
    assert device.skills.roots == (tmp_path / "logs", Path("/srv/data"))
    assert device.broker.password() == "secret"
    assert "secret" not in repr(device)
    assert device.broker.tls.ca_file == Path("/etc/ca.pem")
    assert device.skills.shell.allow[0].args is None
    assert not device.skills.table.enabled
    assert device.artifacts.folder == tmp_path / "artifacts"
    assert device.artifacts.address == ("::", 8470)


def test_only_the_id_is_required_and_what_can_harm_is_off(config, tmp_path):
    device = read(config('[device]\nid = "x"'))
    assert device.device.state == tmp_path / "state"
    assert (device.skills.files, device.skills.shell, device.skills.http) == (None, None, None)
    assert device.artifacts is None
    assert device.skills.roots == ()
    assert device.skills.system.enabled
    assert device.broker.password() is None
    assert device.allows("anyone", "text.grep")


@pytest.mark.parametrize(
    ("caller", "skill", "allowed"),
    [
        ("acme/ops/anna", "system.cpu", True),
        ("acme/ops/anna", "text.grep", True),
        ("acme/lab/bob", "text.grep", True),
        ("acme/lab/bob", "system.cpu", False),
        ("other/ops/eve", "text.grep", False),
    ],
)
def test_policy_says_who_may_use_what(config, caller, skill, allowed):
    assert read(config(FULL)).allows(caller, skill) is allowed


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[device\n", "device.toml, line 1, column 8: this is no TOML: expected ']' at the end"),
        (
            "[device]\nid = x\n",
            "line 2, column 6: this is no TOML: invalid value: text goes in quot",
        ),
        (
            '[device]\nid = "x\n',
            "line 2, column 8: this is no TOML: illegal character '\\n': close th",
        ),
        (
            "a = 1\na = 2\n",
            "line 2, column 6: this is no TOML: cannot overwrite a value: this key is",
        ),
        ("a = " + "1" * 5000, "device.toml: this is no TOML: Exceeds the limit"),
        ("a = " + "[" * 5000, "device.toml: this is no TOML: maximum recursion depth"),
        ("a = [1,", "end of document: this is no TOML: invalid value: something is missing there"),
        ("", "device.toml: 'device' is missing: write [device], and below it id = …"),
        ("[device]\n", "device.toml, line 1: device: 'id' is missing"),
        ("[device]\nid = 5", "line 2: device.id: write text in quotes, got 5"),
        ('[device]\nid = "a b"', "device.id: write letters, digits and '_.-' only, got 'a b'"),
        ('device.id = "x"\nskills.files = 1', "write names with values, such as { name = value }"),
        ('device.id = "x"\nskills.files.roots = "/"', 'write a list, such as ["a", "b"], got'),
        (
            '[device]\nid = "x"\nslot = 3',
            "line 3: device: 'slot' is not known here, did you mean 'slots'?",
        ),
        ('[device]\nid = "x"\nslots = 0', "line 3: device.slots: write a number greater than 0"),
        (
            '[device]\nid = "x"\n[brokr]',
            "line 3: 'brokr' is not known here, did you mean 'broker'?",
        ),
        ('device.id = "x"\nbroker.port = 0', "line 2: broker.port"),
        (
            '[device]\nid = "x"\n# roots\n[skills.files]\nrots = ["/"]',
            "line 5: skills.files: 'rots' is not known here, did you mean 'roots'?",
        ),
        (
            '[device]\nid = "x"\n[skills.shell]\nallow = [\n{ rum = "ls" }]',
            "line 4: skills.shell.allow.0: 'rum' is not known here, did you mean 'run'?",
        ),
        (
            '[device]\nid = "x"\n[skills.shell]\nallow = [{ run = "ls", args = ["("] }]',
            "line 4: skills.shell.allow.0.args.0: write a regular expression, got '('",
        ),
    ],
)
def test_a_wrong_file_gets_one_sentence_with_the_place(config, text, sentence):
    with pytest.raises(SettingsError) as caught:
        read(config(text))
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_or_unreadable_file_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"none\.toml: no such file"):
        read(tmp_path / "none.toml")
    with pytest.raises(SettingsError, match="Is a directory"):
        read(tmp_path)


def test_a_missing_password_file_is_named(config):
    broker = read(config(FULL)).broker
    with pytest.raises(SettingsError, match=r"broker\.password_file: .*/password: No such file"):
        broker.password()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('listen = "0.0.0.0:8470"', r"line 3: artifacts: .*set 'url' to one that is"),
        ('listen = "127.0.0.1:0"', r"line 4: artifacts\.listen: write host:port, such as 127"),
        ('listen = "127.0.0.1:99999"', r"line 3: artifacts: .*below 65536"),
        ('listen = "8470"', r"line 4: artifacts\.listen"),
        ('url = "example.org"', r"line 4: artifacts\.url: write http://… or https://…, got"),
        ("quota_bytes = 0", r"line 4: artifacts\.quota_bytes"),
    ],
)
def test_artifacts_that_nobody_could_fetch_are_refused_by_name(config, text, words):
    with pytest.raises(SettingsError, match=words):
        read(config(f'[device]\nid = "x"\n[artifacts]\n{text}\n'))


@pytest.mark.parametrize(("text", "bandwidth"), [("", None), ("bandwidth = 12.5e6", 12.5e6)])
def test_a_device_may_say_how_fast_its_link_is(tmp_path, text, bandwidth):
    file = tmp_path / "device.toml"
    file.write_text(f'[device]\nid = "x"\n{text}\n')
    assert read(file).device.bandwidth == bandwidth


@pytest.mark.parametrize("bandwidth", ["0.5", "-1", "1e16", "inf", "nan"])
def test_a_bandwidth_that_no_estimate_survives_is_refused(tmp_path, bandwidth):
    file = tmp_path / "device.toml"
    file.write_text(f'[device]\nid = "x"\nbandwidth = {bandwidth}\n')
    with pytest.raises(SettingsError, match="bandwidth"):
        read(file)
