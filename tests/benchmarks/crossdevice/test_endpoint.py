import json

import pytest

from benchmarks.crossdevice.endpoint import CountedModel, model, tokens
from benchmarks.crossdevice.in_memory import in_memory
from benchmarks.crossdevice.planning import PlannerControl, SuitePlanner
from benchmarks.frame import BenchmarkError
from orchestrator.core.edits import AddTask, EditBatch
from orchestrator.core.model import TaskSpec
from orchestrator.planner import PlanningError, PlanRequest
from orchestrator.planner.llm.settings import LlmSection
from protocol.types import RunId, TaskId


class Account:
    def __init__(self):
        self.tokens = 0


class Model:
    """Answers each question with one task, for 100 tokens; the second time it fails."""

    def __init__(self):
        self.accounts = self
        self._account = Account()

    def of(self, _run):
        return self._account

    async def propose(self, _request):
        self._account.tokens += 100
        if self._account.tokens > 100:
            raise PlanningError("no")
        return EditBatch(0, (AddTask(TaskSpec(TaskId("own"), "work.digest")),))


def asked():
    return PlanRequest(RunId("r"), "digest x")


async def test_tokens_of_a_run_are_counted_though_the_answer_is_an_error(tmp_path):
    planner = CountedModel(Model(), tmp_path / "tokens.jsonl")
    await planner.propose(asked())
    assert tokens(tmp_path, "r") == 100
    with pytest.raises(PlanningError):
        await planner.propose(asked())
    assert (tokens(tmp_path, "r"), tokens(tmp_path, "s")) == (200, 0)


async def test_the_arm_model_asks_the_model_and_no_other_does(tmp_path):
    (tmp_path / "revisions").mkdir()
    planner = SuitePlanner([tmp_path], model=CountedModel(Model(), tmp_path / "tokens.jsonl"))
    with pytest.raises(PlanningError, match="no playbook"):
        await planner.propose(asked())
    PlannerControl(arm="model").write(tmp_path)
    assert [each.task.id for each in (await planner.propose(asked())).edits] == ["own"]


def test_without_a_table_there_is_no_model_and_nothing_was_spent(tmp_path):
    assert model(None, tmp_path) is None
    assert tokens(tmp_path, "r") == 0


def test_a_table_makes_the_product_s_own_planner(tmp_path):
    section = LlmSection.model_validate_json(
        json.dumps({"base_url": "http://127.0.0.1:1/v1", "model": "m"})
    )
    assert isinstance(model(section, tmp_path), CountedModel)


async def test_a_model_needs_processes(tmp_path):
    with pytest.raises(BenchmarkError, match="processes"):
        async with in_memory(tmp_path, tmp_path, "[planner.llm]"):
            pass
