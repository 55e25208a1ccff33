"""What a run came to is told once it cannot be lost any more, and told whole."""

import pytest

from orchestrator.core.facts import RunEnded
from orchestrator.journal import SqliteJournal, Synchronous
from tests.support.muster import muster, plan, work

pytestmark = pytest.mark.real_time


@pytest.fixture
def journal(tmp_path):
    """A journal whose commits take long: each waits for the disk, in a thread."""
    return SqliteJournal(tmp_path / "journal.db", synchronous=Synchronous.FULL)


async def test_last_event_of_a_run_is_its_end(journal):
    async with muster({"a": [work()]}, journal=journal) as (orchestrator, _):
        for _ in range(10):
            run = await orchestrator.submit("work", plan=plan(*"ab", after=["ab"]))
            facts = [event.fact async for event in run.events()]
            assert isinstance(facts[-1], RunEnded)


async def test_result_is_durable_before_it_is_told(journal):
    async with muster({"a": [work()]}, journal=journal) as (orchestrator, _):
        run = await orchestrator.submit("work", plan=plan("one"))
        await run.result()
        entries = await journal.entries(run=run.id)
    assert isinstance(entries[-1].fact, RunEnded)
