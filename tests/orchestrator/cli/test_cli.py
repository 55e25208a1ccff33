"""What goes wrong with a command, over a real broker: one line, and an exit code that tells."""

import os

import pytest
import typer

from orchestrator.cli import calling
from orchestrator.cli.calling import Exit
from protocol.errors import RefusedLoginError
from tests.support.command_line import one_line

pytestmark = pytest.mark.broker


@pytest.mark.parametrize("param", ["seconds", "=1", "seconds:=x"])
def test_a_parameter_of_the_wrong_form_is_bad_input(muster, param):
    result = muster("run", "nap", "--param", param)
    assert result.exit_code == Exit.BAD_INPUT
    assert "Invalid value" in result.stderr


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["show", "nope"], "there is no run 'nope'"),
        (["show", "RUN", "naps"], "has no task 'naps', did you mean 'nap'?"),
        (["answer", "RUN", "nap", "1"], "does not ask for input"),
        (["settle", "RUN", "nap", "failed", "gone"], "nap"),
        (["edit", "RUN", "no-such-file"], "no-such-file: "),
        (["edit", "RUN", __file__], "test_cli.py:"),
        (["edit", "RUN", os.devnull], "the file is empty"),
        (["edit", "RUN", "LIST"], "write a list under 'edits'; see `muster edit --help`"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(muster, napping, tmp_path, command, words):
    listed = tmp_path / "list.yaml"
    listed.write_text("- cancel: nap\n")
    known = {"RUN": napping, "LIST": listed}
    result = muster(*[known.get(each, each) for each in command])
    one_line(result, Exit.BAD_INPUT, words)


def test_a_value_that_is_no_json_is_bad_input(muster, napping):
    result = muster("answer", napping, "nap", "{", "--parse")
    assert result.exit_code == Exit.BAD_INPUT
    assert "is not JSON" in result.stderr


def test_an_unreachable_broker_is_one_line_and_exit_code_3(muster):
    result = muster("devices", "--broker", "127.0.0.1:9")
    one_line(result, Exit.UNREACHABLE, "no MQTT broker answers at 127.0.0.1:9")
    assert "start one with `muster broker`" in result.stderr
    result = muster("devices", "--broker", "[::1]:9")
    one_line(result, Exit.UNREACHABLE, "no MQTT broker answers at ::1:9")


def test_a_missing_coordinator_is_one_line_and_exit_code_3(muster, tmp_path, mosquitto):
    other = tmp_path / "muster.toml"
    other.write_text('[coordinator]\nunit = "nobody"\n')
    result = muster("runs", "--config", other, "--broker", f"127.0.0.1:{mosquitto.port}")
    one_line(result, Exit.UNREACHABLE, "no coordinator answers at muster/nobody/coordinator")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[broker]\nprot = 1\n", "did you mean 'port'?"),
        ('[broker]\nhost = "a..b"\n', "broker.host: "),
        ('[broker]\npassword_file = "none"\n', "broker.password_file: "),
        ('[broker.tls]\nca_file = "none.pem"\n', "cannot use the TLS files"),
    ],
)
def test_an_unusable_setting_is_one_line(muster, tmp_path, text, words):
    path = tmp_path / "muster.toml"
    path.write_text(text)
    result = muster("devices", "--config", path)
    one_line(result, result.exit_code, words)
    assert result.exit_code in (Exit.BAD_INPUT, Exit.UNREACHABLE)


@pytest.mark.parametrize("broker", ["host:", "host:x", ":1", "host:99999"])
def test_a_broker_of_the_wrong_form_is_bad_input(muster, broker):
    one_line(muster("devices", "--broker", broker), Exit.BAD_INPUT, "write HOST or HOST:PORT")


def test_a_broker_without_a_port_is_at_the_usual_one():
    assert calling.read_settings(None, "example.org").broker.port == 1883


def test_wrong_playbooks_are_one_line_and_exit_code_2(muster, tmp_path):
    (tmp_path / "bad.yaml").write_text("name: bad\ntasks: []\n")
    config = tmp_path / "muster.toml"
    config.write_text('[planner]\nplaybooks = ["."]\n')
    one_line(muster("playbooks", "--config", config), Exit.BAD_INPUT, "bad.yaml:1:1: ")


def test_an_error_inside_a_group_is_one_line(capsys):
    with pytest.raises(typer.Exit) as ended, calling.one_line_errors():
        raise ExceptionGroup("connection", [RefusedLoginError("the broker refuses you")])
    assert ended.value.exit_code == Exit.UNREACHABLE
    assert capsys.readouterr().err == "muster: the broker refuses you\n"


def test_a_bug_is_not_dressed_up_as_an_error_of_the_user(muster, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(calling, "read_settings", broken)
    assert isinstance(muster("devices").exception, ZeroDivisionError)
    with pytest.raises(ExceptionGroup), calling.one_line_errors():
        raise ExceptionGroup("both", [ZeroDivisionError(), ValueError()])
