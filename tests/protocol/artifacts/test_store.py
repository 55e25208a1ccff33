import errno
import hashlib
import io
import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from protocol.artifacts import MismatchError, StoreError, StoreFullError, TooBigError
from protocol.artifacts.hashed_file import STEP_BYTES, HashedFile
from protocol.artifacts.index import Blob, Index
from protocol.artifacts.store import Store


class Wall:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def opened(tmp_path, wall):
    stores = []

    def reopen(**options) -> Store:
        while stores:
            stores.pop().close()
        stores.append(Store(tmp_path / "store", wall=wall, **options))
        return stores[0]

    yield reopen
    while stores:
        stores.pop().close()


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def put(store: Store, data: bytes, run: str = "run") -> Blob:
    draft = store.draft(len(data))
    try:
        while draft.copy(io.BytesIO(data)):
            pass
        return store.keep(draft, run, media_type="text/plain")
    finally:
        draft.discard()


def fetched(store: Store, data: bytes, run: str = "run") -> Blob:
    """Do what a fetch does."""
    blob = Blob(sha(data), len(data), "text/plain")
    part = store.part(blob, run)
    part.write_bytes(data)
    store.finish(blob, run)
    return blob


def files(store: Store) -> list[str]:
    return sorted(
        str(path.relative_to(store.folder))
        for path in store.folder.rglob("*")
        if path.is_file() and path.parent != store.folder
    )


def test_content_is_kept_once_under_its_hash_and_survives_reopening(opened):
    store = opened()
    blob = put(store, b"hello")
    assert put(store, b"hello", "other run") == blob == Blob(sha(b"hello"), 5, "text/plain")
    assert files(store) == [f"blobs/{blob.sha256}"]
    token = store.token(blob.sha256)

    store = opened()

    assert store.find(blob.sha256).read_bytes() == b"hello"
    assert store.token(blob.sha256) == token != store.token(sha(b"other"))
    assert store.size_bytes() == 5


def test_a_store_that_syncs_keeps_the_same(opened):
    store = opened(sync=True)
    blob = put(store, b"hello")
    other = fetched(store, b"there")
    assert files(store) == sorted(f"blobs/{each.sha256}" for each in (blob, other))


def test_a_file_that_grows_meanwhile_is_kept_as_it_was(opened):
    store = opened()
    draft = store.draft(5)
    assert draft.copy(io.BytesIO(b"hello, and more")) is False
    assert store.keep(draft, "run", media_type="text/plain").sha256 == sha(b"hello")
    draft.discard()


def test_big_content_is_taken_piece_by_piece(opened):
    store, source = opened(), io.BytesIO(b"x" * (STEP_BYTES + 1))
    draft = store.draft(STEP_BYTES + 1)
    assert draft.copy(source) is True
    assert draft.copy(source) is False
    assert store.keep(draft, "run", media_type="text/plain").size_bytes == STEP_BYTES + 1
    draft.discard()


def test_what_a_run_made_is_offered_until_the_run_is_released(opened):
    store = opened()
    blob = put(store, b"hello", "first")
    put(store, b"hello", "second")

    store.release(["first", "never heard of"])
    assert store.offered(blob.sha256) == (store.find(blob.sha256), "text/plain")
    store.release(["second"])

    assert store.offered(blob.sha256) is None
    assert files(store) == []


def test_what_was_only_fetched_is_not_offered_and_goes_with_its_run(opened):
    store = opened()
    blob = fetched(store, b"hello")
    assert store.find(blob.sha256)
    assert store.offered(blob.sha256) is None
    store.release(["run"])
    assert files(store) == []


def test_a_held_blob_outlives_its_run_until_it_is_let_go(opened):
    store = opened()
    blob = fetched(store, b"hello")
    store.hold(blob.sha256)
    store.let_go(blob.sha256)
    assert store.find(blob.sha256)
    store.hold(blob.sha256)
    store.hold(blob.sha256)
    store.release(["run"])
    store.let_go(blob.sha256)
    assert store.find(blob.sha256).read_bytes() == b"hello"
    store.let_go(blob.sha256)
    assert store.find(blob.sha256) is None


def test_copies_make_room_the_oldest_first_and_what_runs_made_never_does(opened, wall):
    store = opened(quota_bytes=20)
    made = put(store, b"m" * 5)
    copies = []
    for letter in (b"a", b"b", b"c"):
        wall.now += 1
        copies.append(fetched(store, letter * 5))
    wall.now += 1
    store.find(copies[0].sha256)
    store.hold(copies[1].sha256)

    new = put(store, b"n" * 5)

    assert store.find(copies[2].sha256) is None, "used longest ago, and not held"
    kept = {made.sha256, new.sha256, copies[0].sha256, copies[1].sha256}
    assert files(store) == sorted(f"blobs/{each}" for each in kept)


def test_a_full_store_refuses_and_deletes_nothing(opened):
    store = opened(quota_bytes=20)
    put(store, b"m" * 15)
    fetched(store, b"c" * 5)
    before = files(store)
    with pytest.raises(StoreFullError, match="20 are taken; raise 'quota_bytes'"):
        put(store, b"n" * 10)
    with pytest.raises(StoreFullError):
        store.part(Blob(sha(b"p"), 10, "text/plain"), "run")
    assert files(store) == before
    assert store.size_bytes() == 20


def test_what_is_more_than_the_whole_quota_is_refused_for_good_and_deletes_nothing(opened):
    store = opened(quota_bytes=20)
    fetched(store, b"c" * 5)
    before = files(store)
    with pytest.raises(TooBigError, match="21 bytes are more than the whole quota of 20 bytes"):
        put(store, b"n" * 21)
    with pytest.raises(TooBigError, match="raise 'quota_bytes'"):
        store.part(Blob(sha(b"p"), 21, "text/plain"), "run")
    assert files(store) == before


def test_drafts_under_way_count(opened):
    store = opened(quota_bytes=20)
    draft = store.draft(15)
    draft.copy(io.BytesIO(b"x"))
    with pytest.raises(StoreFullError):
        put(store, b"y" * 10)
    draft.discard()
    put(store, b"y" * 10)


def test_a_part_counts_in_full_and_can_grow_no_further_unseen(opened):
    store = opened(quota_bytes=20)
    store.part(Blob(sha(b"p"), 12, "text/plain"), "run")
    assert store.size_bytes() == 12
    store.part(Blob(sha(b"p"), 12, "text/plain"), "run")
    assert store.size_bytes() == 12
    store.hold(sha(b"p"))
    with pytest.raises(StoreFullError):
        store.part(Blob(sha(b"p"), 30, "text/plain"), "run")


def test_a_part_survives_a_restart_and_is_gone_on_with(opened):
    store = opened()
    blob = Blob(sha(b"hello"), 5, "text/plain")
    store.part(blob, "run").write_bytes(b"hel")

    store = opened()

    assert store.find(blob.sha256) is None
    assert store.offered(blob.sha256) is None
    part = store.part(blob, "run")
    assert part.read_bytes() == b"hel"
    part.write_bytes(b"hello")
    assert store.finish(blob, "run").read_bytes() == b"hello"
    assert files(store) == [f"blobs/{blob.sha256}"]


def test_content_that_is_made_here_while_it_is_fetched_is_kept_once(opened):
    store = opened()
    blob = Blob(sha(b"hello"), 5, "text/plain")
    store.part(blob, "run").write_bytes(b"hel")
    put(store, b"hello")
    assert store.part(blob, "run").read_bytes() == b"hel"
    assert store.finish(blob, "run").read_bytes() == b"hello"
    assert store.offered(blob.sha256)
    assert files(store) == [f"blobs/{blob.sha256}"]


def test_a_run_refers_to_what_is_here_only_if_it_has_the_size_promised(opened):
    store = opened()
    blob = put(store, b"hello", "maker")
    token = store.token(blob.sha256)
    assert store.refer(replace(blob, token=token), "user") == store.find(blob.sha256)
    store.release(["maker"])
    assert store.find(blob.sha256)
    assert store.refer(Blob(sha(b"other"), 5, "text/plain"), "user") is None
    with pytest.raises(MismatchError, match="has 5 bytes, and not 50"):
        store.refer(Blob(blob.sha256, 50, "text/plain", token=token), "user")


def test_only_who_has_the_token_is_given_what_is_here_or_arrives(opened):
    store, theirs, guessed = opened(), "theirs", "guessed"
    blob = Blob(sha(b"hello"), 5, "text/plain", token=theirs)
    store.part(blob, "run").write_bytes(b"hello")
    assert not store.part(replace(blob, token=guessed), "run").exists()
    store.part(blob, "run").write_bytes(b"hello")
    store.finish(blob, "run")
    assert store.refer(blob, "run")
    assert store.refer(replace(blob, token=guessed), "run") is None


def test_opening_removes_what_a_crash_left_half_done(opened):
    store = opened()
    whole, cut, gone = (put(store, data) for data in (b"whole", b"cut off", b"gone"))
    part = store.part(Blob(sha(b"part"), 4, "text/plain"), "run")
    assert not part.exists()
    (store.folder / "drafts" / "half").write_bytes(b"ha")
    (store.folder / "blobs" / sha(b"unknown")).write_bytes(b"unknown")
    (store.folder / "parts" / sha(b"unknown")).write_bytes(b"unk")
    os.truncate(store.find(cut.sha256), 3)
    store.find(gone.sha256).unlink()

    store = opened()

    assert files(store) == [f"blobs/{whole.sha256}"]
    assert store.offered(whole.sha256)
    assert [store.offered(each.sha256) for each in (cut, gone)] == [None, None]
    assert store.size_bytes() == 5


def test_what_nobody_used_for_long_goes_whoever_refers_to_it(opened, wall):
    store = opened(keep_s=100)
    assert store.sweep() == 100
    old, held = put(store, b"old"), put(store, b"held")
    store.hold(held.sha256)
    wall.now += 60
    young = put(store, b"young")
    wall.now += 50

    assert store.sweep() == 0, "the held one is due"

    assert store.find(old.sha256) is None
    assert files(store) == sorted(f"blobs/{each.sha256}" for each in (held, young))
    store.find(held.sha256)
    assert store.sweep() == 50


def test_a_folder_that_is_in_use_or_something_else_is_one_clear_error(opened, tmp_path):
    store = opened()
    with pytest.raises(StoreError, match="another agent uses it"):
        Store(store.folder)
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file: "):
        Store(tmp_path / "file")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "index.db").write_text("no database, but long enough to be read")
    with pytest.raises(StoreError, match=r"index\.db: "):
        Store(tmp_path / "other")


@pytest.mark.parametrize(
    ("pragma", "words"),
    [("application_id = 7", "another program"), ("user_version = 99", "it has version 99")],
)
def test_an_index_of_another_program_or_version_is_refused(opened, tmp_path, pragma, words):
    opened().close()
    with sqlite3.connect(tmp_path / "store" / "index.db") as database:
        database.execute(f"PRAGMA {pragma}")
    database.close()
    with pytest.raises(StoreError, match=words):
        Store(tmp_path / "store")


def test_a_folder_that_cannot_be_put_in_order_is_not_left_locked(opened, tmp_path):
    store = opened()
    (store.folder / "blobs" / "folder").mkdir()
    with pytest.raises(StoreError, match="folder: "):
        opened()
    (tmp_path / "store" / "blobs" / "folder").rmdir()
    opened()


def test_a_full_disk_is_told_apart(opened, monkeypatch):
    store = opened()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(StoreFullError, match="No space left"):
        put(store, b"hello")
    assert store.size_bytes() == 0
    assert files(store) == []


def test_a_closed_index_is_an_error_of_the_store(opened):
    store = opened()
    store.close()
    with pytest.raises(StoreError, match=r"index\.db"):
        store.find(sha(b"x"))


def test_a_file_is_opened_before_it_is_written(tmp_path):
    with pytest.raises(ValueError, match="open it first"):
        HashedFile(tmp_path / "x").write(b"x")


def test_a_commit_that_fails_is_an_error_and_leaves_nothing_open(tmp_path):
    index = Index(tmp_path / "index.db", sync=False)
    with pytest.raises(sqlite3.Error), index._transaction():
        index._db.execute("ROLLBACK")  # as a full disk may do by itself
    with pytest.raises(sqlite3.Error), index._transaction():
        index._db.execute("no statement")
    assert index.all() == []
    index.close()
