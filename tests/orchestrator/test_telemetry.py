"""The log: what a line says, where it goes, and that a line that is not wanted costs nothing."""

import json
from timeit import repeat

import pytest
import structlog

from orchestrator.core.commands import Acknowledge, CancelAttempt, Offer
from orchestrator.core.events import CancelRun, TimePassed
from orchestrator.telemetry import log
from protocol.telemetry import Level, configure, quiet, write
from protocol.types import AttemptId, DeviceId, Effect, RunId, TaskId

R, T, A, D = RunId("r"), TaskId("t"), AttemptId("a"), DeviceId("d")
OFFER = Offer(D, A, R, T, 1, 1, 7, 15.0, "noop", {"password": "hush"}, Effect.PURE, 60.0)


@pytest.fixture(autouse=True)
def _restored():
    yield
    structlog.reset_defaults()
    quiet()


def test_a_line_for_machines_is_json_with_the_identities_and_no_arguments(capsys):
    configure(json=True)
    log(OFFER)
    out, err = capsys.readouterr()
    line = json.loads(err)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "offer",
        "level": "info",
        "run": "r",
        "task": "t",
        "attempt": "a",
        "device": "d",
        "token": 7,
    }
    assert out == ""


def test_a_line_for_people_has_keys_and_values(capsys):
    configure(json=False, level=Level.DEBUG)
    log(CancelAttempt(D, A, R, 1))
    line = capsys.readouterr().err
    assert "cancel_attempt" in line
    assert "device=d" in line
    assert line.count("\n") == 1


def test_each_event_is_named_after_its_class(capsys):
    configure(json=True, level=Level.DEBUG)
    log(CancelRun(R, "enough"))
    log(TimePassed())
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["event"], line.get("run")) for line in lines] == [
        ("cancel_run", "r"),
        ("time_passed", None),
    ]


def test_what_is_bound_to_the_context_is_in_the_line(capsys):
    configure(json=True)
    with structlog.contextvars.bound_contextvars(run="r"):
        log(CancelAttempt(D, A, R, 1))
    assert json.loads(capsys.readouterr().err)["run"] == "r"


def test_what_comes_every_few_seconds_is_for_debugging(capsys):
    configure(json=True)
    log(Acknowledge(D, A))
    log(TimePassed())
    assert capsys.readouterr().err == ""


def test_an_exception_is_part_of_its_line(capsys):
    configure(json=True)
    try:
        {}["x"]
    except KeyError:
        structlog.get_logger().exception("broken")
    assert json.loads(capsys.readouterr().err)["exception"][0]["exc_type"] == "KeyError"


def test_nothing_is_written_before_configure_or_below_the_level(capsys):
    log(TimePassed())
    configure(json=True, level=Level.WARNING)
    log(TimePassed())
    log(OFFER)
    assert capsys.readouterr() == ("", "")


def test_an_error_is_written_even_before_configure(capsys):
    write(Level.ERROR, "ledger_failed", device="laptop")
    assert "ledger_failed" in "".join(capsys.readouterr())


def test_debug_adds_the_traceback_of_a_failed_skill(capsys):
    configure(json=False, level=Level.DEBUG)
    write(Level.DEBUG, "skill_failed", exc_info=ValueError("a bug"))
    assert "ValueError: a bug" in capsys.readouterr().err


def test_a_line_that_is_not_wanted_costs_nearly_nothing():
    configure(json=True, level=Level.WARNING)
    seconds = min(repeat(lambda: log(OFFER), number=1000, repeat=20))
    assert seconds / 1000 < 5e-6  # 0.1 µs on an idle machine
