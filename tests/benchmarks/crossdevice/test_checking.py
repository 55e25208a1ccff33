from dataclasses import replace
from random import Random
from types import SimpleNamespace
from zipfile import ZipFile

import pytest

from benchmarks.crossdevice.checking import each, judge, subtasks
from benchmarks.crossdevice.fixture import Fixture
from benchmarks.crossdevice.pages import Request, Site
from benchmarks.crossdevice.world import Tree, World


@pytest.fixture
def world(tmp_path):
    return World(
        Tree(lambda d: tmp_path / "given" / d), Tree(lambda d: tmp_path / d), [], {}, {}, 0.0
    )


def found(world, **checkers):
    return {it.subtask: it.wrong for it in judge(subtasks(SimpleNamespace(**checkers)), world)}


def test_every_checker_is_a_subtask_and_nothing_else_is(world):
    def check_good(_world):
        """All is well."""

    def helper(_world):
        return "never called"

    (it,) = judge(subtasks(SimpleNamespace(check_good=check_good, helper=helper)), world)
    assert (it.subtask, it.what, it.done) == ("good", "All is well.", True)


def test_a_sentence_says_what_is_wrong(world):
    assert found(world, check_it=lambda _world: "no") == {"it": "no"}


def test_a_subtask_for_each_value(world):
    @each(1, "two")
    def check_it(_world, value):
        """Is one."""
        return None if value == 1 else f"it is {value}"

    assert found(world, check_it=check_it) == {"it[1]": None, "it[two]": "it is two"}


@pytest.mark.parametrize(
    ("look", "wrong"),
    [
        (lambda w: w.now.text("laptop", "none.md"), "FileNotFoundError"),
        (lambda w: w.now.json("laptop", "bad.json"), "this is no JSON"),
        (lambda w: w.now.query("laptop", "none.db", "select 1"), "OperationalError"),
        (lambda w: w.known["nothing"], "KeyError"),
        (lambda w: ZipFile(w.now.path("laptop", "bad.json")), "BadZipFile"),
        (lambda w: w.now.json("laptop", "list.json").items(), "AttributeError"),
    ],
)
def test_what_is_missing_or_unreadable_is_wrong(world, tmp_path, look, wrong):
    (tmp_path / "laptop").mkdir()
    (tmp_path / "laptop" / "bad.json").write_text("{")
    (tmp_path / "laptop" / "list.json").write_text("[]")
    assert found(world, check_it=look)["it"].startswith(wrong)


def test_a_bug_in_a_checker_is_no_verdict(world):
    def check_it(_world):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        found(world, check_it=check_it)


def test_a_tree_reads_what_the_skills_write(tmp_path):
    tree = Tree(lambda device: tmp_path / device)
    folder = tmp_path / "laptop" / "a"
    folder.mkdir(parents=True)
    (folder / "t.csv").write_text("x,y\n1,2\n")
    (folder / "r.md").write_text("# R\n\n## Rows\n\n| x |\n| --- |\n| 1 |\n")
    (folder / "r.md").chmod(0o640)

    assert tree.table("laptop", "a/t.csv") == [{"x": "1", "y": "2"}]
    assert tree.report("laptop", "a/r.md")["Rows"] == [{"x": "1"}]
    assert tree.files("laptop") == ["a/r.md", "a/t.csv"]
    assert tree.mode("laptop", "a/r.md") == "640"
    assert tree.exists("laptop", "a/t.csv")
    assert not tree.exists("laptop", "a")
    assert len(tree.sha256("laptop", "a/t.csv")) == 64


def test_what_was_sent_last_counts_and_what_was_fetched_does_not(world):
    asked = [
        Request("PUT", "a", {"n": 1}),
        Request("GET", "b", ""),
        Request("POST", "c", "text"),
        Request("PUT", "a", {"n": 2}),
    ]
    assert replace(world, requests=asked).sent() == {"a": {"n": 2}, "c": "text"}


def test_a_fixture_knows_its_folder_on_every_device(tmp_path):
    url = "http://127.0.0.1:1/some_task-7"
    assert Fixture(Random(0), 0.0, lambda d: tmp_path / d, Site(), url).folder == "some_task-7"
