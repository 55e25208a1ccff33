import asyncio
import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest

from agents.builtin import files
from agents.builtin.bounds import TEXT_BYTES, off_loop
from agents.skills import (
    BadInputError,
    Context,
    LeaseLostError,
    NotAllowedError,
    PermanentError,
    Skills,
)
from protocol.types import AttemptId, RunId, TaskId

pytestmark = pytest.mark.broker  # threads work outside the virtual clock

DAY_S = 86_400
NOW = datetime(2025, 6, 2, 12, tzinfo=UTC).timestamp()


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    return root


@pytest.fixture
def skills(root):
    return files.skills([root], wall=lambda: NOW)


async def test_what_is_written_is_read_back(call, skills, root):
    written = await call(skills, "files.write", path="a/b.txt", text="grüße\r\n")
    assert written == {"path": "a/b.txt", "size_bytes": 9}
    assert await call(skills, "files.read", path="a/b.txt") == {
        "path": "a/b.txt",
        "text": "grüße\r\n",
        "size_bytes": 9,
        "next_offset": None,
    }
    assert [file.name for file in (root / "a").iterdir()] == ["b.txt"]


async def test_a_reader_of_the_old_file_never_sees_the_new_one(call, skills, root):
    (root / "x").write_text("old")
    with (root / "x").open() as reader:
        await call(skills, "files.write", path="x", text="new")
        assert reader.read() == "old"
    assert (root / "x").read_text() == "new"


async def test_a_write_that_fails_leaves_nothing_behind(call, skills, root):
    (root / "kept").mkdir()
    (root / "kept" / "x").touch()
    with pytest.raises(PermanentError):
        await call(skills, "files.write", path="kept", text="new")
    assert [file.name for file in root.iterdir()] == ["kept"]


async def test_a_large_file_is_read_in_pieces_that_never_cut_a_character(call, skills, root):
    text = "äöü" * 1000
    (root / "large").write_text(text)
    pieces, offset = [], 0
    while offset is not None:
        piece = await call(skills, "files.read", path="large", offset=offset, limit=1001)
        pieces.append(piece["text"])
        offset = piece["next_offset"]
    assert "".join(pieces) == text
    assert len(pieces) == 6


async def test_a_piece_that_json_blows_up_is_made_smaller(call, skills, root):
    (root / "binary").write_bytes(b"\0" * TEXT_BYTES)
    piece = await call(skills, "files.read", path="binary", limit=TEXT_BYTES)
    assert 0 < piece["next_offset"] == len(piece["text"]) < TEXT_BYTES


async def test_append_adds_and_stops_when_the_lease_is_lost(call, skills, root):
    await call(skills, "files.append", path="log/x", text="one\n")
    assert (await call(skills, "files.append", path="log/x", text="two\n"))["size_bytes"] == 8
    lapsed = Context(
        attempt=AttemptId("a"), run=RunId("r"), task=TaskId("t"), lease_live=lambda: False
    )
    with pytest.raises(LeaseLostError):
        await Skills(skills)["files.append"].call(lapsed, {"path": "log/x", "text": "three\n"})
    assert (root / "log/x").read_text() == "one\ntwo\n"


async def test_list_names_sizes_times_and_what_is_left_out(call, skills, root):
    for name in ("b.log", "a.log", "c.txt"):
        (root / name).write_text(name)
        os.utime(root / name, (0, 0))
    listing = await call(skills, "files.list", glob="*.log", limit=1)
    assert listing == {
        "files": [{"path": "a.log", "size_bytes": 5, "modified": "1970-01-01T00:00:00+00:00"}],
        "total": 2,
        "truncated": True,
    }


async def test_list_never_outgrows_an_output(call, skills, root):
    for number in range(700):
        (root / f"{number:04}{'x' * 100}").touch()
    listing = await call(skills, "files.list", limit=1000)
    assert listing["total"] == 700
    assert 200 < len(listing["files"]) < 700


async def test_a_second_root_is_listed_so_that_it_can_be_read(call, root, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "x").write_text("here")
    skills = files.skills([root, other])
    [entry] = (await call(skills, "files.list", path=str(other)))["files"]
    assert (await call(skills, "files.read", path=entry["path"]))["text"] == "here"


async def test_search_finds_the_errors_of_the_last_day(call, skills, root):
    (root / "app.log").write_text(
        "ERROR before any time counts by its file\n"
        "2025-06-01 09:00:00,123+00:00 ERROR too old\n"
        "ERROR as old as the line before\n"
        "2025-06-02T09:00:00Z INFO fine\n"
        "2025-06-02T10:00:00Z ERROR young\n"
        "  ERROR as young as the line before\n"
        '{"time": "2025-06-02T10:30:00Z", "level": "ERROR"}\n'
        "ERROR 2025-06-02 11:00:00+0000 level first\n"
        "[2025-99-99 11:00] ERROR no such day\n"
    )
    (root / "old.log").write_text("ERROR in an old file\n")
    for name, age_s in {"app.log": 0, "old.log": 2 * DAY_S}.items():
        os.utime(root / name, (NOW - age_s, NOW - age_s))
    found = await call(skills, "files.search", pattern="ERROR", glob="*.log", since_s=DAY_S)
    assert [match["line"] for match in found["matches"]] == [1, 5, 6, 7, 8, 9]
    assert found["matches"][1] == {
        "file": "app.log",
        "line": 5,
        "text": "2025-06-02T10:00:00Z ERROR young",
    }
    assert (found["total"], found["files"], found["truncated"]) == (6, 1, False)


async def test_search_counts_what_it_does_not_return(call, skills, root):
    (root / "x.log").write_text("error\n" * 50 + "y" * 10_000 + "error\nerror\n")
    found = await call(skills, "files.search", pattern="error", path="x.log", limit=3)
    assert [match["line"] for match in found["matches"]] == [1, 2, 3]
    assert (found["total"], found["truncated"]) == (51, True)  # line 51 is cut before its match


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that cannot be read")
async def test_search_names_what_it_could_not_read(call):
    found = await call(files.skills([Path("/proc/self")]), "files.search", pattern="x", glob="mem")
    assert found["files"] == 0
    assert "Input/output error" in found["unreadable"][0]


async def test_hash_is_sha256(call, skills, root):
    (root / "x").write_bytes(b"data")
    hashed = await call(skills, "files.hash", path="x")
    assert hashed["sha256"] == hashlib.sha256(b"data").hexdigest()
    assert hashed["size_bytes"] == 4


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "link/passwd", "a/../../secret"])
async def test_nobody_gets_out_of_the_roots(call, skills, root, tmp_path, path):
    (tmp_path / "secret").write_text("secret")
    (root / "link").symlink_to("/etc")
    for name, args in {"files.read": {}, "files.write": {"text": ""}}.items():
        with pytest.raises(NotAllowedError, match="outside of the folders open here"):
            await call(skills, name, path=path, **args)


async def test_a_glob_does_not_get_out_either(call, skills, root, tmp_path):
    (tmp_path / "secret").write_text("secret")
    (root / "link").symlink_to(tmp_path / "secret")
    (root / "dangling").symlink_to("nowhere")
    for glob in ("**/*", "../*", "*"):
        assert (await call(skills, "files.list", glob=glob))["total"] == 0


@pytest.mark.parametrize(
    ("name", "args", "expected"),
    [
        ("files.read", {"path": "none"}, (PermanentError, "none: No such file")),
        ("files.read", {"path": "."}, (PermanentError, "Is a directory")),
        ("files.read", {"path": "a\0b"}, (BadInputError, "is no path")),
        ("files.read", {"path": "x", "offset": -1}, (BadInputError, "offset: write a number")),
        ("files.list", {"path": "none"}, (PermanentError, "No such file")),
        ("files.list", {"glob": "/x"}, (BadInputError, "'/x' is no glob pattern")),
        ("files.list", {"glob": ""}, (BadInputError, "'' is no glob pattern")),
        ("files.search", {"pattern": "("}, (BadInputError, "is no regular expression")),
    ],
)
async def test_bad_input_gets_a_sentence(call, skills, name, args, expected):
    error, sentence = expected
    with pytest.raises(error, match=sentence):
        await call(skills, name, **args)


async def test_without_roots_nothing_is_open(call):
    with pytest.raises(NotAllowedError, match=r"the owner sets 'roots' in \[skills.files\]"):
        await call(files.skills([]), "files.list")


async def test_cancelling_tells_the_thread_to_stop():
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()

    def work(stop: Event) -> None:
        loop.call_soon_threadsafe(cancel.set)
        assert stop.wait(10)
        loop.call_soon_threadsafe(stopped.set)

    cancel = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(off_loop(work))
        await cancel.wait()
        running.cancel()
    async with asyncio.timeout(5):
        await stopped.wait()


async def test_an_exception_that_no_future_can_carry_arrives_all_the_same():
    def work(_stop: Event) -> None:
        raise StopIteration

    with pytest.raises(RuntimeError, match="stray"):
        await off_loop(work)


def test_a_walk_and_a_line_reader_stop_when_told(root):
    (root / "x").write_text("line\n")
    stop = Event()
    stop.set()
    box = files.Files(files.Roots([root]), lambda: NOW)
    assert list(box._below(root, "*", stop)) == []
    with (root / "x").open() as file:
        assert list(files._lines(file, stop)) == []
