import asyncio
import json
import signal

import pytest

from benchmarks.demo import command, performance
from benchmarks.demo.fleet import VICTIM
from protocol.transport.broker import BrokerError


@pytest.fixture
def no_broker(monkeypatch):
    def missing():
        raise BrokerError("mosquitto is not installed")

    monkeypatch.setattr(performance, "find_mosquitto", missing)


@pytest.mark.real_time
@pytest.mark.timeout(60)
def test_without_a_broker_the_demo_is_played_in_one_process(no_broker, tmp_path, capsys):
    code = command.main(seed=1, keep=tmp_path / "demo", as_json=True)

    out, err = capsys.readouterr()
    told = json.loads(out)
    assert (code, told["ok"], told["problems"]) == (0, True, [])
    assert told["transport"] == "memory"
    assert "mosquitto is not installed; without it, all is played in one process" in err
    assert [span["done"] for span in told["timeline"][VICTIM]["attempts"]][:2] == [False, True]
    assert (tmp_path / "demo" / "laptop/files/reports/errors.md").is_file()


@pytest.mark.real_time
@pytest.mark.timeout(60)
@pytest.mark.parametrize("broken", ["check", "kill"])
def test_exit_code_is_1_if_anything_is_not_as_it_should_be(no_broker, monkeypatch, capsys, broken):
    pass


def test_folder_that_is_not_empty_is_refused(tmp_path, capsys):
    (tmp_path / "mine").write_text("")

    assert command.main(seed=0, keep=tmp_path, as_json=False) == 1
    assert "is not empty; name another folder" in capsys.readouterr().out
    assert (tmp_path / "mine").exists()
