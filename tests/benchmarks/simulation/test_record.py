import asyncio

import pytest

from benchmarks.simulation.record import Record, WorldJournal
from orchestrator.core.facts import DeviceLeft
from orchestrator.core.model import Now
from orchestrator.journal import FencedError, JournalWriteError
from protocol.types import DeviceId

NOW = Now(1.0, 1.0)
FACT = DeviceLeft(DeviceId("d"))


async def test_what_was_not_written_at_the_crash_is_lost():
    record = Record()
    async with WorldJournal(record) as journal:
        journal.append(NOW, [FACT])
        await asyncio.sleep(0)
        journal.append(NOW, [FACT])
        journal.dead = True
    async with WorldJournal(record) as again:
        assert len((await again.recover()).entries) == 1


async def test_full_disk_takes_nothing_and_says_so():
    record, told = Record(), []
    journal = await WorldJournal(record).__aenter__()
    journal.on_failure = told.append
    record.full = True
    journal.append(NOW, [FACT])
    await asyncio.sleep(0)
    assert isinstance(journal.failure, JournalWriteError)
    assert told == [journal.failure]
    with pytest.raises(JournalWriteError):
        await journal.__aexit__(None, None, None)
    assert record.store.seq == 0


async def test_former_owner_writes_nothing_any_more():
    record, heard = Record(), []
    record.durable = heard.extend
    former = await WorldJournal(record).__aenter__()
    async with WorldJournal(record):
        former.append(NOW, [FACT])
        await asyncio.sleep(0)
    assert isinstance(former.failure, FencedError)
    assert heard == []


async def test_facts_are_heard_of_when_decided_and_when_durable():
    record, decided, durable = Record(), [], []
    record.decided = lambda _journal, facts: decided.extend(facts)
    record.durable = durable.extend
    async with WorldJournal(record) as journal:
        journal.append(NOW, [FACT])
        assert (decided, durable) == ([FACT], [])
    assert [entry.fact for entry in durable] == [FACT]
