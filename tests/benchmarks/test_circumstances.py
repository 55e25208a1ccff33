import shutil
import subprocess

import pytest

from benchmarks.circumstances import circumstances, commit

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture
def checkout(tmp_path):
    def git(*arguments):
        identity = ("-c", "user.name=t", "-c", "user.email=t@localhost")
        return subprocess.run(
            [shutil.which("git"), *identity, *arguments],
            cwd=tmp_path,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    git("init", "--quiet")
    (tmp_path / "file").write_text("one")
    git("add", "file")
    git("commit", "--quiet", "--message", "one")
    git("tag", "v1")
    return tmp_path, git("rev-parse", "HEAD")


@needs_git
def test_commit_is_the_whole_hash(checkout):
    root, head = checkout

    assert commit(root) == head


@needs_git
def test_changed_files_make_the_commit_dirty(checkout):
    root, head = checkout
    (root / "file").write_text("two")

    assert commit(root) == f"{head}-dirty"


def test_commit_is_none_outside_a_checkout(tmp_path):
    assert commit(tmp_path) is None


def test_commit_is_none_without_git(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    monkeypatch.setenv("PATH", "")

    assert commit(tmp_path) is None


def test_machine_and_versions_are_named():
    around = circumstances()

    assert around["machine"]["cores"] >= 1
    assert around["machine"]["cpu"]
    assert {"python", "aiomqtt", "paho-mqtt"} <= around["versions"].keys()
