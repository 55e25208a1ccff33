"""`muster learn` tells how what the rule adopted does, and what it took back."""

import json

import pytest
from typer.testing import CliRunner

from orchestrator import cli
from orchestrator.experience import wall
from orchestrator.planner.memory import Memory
from tests.orchestrator.planner.memory.test_retracting import FAILED, count


@pytest.fixture
def memory(tmp_path):
    (tmp_path / "muster.toml").write_text('[memory]\nfolder = "memory"\nadopt = "rule"\n')
    into = tmp_path / "memory" / "playbooks"
    found = Memory(tmp_path / "memory", now=wall, adopt_into=into)
    for on in ("nas", "pi", "lab"):
        work = found.record(count(on))
    found.adopt_due(work)
    return found


@pytest.fixture
def muster(tmp_path):
    def run(*args):
        result = CliRunner().invoke(cli.app, [*args, "--config", str(tmp_path / "muster.toml")])
        assert result.exit_code == 0
        return result.stdout

    return run


def test_people_are_told_of_a_trial_and_of_a_retraction(memory, muster):
    (told,) = json.loads(muster("learn", "--json"))
    assert (told["adopted"], told["by_rule"], told["against"]) == ("count-errors", True, 0)
    assert "by the rule" not in muster("learn", "show", "count-errors")
    assert "on trial" not in muster("learn")

    memory.record(count("sink", FAILED, reason="it broke"))
    assert "count-errors (on trial: 1 of 2 against it)" in muster("learn")
    said = "# adopted by the rule; 1 of 2 failures that take it back, the last time: it broke\n"
    assert said in muster("learn", "show", "count-errors")

    memory.record(count("sink", FAILED, reason="it broke"))
    assert len(memory.retract_due()) == 1
    assert "(retracted)" in muster("learn")
    again = "it adopts again after 6 successes in a row, 0 so far\n"
    said = f"# retracted by the rule, the last time: it broke; {again}"
    assert said in muster("learn", "show", "count-errors")
    (told,) = json.loads(muster("learn", "--json"))
    assert (told["adopted"], told["by_rule"], told["retractions"]) == (None, False, 1)
    assert told["last_failure"] == "it broke"
