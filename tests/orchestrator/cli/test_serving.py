"""`muster coordinator` and `muster broker`: until they are told to stop, or cannot go on."""

import signal
import socket

import pytest
from typer.testing import CliRunner

from orchestrator import cli
from orchestrator.cli import serving
from orchestrator.cli.calling import Exit
from orchestrator.settings import (
    PinningSection,
    RetentionSection,
    SchedulingSection,
    TimingSection,
)
from protocol import telemetry
from protocol.transport.broker import BrokerProcess
from tests.support.command_line import one_line, signalled

pytestmark = pytest.mark.broker


@pytest.fixture
def _quiet():
    yield
    telemetry.quiet()


def told_to_stop(when, command, *args):
    with signalled(signal.SIGTERM, when):
        return CliRunner().invoke(cli.app, [command, *map(str, args)])


@pytest.mark.usefixtures("_quiet")
def test_a_coordinator_serves_until_it_is_told_to_stop(tmp_path, mosquitto):
    config = tmp_path / "muster.toml"
    config.write_text('[coordinator]\nunit = "stopped"\n[log]\nlevel = "error"\n')
    broker = f"127.0.0.1:{mosquitto.port}"
    journal = tmp_path / "state" / "journal.db"
    result = told_to_stop(journal.exists, "coordinator", "--config", config, "--broker", broker)
    assert result.exit_code == Exit.SUCCEEDED
    assert result.output == ""


@pytest.mark.usefixtures("_quiet")
def test_a_coordinator_whose_journal_is_in_use_is_one_line(tmp_path, mosquitto):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "journal.db").write_text("no journal" * 100)
    config = tmp_path / "muster.toml"
    config.write_text('[log]\nlevel = "error"\n')
    broker = f"127.0.0.1:{mosquitto.port}"
    result = CliRunner().invoke(
        cli.app, ["coordinator", "--config", str(config), "--broker", broker]
    )
    one_line(result, Exit.FAILED, "journal.db")


def test_a_broker_serves_until_it_is_told_to_stop(free_port, mosquitto):
    def listening():
        with socket.socket() as probe:
            return probe.connect_ex((mosquitto.host, free_port)) == 0

    result = told_to_stop(listening, "broker", "--port", free_port)
    assert result.exit_code == Exit.SUCCEEDED
    assert result.output == f"broker at 127.0.0.1:{free_port}\n"


def test_a_broker_that_somebody_else_ends_is_one_line(free_port, monkeypatch):
    class ShortLived(BrokerProcess):
        async def __aenter__(self):
            await super().__aenter__()
            self._process.kill()
            return self

    monkeypatch.setattr(serving, "BrokerProcess", ShortLived)
    result = CliRunner().invoke(cli.app, ["broker", "--port", str(free_port)])
    one_line(result, Exit.UNREACHABLE, f"mosquitto on 127.0.0.1:{free_port} has ended")


def test_a_broker_on_a_port_in_use_is_one_line(mosquitto):
    result = CliRunner().invoke(cli.app, ["broker", "--port", str(mosquitto.port)])
    one_line(result, Exit.UNREACHABLE, "is in use")


@pytest.fixture
def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def test_timing_of_the_settings_is_the_engines():
    unsaid = serving.tuning(TimingSection(), RetentionSection(), PinningSection())
    assert unsaid == serving.Tuning(improve_cpu=0.005), "a daemon may have a process of its own"
    kept = RetentionSection(days=0.5, runs=3, tasks=40)
    timing, pinning = TimingSection(heartbeat_s=1.0, lease_s=9.0), PinningSection(cap_s=60.0)
    changed = serving.tuning(
        timing, kept, pinning, SchedulingSection(hedge_budget=0.1, improve_cpu=0.2)
    )
    assert (changed.hedge_budget, changed.improve_cpu) == (0.1, 0.2)
    assert (changed.keep_s, changed.keep_runs, changed.keep_tasks) == (43200.0, 3, 40)
    assert (changed.lost_after_s, changed.lease_s) == (3.5, 9.0)
    assert changed.pin_cap_s == 60.0
