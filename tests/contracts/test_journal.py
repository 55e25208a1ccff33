"""What every journal promises, asked of each."""

import asyncio
from collections.abc import Callable

import pytest

from orchestrator.core.edits import AddTask
from orchestrator.core.facts import (
    AttemptSucceeded,
    DeviceLeft,
    EditAccepted,
    LoadSeen,
    RunPaused,
    TaskExpanded,
    TaskFailed,
    TasksReady,
)
from orchestrator.core.model import Now, TaskSpec
from orchestrator.journal import (
    Entry,
    FencedError,
    Journal,
    MemoryJournal,
    MemoryStore,
    SqliteJournal,
    Synchronous,
)
from protocol.types import AttemptId, DeviceId, Load, RunId, TaskId

pytestmark = pytest.mark.real_time  # its writer is a thread

R, OTHER = RunId("r"), RunId("other")
T = TaskId("t")
NOW, LATER = Now(1000.0, 1.0), Now(1001.0, 2.0)


@pytest.fixture(params=["memory", "normal", "full"])
def reopen(request, tmp_path) -> Callable[[], Journal]:
    """Each call opens the same journal as a coordinator started again would."""
    if request.param == "memory":
        journal = MemoryJournal()
        return lambda: journal
    synchronous = Synchronous(request.param)
    return lambda: SqliteJournal(tmp_path / "journal.db", synchronous=synchronous)


async def settled(journal: Journal, seq: int) -> None:
    reached = asyncio.Event()
    journal.on_durable = lambda durable: reached.set() if durable >= seq else None
    if journal.durable < seq:
        async with asyncio.timeout(5):
            await reached.wait()


async def test_a_new_journal_is_empty(reopen):
    async with reopen() as journal:
        recovered = await journal.recover()
    assert (recovered.rows, list(recovered.entries), recovered.last) == ({}, [], None)
    assert journal.durable == 0


async def test_facts_are_recovered_in_order_with_their_times(reopen):
    async with reopen() as journal:
        journal.append(NOW, [RunPaused(R), DeviceLeft(DeviceId("d"))])
        assert journal.append(LATER, [TaskFailed(R, T, "spent")]) == 3
    async with reopen() as journal:
        recovered = await journal.recover()
        assert journal.durable == 3
        assert journal.append(LATER, [RunPaused(R)]) == 4
    assert recovered.last == LATER
    assert recovered.entries == [
        Entry(1, 1000.0, 1.0, RunPaused(R)),
        Entry(2, 1000.0, 1.0, DeviceLeft(DeviceId("d"))),
        Entry(3, 1001.0, 2.0, TaskFailed(R, T, "spent")),
    ]


async def test_one_turn_of_the_loop_is_one_commit_and_told_after_it(reopen):
    told = asyncio.Queue()
    async with reopen() as journal:
        journal.on_durable = told.put_nowait
        journal.append(NOW, [RunPaused(R)])
        journal.append(NOW, [RunPaused(R), RunPaused(R)])
        assert (journal.durable, told.qsize()) == (0, 0)
        async with asyncio.timeout(5):
            assert await told.get() == journal.durable == 3
    assert told.empty()


async def test_facts_appended_while_another_commit_runs_become_durable_too(reopen):
    async with reopen() as journal:
        for _ in range(20):
            journal.append(NOW, [RunPaused(R)])
            await asyncio.sleep(0)
        await settled(journal, 20)
        assert len(await journal.entries()) == 20


async def test_leaving_makes_what_is_pending_durable(reopen):
    told = []
    async with reopen() as journal:
        journal.on_durable = told.append
        journal.append(NOW, [RunPaused(R)])
    assert told == [1]


async def test_volatile_facts_are_not_stored(reopen):
    async with reopen() as journal:
        assert journal.append(NOW, [LoadSeen(DeviceId("d"), Load(), 1.0, 2.0)]) == 0
        assert journal.append(NOW, [RunPaused(R)]) == 1
        await settled(journal, 1)
        assert [entry.fact for entry in await journal.entries()] == [RunPaused(R)]


async def test_rows_stand_for_the_facts_before_them(reopen):
    async with reopen() as journal:
        journal.append(NOW, [RunPaused(R)])
        journal.save_rows([("run", "r", b"1"), ("run", "gone", b"2")])
        journal.append(LATER, [TaskFailed(R, T, "spent")])
        await settled(journal, 2)
        journal.save_rows([("run", "gone", None)])
    async with reopen() as journal:
        journal.append(LATER, [RunPaused(OTHER)])
        await settled(journal, 3)
        recovered = await journal.recover()
    assert recovered.rows == {("run", "r"): b"1"}
    assert [entry.seq for entry in recovered.entries] == [3]


async def test_entries_are_found_by_offset_run_and_limit(reopen):
    async with reopen() as journal:
        journal.append(NOW, [RunPaused(R), RunPaused(OTHER), RunPaused(R), RunPaused(R)])
        await settled(journal, 4)
        assert [entry.seq for entry in await journal.entries(2)] == [3, 4]
        assert [entry.seq for entry in await journal.entries(1, run=R, limit=1)] == [3]
        assert await journal.entries(4) == []


async def test_the_story_of_a_task_has_its_edit_and_what_it_shares_with_others(reopen):
    child = TaskSpec(TaskId("t.1"), "noop")
    story = [
        EditAccepted(R, 1, "planner", (AddTask(TaskSpec(T, "noop")),)),
        TasksReady(R, (TaskId("x"), T), 1.0),
        AttemptSucceeded(R, T, AttemptId("a"), {"found": "x"}, None),
        TaskExpanded(R, T, (child,), ()),
    ]
    others = [
        EditAccepted(R, 2, "planner", (AddTask(TaskSpec(TaskId("x"), "t")),)),
        AttemptSucceeded(R, TaskId("x"), AttemptId("b"), "t", None),
        TaskFailed(OTHER, T, "of another run"),
    ]
    async with reopen() as journal:
        await settled(journal, journal.append(NOW, [*story, *others]))
        found = await journal.entries(run=R, task=T)
        assert [entry.fact for entry in found] == story
        assert len(await journal.entries(run=R, task=T, limit=2)) == 2
        born = await journal.entries(run=R, task=child.id)
        assert [entry.fact for entry in born] == story[-1:]


async def test_pruning_deletes_what_a_snapshot_covers_of_that_run_alone(reopen):
    async with reopen() as journal:
        journal.append(NOW, [RunPaused(R), RunPaused(OTHER)] * 1500)
        journal.save_rows([])
        journal.append(LATER, [RunPaused(R)])
        journal.prune(R)
        async with asyncio.timeout(5):
            while len(await journal.entries(run=R)) != 1:  # noqa: ASYNC110  # it tells nobody
                await asyncio.sleep(0.001)
        assert len(await journal.entries(run=OTHER)) == 1500
    async with reopen() as journal:
        assert journal.append(LATER, [RunPaused(R)]) == 3002


# Snapshots in parts


async def test_rows_set_aside_count_with_the_last_of_them_or_never(reopen):
    async with reopen() as journal:
        journal.append(NOW, [RunPaused(R)])
        journal.save_rows([("task", "r/a", b"1"), ("task", "r/b", b"1")])
        await settled(journal, 1)
        journal.save_rows([("task", "r/a", b"2"), ("task", "r/b", None)], more=True)
        await settled(journal, journal.append(NOW, [RunPaused(R)]))
        recovered = await journal.recover()
        assert recovered.rows == {("task", "r/a"): b"1", ("task", "r/b"): b"1"}
        assert [entry.seq for entry in recovered.entries] == [2]
        journal.save_rows([("task", "r/c", b"3")])
        await settled(journal, journal.append(NOW, [RunPaused(R)]))
    async with reopen() as journal:
        recovered = await journal.recover()
        assert recovered.rows == {("task", "r/a"): b"2", ("task", "r/c"): b"3"}
        assert [entry.seq for entry in recovered.entries] == [3]
        journal.save_rows([("task", "r/d", b"4")], more=True)
        await settled(journal, journal.append(NOW, [RunPaused(R)]))
    async with reopen() as journal:  # whoever set that aside is gone
        journal.save_rows([("task", "r/e", b"5")], more=True)
        await settled(journal, journal.append(NOW, [RunPaused(R)]))
        journal.save_rows([])
    async with reopen() as journal:
        recovered = await journal.recover()
    assert recovered.rows.keys() == {("task", "r/a"), ("task", "r/c"), ("task", "r/e")}


async def test_pruning_takes_the_rows_of_tasks_whose_run_has_none(reopen):
    tasks = [("task", f"r/{n}", b"x") for n in range(1500)]
    neighbours = [("task", "r0/a", b"x"), ("run", "r0", b"x"), ("device", "r/1", b"x")]
    async with reopen() as journal:
        journal.append(NOW, [RunPaused(R)])
        journal.save_rows([("run", "r", b"x"), *tasks, *neighbours])
        journal.prune(R)
        await settled(journal, journal.append(NOW, [RunPaused(R)]))
        assert len((await journal.recover()).rows) == 1504
        journal.save_rows([("run", "r", None)])
        journal.prune(R)
        async with asyncio.timeout(5):
            while len((await journal.recover()).rows) != 3:  # noqa: ASYNC110  # it tells nobody
                await asyncio.sleep(0.001)
        assert (await journal.recover()).runs == []


async def test_runs_that_have_entries_are_told(reopen):
    async with reopen() as journal:
        journal.append(NOW, [RunPaused(R), DeviceLeft(DeviceId("d")), RunPaused(OTHER)])
        journal.save_rows([])
    async with reopen() as journal:
        assert sorted((await journal.recover()).runs) == [OTHER, R]


# Fencing


@pytest.fixture(params=["memory", "normal", "full"])
def holder(request, tmp_path) -> Callable[[], Journal]:
    """Each call opens the same journal, although another may have it open: no lock holds."""
    if request.param == "memory":
        store = MemoryStore()
        return lambda: MemoryJournal(store)

    def another() -> Journal:
        lock = tmp_path / "journal.db.lock"
        lock.unlink(missing_ok=True)  # as where the file system has no locks
        return SqliteJournal(tmp_path / "journal.db", synchronous=Synchronous(request.param))

    return another


async def fenced(journal: Journal, holder: Callable[[], Journal]) -> list[int]:
    """Take a journal over while it is in use; return what it called durable after that."""
    told: list[int] = []
    failed = asyncio.get_running_loop().create_future()
    async with journal:
        await settled(journal, journal.append(NOW, [RunPaused(R)]))
        async with holder() as other:
            assert (await other.recover()).entries == [Entry(1, 1000.0, 1.0, RunPaused(R))]
            journal.on_durable, journal.on_failure = told.append, failed.set_result
            journal.append(NOW, [TaskFailed(R, T, "of the former owner")])
            journal.save_rows([("run", "r", b"of the former owner")])
            async with asyncio.timeout(5):
                assert isinstance(await failed, FencedError)
            with pytest.raises(FencedError, match="another coordinator has taken over"):
                journal.append(NOW, [RunPaused(R)])
            with pytest.raises(FencedError):
                journal.prune(R)
            assert other.append(LATER, [RunPaused(OTHER)]) == 2
            await settled(other, 2)
    return told


async def test_who_enters_last_owns_the_journal_and_nothing_of_the_former_owner_is_kept(holder):
    told: list[int] = []
    with pytest.raises(FencedError):
        told += await fenced(holder(), holder)
    assert told == []
    async with holder() as journal:
        recovered = await journal.recover()
    assert [entry.fact for entry in recovered.entries] == [RunPaused(R), RunPaused(OTHER)]
    assert recovered.rows == {}


async def test_a_former_owner_that_writes_nothing_leaves_in_peace(holder):
    async with holder(), holder() as journal:
        await settled(journal, journal.append(NOW, [RunPaused(R)]))


async def test_being_fenced_does_not_hide_why_a_life_ends(holder):
    async def life():
        async with holder() as journal:
            async with holder():
                pass
            journal.append(NOW, [RunPaused(R)])
            raise KeyError

    with pytest.raises(KeyError) as caught:
        await life()
    assert "another coordinator has taken over" in caught.value.__notes__[0]
