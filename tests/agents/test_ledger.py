import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from agents import ledger as module
from agents.actions import AttemptRow, RunRow
from agents.ledger import Durability, LedgerError, SqliteLedger
from protocol.types import AttemptId, Effect, RunId, Succeeded

RUN = RunId("run")
ROW = AttemptRow(AttemptId("a"), RUN, 1, 1, Effect.ONCE)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.db"


def write(ledger, *changes):
    async def written():
        done = asyncio.get_running_loop().create_future()
        ledger.write(changes, lambda error: done.set_result((error, threading.current_thread())))
        return await done

    return asyncio.run(written())


CRASHING = """
import asyncio, os, signal, sys
from pathlib import Path
from agents.actions import *
from agents.ledger import *
from protocol.types import *

def crash(error):
    assert error is None
    os.kill(os.getpid(), signal.SIGKILL)

async def main():
    ledger = SqliteLedger(Path(sys.argv[1]), Durability(sys.argv[2]))
    print(ledger.incarnation, flush=True)
    row = AttemptRow(AttemptId("a"), RunId("run"), 1, 1, Effect.ONCE)
    ledger.write([RunRow(RunId("run"), 1), row], crash)
    await asyncio.sleep(10)

asyncio.run(main())
"""


@pytest.mark.parametrize("durability", Durability)
def test_start_that_was_recorded_outlives_a_kill(path, durability):
    done = subprocess.run(
        [sys.executable, "-c", CRASHING, path, durability],
        capture_output=True, check=False, cwd=Path(module.__file__).parents[1],
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    ledger = SqliteLedger(path)
    assert ledger.incarnation == done.stdout.decode().strip()
    assert list(ledger.rows()) == [RunRow(RUN, 1), ROW]
    ledger.close()


def test_group_that_cannot_be_written_leaves_nothing_behind(path):
    ledger = SqliteLedger(path)
    unwritable = RunRow(RunId("bad"), "not a number", ("x", object()))
    error, _ = write(ledger, ROW, unwritable)
    assert isinstance(error, LedgerError)
    assert list(ledger.rows()) == []
    assert write(ledger, ROW)[0] is None
    ledger.close()


def test_full_disk_is_an_error_and_writing_goes_on_when_there_is_space(path):
    ledger = SqliteLedger(path)
    (pages,) = ledger._db.execute("PRAGMA page_count").fetchone()
    ledger._db.execute(f"PRAGMA max_page_count = {pages}")
    big = AttemptRow(AttemptId("a"), RUN, 1, 1, Effect.PURE, Succeeded("x" * 20_000))
    error, _ = write(ledger, big)
    assert "the disk is full; free some space" in str(error)
    ledger._db.execute("PRAGMA max_page_count = 10000")
    assert write(ledger, big)[0] is None
    assert list(ledger.rows()) == [big]
    ledger.close()


def test_file_that_is_no_database_is_one_clear_error(path):
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(LedgerError, match="move it away") as caught:
        SqliteLedger(path)
    assert str(path) in str(caught.value)


def test_path_that_cannot_be_opened_is_one_clear_error(path):
    path.mkdir()
    with pytest.raises(LedgerError, match="correct the path or its permissions"):
        SqliteLedger(path)
    (path / "file").touch()
    with pytest.raises(LedgerError, match="correct the path or its permissions"):
        SqliteLedger(path / "file" / "ledger.db")


def test_damaged_page_is_found_at_the_start(path):
    ledger = SqliteLedger(path)
    rows = [AttemptRow(AttemptId(f"{n:04}"), RUN, 1, n, Effect.PURE) for n in range(500)]
    write(ledger, *rows)
    ledger.close()
    with path.open("r+b") as file:
        file.seek(4096 * 4)
        file.write(os.urandom(4096 * 2))
    with pytest.raises(LedgerError, match="move it away"):
        SqliteLedger(path)


def test_row_that_makes_no_sense_is_an_error_not_a_guess(path):
    ledger = SqliteLedger(path)
    ledger._db.execute("INSERT INTO attempts VALUES ('a','r',1,1,'pure','Exploded','{}',0,0,NULL)")
    with pytest.raises(LedgerError, match="move it away"):
        ledger.rows()
    ledger.close()


def test_second_agent_on_the_same_ledger_is_refused(path):
    first = SqliteLedger(path)
    with pytest.raises(LedgerError, match="another agent uses it"):
        SqliteLedger(path)
    first.close()
    SqliteLedger(path).close()


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("PRAGMA user_version = 3", "it has version 3, this agent reads 2: install"),
        ("PRAGMA application_id = 7", "another program"),
    ],
)
def test_foreign_or_newer_file_is_refused_untouched(path, statement, words):
    SqliteLedger(path).close()
    with sqlite3.connect(path) as other:
        other.execute(statement)
    other.close()
    with pytest.raises(LedgerError, match=words):
        SqliteLedger(path)


VERSION_1 = """
CREATE TABLE identity (incarnation TEXT NOT NULL);
CREATE TABLE runs (
    run TEXT PRIMARY KEY, epoch INTEGER NOT NULL,
    floor_epoch INTEGER NOT NULL, floor_token INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE attempts (
    attempt TEXT PRIMARY KEY, run TEXT NOT NULL, epoch INTEGER NOT NULL, token INTEGER NOT NULL,
    effect TEXT NOT NULL, kind TEXT, outcome BLOB, run_s REAL, closed INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO identity VALUES ('i');
INSERT INTO runs VALUES ('run', 1, -1, -1);
INSERT INTO attempts VALUES ('a', 'run', 1, 1, 'once', NULL, NULL, NULL, 0);
PRAGMA application_id = 0x4D757374;
PRAGMA user_version = 1;
"""


def test_ledger_of_the_version_before_is_read_and_from_then_on_written_as_the_new_one(path):
    with sqlite3.connect(path) as old:
        old.executescript(VERSION_1)
    old.close()
    for _ in range(2):
        ledger = SqliteLedger(path)
        assert ledger.incarnation == "i"
        assert list(ledger.rows()) == [RunRow(RUN, 1), ROW]
        assert write(ledger, RunRow(RUN, 1), ROW)[0] is None
        ledger.close()


def test_commit_without_sync_stays_on_the_loop_and_one_with_sync_does_not(path):
    seen = []

    def spied(ledger):
        commit = ledger._commit
        ledger._commit = lambda changes: seen.append(threading.current_thread()) or commit(changes)
        write(ledger, ROW)
        ledger.close()

    spied(SqliteLedger(path))
    spied(SqliteLedger(path, Durability.POWER))
    assert seen[0] is threading.main_thread()
    assert seen[1] is not threading.main_thread()


def test_log_is_kept_short_by_checkpoints_off_the_loop(path, monkeypatch):
    monkeypatch.setattr(module, "CHECKPOINT_EVERY", 50)
    ledger = SqliteLedger(path)
    for _ in range(500):
        write(ledger, ROW)
    assert path.with_name("ledger.db-wal").stat().st_size < 50 * 4 * 4200
    ledger.close()
