"""A journal that does not keep up sets the pace, and nothing is lost by it."""

import asyncio

from orchestrator.journal import MemoryJournal
from tests.support.muster import muster, plan, work


class SlowJournal(MemoryJournal):
    """Makes nothing durable while it is stuck."""

    stuck = False

    def _flush(self):
        if not self.stuck:
            super()._flush()


async def test_messages_are_lost_while_the_journal_is_behind_and_repeated_after(monkeypatch):
    monkeypatch.setattr("orchestrator.coordinator.WAITING", 20)
    journal = SlowJournal()
    async with muster({"a": [work()], "b": [work()]}, journal=journal) as (orchestrator, _):
        await asyncio.sleep(1)
        run = await orchestrator.submit("x", plan=plan(*(f"t{n}" for n in range(100))))
        journal.stuck = True
        await asyncio.sleep(60)
        assert len(orchestrator.coordinator._waiting) <= 25
        journal.stuck = False
        journal._flush()
        result = await run.result()
    assert result.succeeded
    assert len(result.outputs) == 100
