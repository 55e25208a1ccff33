"""A wrong argument of `Orchestrator` is told at once, with what to write."""

from pathlib import Path

import pytest

from orchestrator import Orchestrator
from orchestrator.core.scheduling.policies import Policy
from orchestrator.core.tuning import Tuning
from orchestrator.improving import Here
from orchestrator.journal import MemoryJournal
from orchestrator.planner.playbook import PlaybookPlanner
from protocol.transport.memory import MemoryBroker


def made(**wrong):
    return Orchestrator(**({"transport": MemoryBroker().transport("coordinator")} | wrong))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"transport": "x"}, r"transport: write a Transport, such as MemoryBroker\(\).*, got 'x'"),
        ({"transport": None}, "transport: write a Transport, .* got None"),
        ({"planner": "llm"}, r"planner: write a Planner, such as PlaybookPlanner\(\), or None"),
        ({"planner": PlaybookPlanner}, "planner: write a Planner, .* got <class"),
        ({"journal": "j.db"}, "journal: write a Journal, such as .* got 'j.db'"),
        ({"address": "a/b/c"}, "address: write an Address, such as .* got 'a/b/c'"),
        ({"tuning": {"lost_after_s": 7}}, "tuning: write a Tuning, such as "),
        ({"parameters": {}}, "parameters: write Parameters, such as .* got {}"),
        ({"memory": "folder"}, "memory: write a Memory, a folder such as .* got 'folder'"),
        ({"judge": "model"}, "judge: write a Judge or None, got 'model'"),
        ({"clock": 5}, "clock: write a function that returns a Now, got 5"),
        ({"scrutiny": "high"}, "scrutiny: write a Scrutiny, got 'high'"),
        ({"improver": True}, "improver: write an Improver or None, got True"),
    ],
)
def test_an_argument_of_another_kind_is_told_with_what_to_write(wrong, said):
    with pytest.raises(TypeError, match=f"^{said}"):
        made(**wrong)


@pytest.mark.parametrize("wrong", ["hefty", ["heft"], None])
def test_a_policy_that_is_not_there_is_told_with_all_that_are(wrong):
    with pytest.raises(ValueError, match=r"^policy is ") as caught:
        made(policy=wrong)
    assert all(repr(str(each)) in str(caught.value) for each in Policy)


def test_what_is_of_its_kind_is_taken(tmp_path: Path):
    made(policy="tiered", tuning=Tuning(), memory=tmp_path, journal=MemoryJournal())
    made(planner=PlaybookPlanner(), improver=Here(), clock=lambda: None)
