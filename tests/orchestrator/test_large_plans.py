"""Plans that are taken in parts, and runs that are forgotten to make room."""

import asyncio

import pytest

from orchestrator import (
    EditBatch,
    EditRefusedError,
)
from orchestrator.core.decisions.runs import rest_of
from orchestrator.core.errors import UnknownRunError
from orchestrator.core.events import PlanProposed, Submit
from orchestrator.core.parts import PART_EDITS
from orchestrator.core.tuning import Tuning
from orchestrator.journal import MemoryJournal
from protocol.types import RunId
from tests.support.muster import muster, plan, work

MANY = [f"t{n}" for n in range(600)]


async def test_a_large_plan_is_taken_in_parts_and_carried_out_whole():
    after = [(f"t{n}", f"t{n + 1}") for n in range(599)]
    async with muster({"a": [work()]}) as (orchestrator, _):
        run = await orchestrator.submit("x", plan=plan(*MANY, after=after))
        assert run.snapshot().revision > 2
        result = await run.result()
    assert result.succeeded
    assert result.outputs == {"t599": None}


async def test_a_large_plan_with_a_flaw_at_its_end_makes_no_run():
    async with muster({}) as (orchestrator, _):
        with pytest.raises(EditRefusedError, match="nobody"):
            await orchestrator.submit("x", plan=plan(*MANY, after=[("nobody", "t599")]))
        assert not orchestrator.runs()


async def test_a_submission_cut_off_in_the_middle_goes_on_when_it_is_repeated():
    whole = plan(*MANY)
    async with muster({"a": [work()]}) as (orchestrator, _):
        first = EditBatch(0, whole.edits[:PART_EDITS])
        second = EditBatch(1, whole.edits[PART_EDITS : 2 * PART_EDITS])
        for cut in (
            Submit(RunId("r"), "key", "x", plan=first, more=True),
            PlanProposed(RunId("r"), rest_of(RunId("r")), second, more=True),
        ):
            orchestrator.coordinator.handle(cut)
        await asyncio.sleep(60)
        run = await orchestrator.submit("x", plan=whole, key="key")
        result = await run.result()
        assert (await orchestrator.submit("x", plan=whole, key="key")).id == run.id == "r"
    assert result.succeeded
    assert len(result.outputs) == 600


async def test_two_submissions_of_a_large_plan_with_one_key_make_one_run():
    async with muster({"a": [work()]}) as (orchestrator, _), asyncio.TaskGroup() as group:
        submit = [
            group.create_task(orchestrator.submit("x", plan=plan(*MANY), key="k"))
            for _ in range(2)
        ]
        runs = [await each for each in submit]
        assert runs[0].id == runs[1].id
        assert len((await runs[1].result()).outputs) == 600


async def test_a_run_that_is_forgotten_says_so_and_leaves_the_journal():
    journal = MemoryJournal()
    tuning = Tuning(keep_runs=1)
    async with muster({"a": [work()]}, journal=journal, tuning=tuning) as (orchestrator, _):
        old = await orchestrator.submit("x", plan=plan("t"), key="k")
        assert (await old.result()).succeeded
        assert (await orchestrator.submit("x", plan=plan("t"), key="k")).id == old.id
        for _ in range(2):  # a run is pruned with the next snapshot
            large = await orchestrator.submit("x", plan=plan(*MANY))
            assert (await large.result()).succeeded
        assert [run.run for run in orchestrator.runs()] == [large.id]
        assert not await journal.entries(run=old.id)
        with pytest.raises(UnknownRunError, match="not there"):
            await old.result()
        assert (await orchestrator.submit("x", plan=plan("t"), key="k")).id != old.id
