import json
import logging

import pytest
import structlog

from agents import telemetry


@pytest.fixture(autouse=True)
def _fresh(monkeypatch):
    monkeypatch.setattr(telemetry, "_level", logging.ERROR)
    yield
    structlog.reset_defaults()


def test_embedder_hears_nothing_until_it_asks(capsys):
    telemetry.info("connected", device="laptop")
    telemetry.debug("skill_failed")
    assert capsys.readouterr() == ("", "")


def test_json_lines_are_one_object_each(capsys):
    telemetry.configure(json=True)
    telemetry.info("connected", device="laptop")
    telemetry.debug("skill_failed")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["event"] == "connected"


def test_debug_adds_the_traceback_of_a_failed_skill(capsys):
    telemetry.configure(json=False, debug=True)
    telemetry.debug("skill_failed", exc_info=ValueError("a bug"))
    assert "ValueError: a bug" in capsys.readouterr().err
