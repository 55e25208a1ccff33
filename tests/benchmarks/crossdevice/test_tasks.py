"""Every task of the suite is as `benchmarks/README.md` asks; some are played, in memory."""

import functools
import random
import shutil
from dataclasses import replace

import pytest

from benchmarks.crossdevice import task as tasks
from benchmarks.crossdevice.bounds import eligible
from benchmarks.crossdevice.checking import judge
from benchmarks.crossdevice.fixture import Fixture
from benchmarks.crossdevice.fleet import FLEET
from benchmarks.crossdevice.pages import Site
from benchmarks.crossdevice.play import play
from benchmarks.crossdevice.session import open_stage
from benchmarks.crossdevice.world import Tree, World
from benchmarks.frame import BenchmarkError
from orchestrator.planner.playbook import PlaybookPlanner

PLAYED = 10  # here; `test_processes` plays two more
NOW = 1.8e9
NAMES = tasks.names()
loaded = functools.cache(tasks.load)


class Peace:
    def controls(self):
        return {}

    async def seen(self, event, stage):
        pass


@pytest.fixture(scope="module")
def planner(tmp_path_factory):
    folder = tmp_path_factory.mktemp("playbooks")
    for name in NAMES:
        (folder / f"{name}.yaml").write_text((tasks.FOLDER / name / "playbook.yaml").read_text())
    return PlaybookPlanner([folder])


def own(task):
    return {"folder": f"{task.name}-0", "site": "http://127.0.0.1:1/x"}


@pytest.mark.parametrize("name", NAMES)
def test_request_finds_the_playbook_of_its_task_and_no_other(planner, name):
    task = loaded(name)
    playbook, match = planner.find(task.request(own(task)))
    assert playbook.name == name
    plan = playbook.plan({**match.parameters, **task.parameters(own(task))})
    assert plan.edits


@pytest.mark.parametrize("name", NAMES)
def test_every_task_of_a_plan_has_a_device_that_can_do_it(name):
    task = loaded(name)
    for part in task.plan.part.tasks:
        device = None if part.device is None or "${" in part.device else part.device
        labels = {k: v for k, v in part.labels.items() if "${" not in v}
        able = eligible({"skill": part.skill, "needs": {"device": device, "labels": labels}})
        assert able or "replanning" in task.file.tags  # a plan that must change may ask for more


def made(task, seed, home):
    """Return a world as its fixture makes it, with all that two makings may differ in."""
    tree, site = Tree(lambda device: home / device), Site()
    for device in FLEET:
        (home / device).mkdir(parents=True)
    fixture = Fixture(task.chance(seed), NOW, tree.home, site, "http://x/f")
    task.make(fixture)
    files = {
        (device, path): tree.data(device, path) for device in FLEET for path in tree.files(device)
    }
    return World(tree, tree, [], fixture.known, task.file.parameters, NOW), (
        files,
        site.pages,
        fixture.known,
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_fixture_makes_the_same_world_twice_another_for_another_seed_and_none_that_is_done(
    name, tmp_path
):
    task = loaded(name)
    world, first = made(task, 5, tmp_path / "first")

    assert made(task, 5, tmp_path / "again")[1] == first
    others = (made(task, seed, tmp_path / str(seed))[1] for seed in range(6, 16))
    assert any(other != first for other in others)  # one may look the same
    assert any(not each.done for each in judge(task.subtasks, world))


@pytest.mark.parametrize("name", NAMES)
def test_every_subtask_says_in_words_what_must_be_true(name):
    task = loaded(name)
    assert all(" " in each.what for each in task.subtasks)
    assert len({each.name for each in task.subtasks}) == len(task.subtasks)


def emptied(world):
    """Return a world in which all that a plan made is there, with nothing in it."""
    for device in FLEET:
        for path in world.now.files(device):
            given = world.given.exists(device, path) and world.given.data(device, path)
            if world.now.data(device, path) != given:
                world.now.path(device, path).write_bytes(b"")
    return replace(world, requests=[])


@pytest.mark.timeout(180)
async def test_reference_plans_do_all_that_is_asked_for_and_empty_files_would_not(tmp_path):
    chosen = random.Random(1).sample(NAMES, min(PLAYED, len(NAMES)))
    played = tasks.load_all(sorted(chosen))
    async with open_stage("memory", tmp_path, played) as stage:
        for number, task in enumerate(played):
            seen = await play(task, stage, seed=3, number=number, faults=Peace())
            wrong = {each.subtask: each.wrong for each in seen.findings if each.wrong}
            assert (seen.status, wrong) == ("succeeded", {}), task.name
            assert not all(each.done for each in judge(task.subtasks, emptied(seen.world)))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"category": "chess"}, "there is no category 'chess'"),
        ({"tags": ["nice"]}, "there is no tag 'nice'"),
        ({"tags": ["replanning"]}, "go together"),
        ({"devices": ["toaster"]}, "there is no device 'toaster'"),
        ({"needs": [["toaster"]]}, "there is no device 'toaster'"),
        ({"parameters": {"folder": "x"}}, "the harness gives 'folder' itself"),
        ({"titel": "x"}, "titel"),
        ({"request": "Do {this}"}, "braces around what is no parameter"),
        ({"request": "Do {folder"}, "braces around what is no parameter"),
        ({"request": "Do something else"}, "its playbook does not match its request"),
    ],
)
def test_a_task_that_is_not_as_it_should_be_says_why(monkeypatch, change, said):
    document = tasks.yaml.safe_load(
        (tasks.FOLDER / NAMES[0] / "task.yaml").read_text(encoding="utf-8")
    )
    real = tasks.yaml.safe_load

    def changed(text):
        read = real(text)
        return {**document, **change} if "category" in read else read

    monkeypatch.setattr(tasks.yaml, "safe_load", changed)
    with pytest.raises(BenchmarkError, match=said):
        tasks.load(NAMES[0])


def copied(name, tmp_path, monkeypatch):
    """Copy a task under another name, and let it be the only one."""
    shutil.copytree(tasks.FOLDER / "mirror_fallback_restore", tmp_path / name)
    monkeypatch.setattr(tasks, "FOLDER", tmp_path)
    monkeypatch.setattr("benchmarks.crossdevice.tasks.__path__", [str(tmp_path)])
    return tmp_path / name


def test_a_playbook_that_is_not_called_like_its_folder_says_so(tmp_path, monkeypatch):
    copied("my_task", tmp_path, monkeypatch)
    with pytest.raises(BenchmarkError, match="its playbook is called 'mirror_fallback_restore'"):
        tasks.load("my_task")


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("playbook.yaml", "name: x\ntasks: []", "playbook.yaml:1"),
        ("playbook.yaml", "[", "playbook.yaml"),
        ("playbook.yaml", None, "playbook.yaml"),
        ("task.yaml", "a: [", "expected"),
        ("revisions.yaml", "- {failed: fetch}", "tasks"),
        ("revisions.yaml", "- {failed: fetch, tasks: [{id: fetch}]}", "the revision of fetch"),
        ("check.py", "1 +", "invalid syntax"),
        ("fixture.py", "", "make"),
    ],
)
def test_a_file_of_a_task_that_is_wrong_is_told_without_a_traceback(
    tmp_path, monkeypatch, file, text, said
):
    name = f"broken_{abs(hash((file, text)))}"  # no module of that name was imported before
    folder = copied(name, tmp_path, monkeypatch)
    (folder / file).unlink()
    if text is not None:
        (folder / file).write_text(text)
    with pytest.raises(BenchmarkError, match=said):
        tasks.load(name)


def test_a_task_that_is_not_there_says_so():
    with pytest.raises(BenchmarkError, match="no task 'none'"):
        tasks.load("none")
    with pytest.raises(BenchmarkError, match="; table_monthly_sales is there"):
        tasks.load("table_monthly_sale")
