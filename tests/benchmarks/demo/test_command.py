import json
import shutil
from pathlib import Path

import pytest

from benchmarks.demo import command, performance
from benchmarks.demo.check import Verdict
from benchmarks.demo.fleet import VICTIM
from benchmarks.demo.performance import Performance
from benchmarks.demo.timeline import COORDINATOR, Row, Span, Timeline
from benchmarks.supervisor import EndedError
from orchestrator.core.facts import RunStatus
from protocol.transport.broker import BrokerError

LOST, DONE = Span("a", 0.0, 1.0), Span("a", 1.0, 2.0, done=True)


def performed(report, *, problems=(), missing=None, victim=(LOST, DONE), back=(1.0,), status=None):
    rows = {COORDINATOR: Row([], list(back)), VICTIM: Row(list(victim))}
    seen = Timeline([], rows, 0.0, 2.0, status or RunStatus.SUCCEEDED)
    return Performance(0, "mqtt", report, Verdict(problems, 9, 3, missing or {}), seen)


@pytest.fixture
def come_to(monkeypatch):
    """Let the next demo come to this: a performance, or an error."""

    def come_to(end, **options):
        async def perform(root, *, seed, tell):  # noqa: ARG001 - as the real one
            tell("laptop", "done")
            if end:
                raise end
            for device in (VICTIM, "laptop"):
                (root / device).mkdir()
            (root / "journal.db").touch()
            return performed(root / "laptop" / "errors.md", **options)

        monkeypatch.setattr(command, "perform", perform)

    return come_to


@pytest.mark.real_time
@pytest.mark.timeout(180)
def test_without_a_broker_the_demo_is_played_in_one_process(monkeypatch, tmp_path, capsys):
    def missing():
        raise BrokerError("mosquitto is not installed")

    monkeypatch.setattr(performance, "find_mosquitto", missing)
    code = command.main(seed=1, keep=tmp_path / "demo", as_json=True)

    out, err = capsys.readouterr()
    told = json.loads(out)
    assert (code, told["ok"], told["problems"]) == (0, True, [])
    assert told["transport"] == "memory"
    assert "mosquitto is not installed; without it, all is played in one process" in err
    assert [span["done"] for span in told["timeline"][VICTIM]["attempts"]][:2] == [False, True]
    assert (tmp_path / "demo" / "laptop/files/reports/errors.md").is_file()


def test_only_the_report_is_left_of_a_demo_that_went_well(come_to, capsys):
    come_to(None)

    assert command.main(seed=0, keep=None, as_json=False) == 0
    out = capsys.readouterr().out
    assert "The report is right: 9 errors of 3 causes on 3 of 3 servers" in out
    report = Path(out.split("The report: ")[1].strip())
    assert [each.name for each in report.parent.parent.iterdir()] == ["laptop"]
    shutil.rmtree(report.parent.parent)


def test_server_that_could_not_be_asked_is_named(come_to, capsys, tmp_path):
    come_to(None, missing={"web-1": "it was lost"})

    assert command.main(seed=0, keep=tmp_path, as_json=False) == 0
    out = capsys.readouterr().out
    assert "web-1 could not be asked: it was lost" in out
    assert "on 2 of 3 servers" in out


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"problems": ("no cause 'x' in the report",)}, "wrong: no cause 'x' in the report"),
        ({"victim": [DONE]}, "web-2 was not at work when it was killed"),
        ({"victim": [LOST, DONE, DONE]}, "a was done 2 times"),
        ({"back": ()}, "the coordinator was not killed"),
        ({"status": RunStatus.FAILED}, "the run has failed"),
    ],
)
def test_exit_code_is_1_if_anything_is_not_as_it_should_be(come_to, capsys, tmp_path, wrong, told):
    come_to(None, **wrong)

    assert command.main(seed=0, keep=tmp_path, as_json=False) == 1
    out = capsys.readouterr().out
    assert told in out
    assert "is right" not in out


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ExceptionGroup("", [EndedError("agent ended: no port")]), "demo: agent ended: no port"),
        (TimeoutError(), "demo: not done after 60 s"),
    ],
)
def test_what_cannot_be_played_is_one_line(come_to, capsys, tmp_path, error, told):
    come_to(error)

    assert command.main(seed=0, keep=tmp_path, as_json=False) == 1
    assert told in capsys.readouterr().err


def test_bug_is_not_made_a_line(come_to, tmp_path):
    come_to(ZeroDivisionError())

    with pytest.raises(ZeroDivisionError):
        command.main(seed=0, keep=tmp_path, as_json=False)


def test_folder_that_is_not_empty_is_refused(tmp_path, capsys):
    (tmp_path / "mine").write_text("")

    assert command.main(seed=0, keep=tmp_path, as_json=False) == 1
    assert "is not empty; name another folder" in capsys.readouterr().err
    assert (tmp_path / "mine").exists()
