import asyncio
import os

import pytest

from agents.skills import BadInputError, NotAllowedError, PermanentError, TemporaryError
from agents.warm.adapters import directory
from agents.warm.adapters.directory import Directories, commanded, copied

pytestmark = pytest.mark.real_time  # threads and processes work outside the virtual clock


@pytest.fixture
def source(tmp_path):
    data = tmp_path / "source" / "cats"
    (data / "deep").mkdir(parents=True)
    (data / "one.bin").write_bytes(b"x" * 1000)
    (data / "deep" / "two.bin").write_bytes(b"y" * 500)
    (tmp_path / "source" / "single").write_bytes(b"z" * 7)
    return tmp_path / "source"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache"


def names(folder):
    return [each.name for each in folder.iterdir()]


async def test_copy_is_whole_and_counted_and_goes_at_its_end(source, folder):
    adapter = Directories(folder, copied(f"{source}/{{key}}"))
    copy = await adapter.load("cats")
    read = (copy.path / "deep" / "two.bin").read_bytes()
    (single := await adapter.load("single")).path.read_bytes()
    on_disk = sum(e.lstat().st_size for e in (copy.path, *copy.path.rglob("*")))

    assert read == b"y" * 500
    assert (adapter.size(copy), adapter.size(single)) == (on_disk, 7)
    await adapter.evict(copy)
    await adapter.evict(single)
    assert names(folder) == []


async def test_two_runs_may_have_a_copy_each(source, folder):
    adapter = Directories(folder, copied(f"{source}/{{key}}"))
    first, second = await adapter.load("cats"), await adapter.load("cats")
    await adapter.evict(first)

    assert (second.path / "one.bin").exists()


async def test_leftovers_of_a_crash_are_removed_and_nothing_else(source, folder):
    former = Directories(folder, copied(f"{source}/{{key}}"))
    await former.load("cats")
    (folder / "muster-x.part").mkdir()
    (folder / "muster-y.gone").write_text("")
    (folder / "mine.txt").write_text("the owner's")
    (folder / "muster-link").symlink_to(source)
    adapter = Directories(folder, copied(f"{source}/{{key}}"))
    await adapter.tidy()
    copy = await adapter.load("cats")
    await adapter.tidy()

    assert sorted(names(folder)) == ["mine.txt", copy.path.name]
    assert (source / "cats" / "one.bin").exists()


async def test_half_a_copy_is_never_seen(folder):
    reached, going_on = asyncio.Event(), asyncio.Event()

    async def fetch(_key, target):
        target.mkdir()
        (target / "half").write_text("")
        reached.set()
        await going_on.wait()

    adapter = Directories(folder, fetch)
    async with asyncio.TaskGroup() as group:
        load = group.create_task(adapter.load("cats"))
        await reached.wait()
        assert [name.endswith(".part") for name in names(folder)] == [True]
        load.cancel()
    assert names(folder) == []


async def test_copy_can_be_stopped_within_a_large_file(source, folder, monkeypatch):
    monkeypatch.setattr(directory, "CHUNK_BYTES", 1)
    with (source / "cats" / "large").open("wb") as file:
        file.truncate(100_000_000)
    adapter = Directories(folder, copied(f"{source}/{{key}}"))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await adapter.load("cats")

    assert names(folder) == []


@pytest.mark.parametrize("key", ["..", "../source", "/etc", "a/../..", ".hidden", "-rf"])
async def test_key_leads_nowhere_else(source, folder, key):
    with pytest.raises(NotAllowedError):
        await Directories(folder, copied(f"{source}/{{key}}")).load(key)


async def test_what_is_not_there_is_bad_input(source, folder):
    with pytest.raises(BadInputError, match=r"there is no .*dogs"):
        await Directories(folder, copied(f"{source}/{{key}}")).load("dogs")
    assert names(folder) == []


async def test_file_that_cannot_be_copied_fails_the_load(source, folder):
    os.mkfifo(source / "cats" / "pipe")
    adapter = Directories(folder, copied(f"{source}/{{key}}"))
    with pytest.raises(PermanentError, match="is no regular file"):
        await adapter.load("cats")
    os.mkfifo(source / "alone")
    with pytest.raises(PermanentError, match="is no regular file"):
        await adapter.load("alone")
    assert names(folder) == []


async def test_full_disk_may_have_room_another_time(folder):
    async def fetch(_key, _target):
        raise OSError(28, "No space left on device")

    with pytest.raises(TemporaryError, match="cats: No space left"):
        await Directories(folder, fetch).load("cats")


async def test_command_fetches(folder):
    command = ["sh", "-c", 'mkdir "$1" && echo "$0" > "$1/key"', "{key}", "{target}"]
    adapter = Directories(folder, commanded(command))
    copy = await adapter.load("cats")

    assert (copy.path / "key").read_text() == "cats\n"


@pytest.mark.parametrize(
    ("script", "words"), [("echo no route; exit 4", "code 4: no route"), ("true", "No such file")]
)
async def test_command_that_fetches_nothing_fails_the_load(folder, script, words):
    with pytest.raises(PermanentError, match=words):
        await Directories(folder, commanded(["sh", "-c", script])).load("cats")
    assert names(folder) == []
