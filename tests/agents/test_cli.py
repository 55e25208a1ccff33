import asyncio
import os
import signal
import socket
import subprocess
import sys
import time

import pytest
import structlog
from typer.testing import CliRunner

from agents import cli, config
from agents.ledger import SqliteLedger
from protocol import telemetry
from protocol.errors import RefusedLoginError

DEVICE = '[device]\nid = "laptop"\n'


@pytest.fixture
def invoke(tmp_path):
    path = tmp_path / "device.toml"

    def run(text, *options):
        path.write_text(text)
        return CliRunner().invoke(cli.app, ["--config", str(path), *options])

    return run


def test_check_prints_the_skills_and_starts_nothing(invoke, tmp_path):
    result = invoke(DEVICE, "--check")
    assert result.exit_code == 0, result.output
    assert "text.grep" in result.output
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[skills.files]\nroots = ['nowhere']", "skills.files.roots: "),
        ("[skills.shell]\nallow = [{run = 'no-such'}]", "there is no program 'no-such'"),
        ("[broker]\npassword_file = 'none'", "none is no file that can be read"),
        ("[broker.tls]\nca_file = 'ca.pem'", "broker.tls.ca_file: "),
        ("[artifacts]\nfolder = 'device.toml/x'", "device.toml is no folder that can be written"),
    ],
)
def test_check_names_what_is_not_there_in_one_line(invoke, text, words):
    result = invoke(DEVICE + text, "--check")
    assert result.exit_code == 2
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_check_finds_nothing_wrong_with_what_is_there(invoke, tmp_path):
    for name in ("password", "ca.pem"):
        (tmp_path / name).write_text("x")
    text = (
        "[broker]\npassword_file = 'password'\nusername = 'laptop'\n"
        "[broker.tls]\nca_file = 'ca.pem'\n[skills.files]\nroots = ['.']\n"
        "[skills.shell]\nallow = [{run = 'sh'}]\n[artifacts]\n"
    )
    result = invoke(DEVICE + text, "--check")
    assert (result.exit_code, result.stderr) == (0, "")
    assert not (tmp_path / "artifacts").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[device]\nslots = 0\nid = 'x'", "device.slots"),
        (DEVICE + "[skills]\npython = ['nowhere:x']", "nowhere"),
        (DEVICE + "[broker]\nhost = ''", "broker.host: :1883 is not an address of a broker"),
        (DEVICE + "[broker]\npassword_file = 'none'", "broker.password_file"),
        (
            DEVICE + "[resources.model]\npython = 'nowhere:x'\ncapacity = 1",
            "resources.model.python",
        ),
    ],
)
def test_unusable_configuration_is_one_line_and_exit_code_2(invoke, text, words):
    result = invoke(text)
    assert result.exit_code == 2
    assert "device.toml" in result.output
    assert words in result.output
    assert len(result.output.splitlines()) == 1


def test_a_port_for_artifacts_in_use_is_one_line_and_exit_code_1(invoke):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = invoke(f'{DEVICE}[artifacts]\nlisten = "127.0.0.1:{port}"\n')
    assert result.exit_code == 1
    assert f"cannot listen at 127.0.0.1:{port}" in result.output
    assert len(result.output.splitlines()) == 1


def test_ledger_in_use_is_one_line_and_exit_code_1(invoke, tmp_path):
    ledger = SqliteLedger(tmp_path / "state" / "ledger.db")
    result = invoke(DEVICE)
    ledger.close()
    assert result.exit_code == 1
    assert "another agent uses it" in result.output
    assert len(result.output.splitlines()) == 1


class OwnersHand:
    """A connection during which the owner presses Ctrl-C, or the broker says no."""

    def __init__(self, refusal=None):
        self.refusal = refusal
        self.published = []

    async def run(self, peer):
        if self.refusal:
            raise self.refusal
        peer.connected()
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()

    def publish(self, message):
        self.published.append(message)

    async def flush(self):
        """Have nothing to wait for."""


@pytest.fixture(autouse=True)
def _quiet_log():
    yield
    telemetry.quiet()
    structlog.reset_defaults()


def test_signal_is_a_clean_stop(invoke, monkeypatch):
    transport = OwnersHand()
    monkeypatch.setattr(cli, "_transport", lambda _: transport)
    assert invoke(DEVICE).exit_code == 0
    statuses = [message.properties[0][1] for message in transport.published if message.retain]
    assert statuses == ["online", "offline"]


def test_with_time_to_drain_it_says_first_that_it_takes_no_more(invoke, monkeypatch):
    transport = OwnersHand()
    monkeypatch.setattr(cli, "_transport", lambda _: transport)
    assert invoke(f"{DEVICE}drain_s = 5").exit_code == 0
    assert b'"draining":true' in transport.published[-2].payload
    assert transport.published[-1].properties[0][1] == "offline"


def test_connection_is_made_as_the_device_to_the_broker_of_the_file(tmp_path):
    path = tmp_path / "device.toml"
    path.write_text(DEVICE + '[broker]\nport = 8883\n[broker.tls]\nca_file = "ca.pem"\n')
    settings = cli._transport(config.read(path))._settings
    assert (settings.client_id, settings.port) == ("muster/default/laptop", 8883)
    assert (settings.tls, settings.ca_file) == (True, tmp_path / "ca.pem")


def test_refused_login_is_one_line_and_exit_code_3(invoke, monkeypatch):
    transport = OwnersHand(RefusedLoginError("the broker refuses user 'laptop'"))
    monkeypatch.setattr(cli, "_transport", lambda _: transport)
    result = invoke(DEVICE)
    assert result.exit_code == 3
    assert result.output == "muster agent: the broker refuses user 'laptop'\n"


def test_bug_is_not_dressed_up_as_an_error_of_the_user(invoke, monkeypatch):
    monkeypatch.setattr(cli, "_transport", lambda _: OwnersHand(ZeroDivisionError()))
    assert isinstance(invoke(DEVICE).exception, ExceptionGroup)


def test_clock_counts_suspended_time_where_the_system_can(monkeypatch):
    assert cli._clock()() > 0
    monkeypatch.delattr(time, "CLOCK_BOOTTIME")
    assert cli._clock() is None


def test_module_runs_as_a_program():
    done = subprocess.run(
        [sys.executable, "-m", "agents", "--help"],
        capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "200"},
    )  # fmt: skip
    assert "--json-logs" in done.stdout
