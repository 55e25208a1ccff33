"""The file of the journal: damage, full disks, crashes, versions, and what runs where."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from time import perf_counter

import pytest

import orchestrator.journal.sqlite as tuning
from orchestrator.core.edits import AddTask
from orchestrator.core.facts import AttemptSucceeded, EditAccepted, RunPaused, TaskFailed
from orchestrator.core.model import Now, TaskSpec
from orchestrator.journal import (
    JournalDamagedError,
    JournalError,
    JournalLockedError,
    JournalVersionError,
    JournalWriteError,
    SqliteJournal,
    Synchronous,
)
from orchestrator.journal.database import SCHEMAS, connect, pragma
from orchestrator.journal.errors import explain
from protocol.types import AttemptId, RunId, TaskId

pytestmark = pytest.mark.real_time  # its writer is a thread

R, T = RunId("r"), TaskId("t")
NOW = Now(1000.0, 1.0)
PAUSED = RunPaused(R)


async def test_what_is_not_json_is_refused_and_nothing_is_taken(tmp_path):
    async with SqliteJournal(tmp_path / "j.db") as journal:
        with pytest.raises(TypeError, match="set is not JSON"):
            journal.append(NOW, [PAUSED, AttemptSucceeded(R, T, AttemptId("a"), {1}, None)])
        assert journal.append(NOW, [PAUSED]) == 1


async def written(path: Path, count: int = 3) -> Path:
    async with SqliteJournal(path) as journal:
        journal.append(NOW, [TaskFailed(R, T, "x" * 100)] * count)
    return path


async def error_of(path: Path) -> JournalError:
    with pytest.raises(JournalError) as caught:
        async with SqliteJournal(path) as journal:
            await journal.recover()
    assert str(path) in str(caught.value)
    assert caught.value.path == path
    return caught.value


# Files that cannot be used


async def test_a_second_coordinator_is_told_who_has_the_file(tmp_path):
    path = tmp_path / "j.db"
    async with SqliteJournal(path):
        error = await error_of(path)
    assert isinstance(error, JournalLockedError)
    assert f"process {os.getpid()} " in str(error)
    async with SqliteJournal(path):
        pass


async def test_another_program_writing_the_file_is_an_error(tmp_path):
    path = await written(tmp_path / "j.db")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert isinstance(await error_of(path), JournalLockedError)


@pytest.mark.parametrize("place", [0.0, 0.3, 0.6])
async def test_overwritten_bytes_are_an_error(tmp_path, place):
    path = await written(tmp_path / "j.db", 500)
    with path.open("r+b") as file:
        file.seek(int(path.stat().st_size * place))
        file.write(b"\xff" * 4096)
    assert isinstance(await error_of(path), JournalDamagedError)


@pytest.mark.parametrize("share", [0.0, 0.5])
async def test_a_truncated_file_is_an_error(tmp_path, share):
    path = await written(tmp_path / "j.db", 500)
    os.truncate(path, int(path.stat().st_size * share))
    assert isinstance(await error_of(path), JournalDamagedError)


async def test_a_file_that_is_no_database_is_an_error(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("dear diary\n" * 100)
    assert isinstance(await error_of(path), JournalDamagedError)
    assert path.read_text() == "dear diary\n" * 100


async def test_a_database_of_another_program_is_left_alone(tmp_path):
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE mine (x)")
    before = path.read_bytes()
    assert "another program's database" in str(await error_of(path))
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("damage", "kind", "words"),
    [
        ("UPDATE entry SET body = '{' WHERE seq = 2", JournalDamagedError, "entry 2 is damaged"),
        (
            "UPDATE entry SET kind = 'Nothing' WHERE seq = 2",
            JournalDamagedError,
            "entry 2 is damaged",
        ),
        (
            "UPDATE entry SET version = 99 WHERE seq = 2",
            JournalVersionError,
            "newer release wrote entry 2",
        ),
    ],
)
async def test_an_entry_that_cannot_be_read_is_named(tmp_path, damage, kind, words):
    path = await written(tmp_path / "j.db")
    with closing(sqlite3.connect(path)) as other, other:
        other.execute(damage)
    error = await error_of(path)
    assert isinstance(error, kind)
    assert words in str(error)


async def test_a_folder_that_cannot_be_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    assert isinstance(await error_of(tmp_path / "file" / "j.db"), JournalWriteError)


async def test_a_folder_in_place_of_the_file_is_an_error(tmp_path):
    (tmp_path / "j.db").mkdir()
    assert isinstance(await error_of(tmp_path / "j.db"), JournalWriteError)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
async def test_a_read_only_folder_is_an_error(tmp_path):
    tmp_path.chmod(0o500)
    assert isinstance(await error_of(tmp_path / "j.db"), JournalWriteError)


def test_whatever_else_goes_wrong_is_one_sentence(tmp_path):
    error = explain(tmp_path, ZeroDivisionError("of a bug"))
    assert str(error) == f"journal {tmp_path}: ZeroDivisionError: of a bug"


# Versions


async def test_a_file_of_a_newer_release_is_refused(tmp_path):
    path = await written(tmp_path / "j.db")
    with closing(sqlite3.connect(path)) as other:
        other.execute(f"PRAGMA user_version = {len(SCHEMAS) + 1}")
    assert isinstance(await error_of(path), JournalVersionError)


async def test_a_file_of_the_former_release_is_brought_up_to_date(tmp_path):
    path = await written(tmp_path / "j.db")
    newer = (*SCHEMAS, ("ALTER TABLE entry ADD COLUMN cost REAL", "UPDATE entry SET cost = 1"))
    for _ in range(2):  # the second time it is up to date already
        with closing(connect(path, schemas=newer)) as connection:
            assert pragma(connection, "user_version") == len(newer)
            assert pragma(connection, "journal_mode") == "wal"
            assert connection.execute("SELECT sum(cost) FROM entry").fetchone() == (3.0,)


def test_a_creation_cut_off_in_the_middle_is_taken_up(tmp_path):
    with closing(sqlite3.connect(tmp_path / "j.db")) as half:
        half.execute("PRAGMA journal_mode = WAL")
    with closing(connect(tmp_path / "j.db")) as connection:
        assert pragma(connection, "user_version") == len(SCHEMAS)


# Failing while in use


def fill(journal: SqliteJournal) -> None:
    """Let the disk have no room for more than what is there already."""
    pages = pragma(journal._connection, "page_count")
    pragma(journal._connection, f"max_page_count = {pages}")


TOO_LARGE = TaskFailed(R, T, "x" * 100_000)


@pytest.mark.parametrize("synchronous", Synchronous)
async def test_a_full_disk_is_told_and_never_called_durable(tmp_path, synchronous):
    durable, failed = [], asyncio.Queue()

    async def life():
        async with journal:
            journal.on_durable, journal.on_failure = durable.append, failed.put_nowait
            fill(journal)
            journal.append(NOW, [TOO_LARGE])
            await asyncio.sleep(0)  # the commit begins
            if synchronous is Synchronous.FULL:
                journal.append(NOW, [PAUSED])  # there is room for this, but it may not overtake
            async with asyncio.timeout(5):
                assert isinstance(await failed.get(), JournalWriteError)
            with pytest.raises(JournalWriteError):
                journal.append(NOW, [PAUSED])
            with pytest.raises(JournalWriteError):
                journal.save_rows([])

    journal = SqliteJournal(tmp_path / "j.db", synchronous=synchronous)
    with pytest.raises(JournalWriteError, match="the disk is full"):
        await life()
    assert (durable, journal.durable, failed.qsize()) == ([], 0, 0)
    async with SqliteJournal(tmp_path / "j.db") as again:
        assert await again.entries() == []


async def ends_full(path: Path, error: Exception | None = None) -> None:
    async with SqliteJournal(path) as journal:
        fill(journal)
        journal.append(NOW, [TOO_LARGE])
        if error:
            raise error


async def test_a_disk_that_is_full_at_the_end_raises_from_the_life_cycle(tmp_path):
    with pytest.raises(JournalWriteError, match="the disk is full"):
        await ends_full(tmp_path / "j.db")


async def test_a_failure_at_the_end_does_not_hide_why_it_ends(tmp_path):
    with pytest.raises(KeyError) as caught:
        await ends_full(tmp_path / "j.db", KeyError())
    assert "the disk is full" in caught.value.__notes__[0]


async def test_text_that_the_file_cannot_hold_is_a_failure_and_no_silence(tmp_path):
    failed = asyncio.Queue()

    async def life():
        async with SqliteJournal(tmp_path / "j.db") as journal:
            journal.on_failure = failed.put_nowait
            journal.append(NOW, [RunPaused(RunId("\ud800"))])
            async with asyncio.timeout(5):
                await failed.get()

    with pytest.raises(JournalError, match="UnicodeEncodeError"):
        await life()


async def test_a_journal_that_was_left_takes_nothing(tmp_path):
    async with SqliteJournal(tmp_path / "j.db") as journal:
        journal.append(NOW, [PAUSED])
    with pytest.raises(JournalError, match="closed"):
        journal.append(NOW, [PAUSED])
    async with journal:
        await until_durable(journal, journal.append(NOW, [PAUSED]))
        assert len(await journal.entries()) == 2


# Large and many


async def until_durable(journal: SqliteJournal, seq: int) -> None:
    reached = asyncio.Event()
    journal.on_durable = lambda durable: reached.set() if durable >= seq else None
    async with asyncio.timeout(10):
        await reached.wait()


async def test_the_log_is_emptied_into_the_database_in_the_thread(tmp_path, monkeypatch):
    monkeypatch.setattr(tuning, "LOG_BYTES", 50_000)
    peak = 0
    async with SqliteJournal(tmp_path / "j.db") as journal:
        for _ in range(60):
            await until_durable(journal, journal.append(NOW, [TaskFailed(R, T, "x" * 5000)]))
            peak = max(peak, journal._log_bytes)
        assert len(await journal.entries()) == 60
    assert 50_000 < peak < 500_000


async def test_a_large_commit_leaves_the_loop_free(tmp_path):
    edits = tuple(AddTask(TaskSpec(TaskId(f"t{i}"), "noop")) for i in range(300))
    async with SqliteJournal(tmp_path / "j.db") as journal:
        for _ in range(20):
            last = journal.append(NOW, [EditAccepted(R, 1, "planner", edits)])
        turns = 0
        while journal.durable < last:
            await asyncio.sleep(0)
            turns += 1
    assert turns > 3  # inline it would have been over after two


async def test_a_busy_loop_does_not_starve_commits_in_the_thread(tmp_path):
    begun = perf_counter()
    async with SqliteJournal(tmp_path / "j.db", synchronous=Synchronous.FULL) as journal:
        for _ in range(200):
            last = journal.append(NOW, [PAUSED] * 20)
            while journal.durable < last:
                busy_until = perf_counter() + 0.0001
                while perf_counter() < busy_until:
                    pass
                await asyncio.sleep(0)
    assert perf_counter() - begun < 8  # seen: 0.3 s, and 10 s and more with a starved thread


# Crashes

WRITER = """
import asyncio, sys
from pathlib import Path
from orchestrator.core.facts import RunPaused
from orchestrator.core.model import Now
from orchestrator.journal import SqliteJournal, Synchronous

async def main():
    async with SqliteJournal(Path(sys.argv[1]), synchronous=Synchronous(sys.argv[2])) as journal:
        journal.on_durable = lambda seq: print(seq, flush=True)
        while True:
            journal.append(Now(1.0, 1.0), [RunPaused("r")] * 3)
            await asyncio.sleep(0)

asyncio.run(main())
"""


def killed_after(path: Path, synchronous: Synchronous, *, lines: int) -> int:
    """Kill a writer after so many words of it; return the last seq that it called durable."""
    command = [sys.executable, "-c", WRITER, path, synchronous]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        try:
            said = [writer.stdout.readline() for _ in range(lines)]
        finally:
            writer.kill()
        said += [line for line in writer.stdout if line.endswith("\n")]
    return int(said[-1])


@pytest.mark.parametrize("synchronous", Synchronous)
async def test_what_was_durable_is_there_after_a_kill(tmp_path, synchronous):
    promised = killed_after(tmp_path / "j.db", synchronous, lines=50)
    async with SqliteJournal(tmp_path / "j.db") as journal:
        seqs = [entry.seq for entry in (await journal.recover()).entries]
    assert seqs == list(range(1, len(seqs) + 1))
    assert len(seqs) >= promised
    assert len(seqs) % 3 == 0  # all of an append or nothing
