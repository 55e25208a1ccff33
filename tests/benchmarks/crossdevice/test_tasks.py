"""Every task of the suite is as `benchmarks/README.md` asks; some are played, in memory."""

import random

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
from orchestrator.planner.playbook import PlaybookPlanner, load

PLAYED = 12
NAMES = tasks.names()


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
    task = tasks.load(name)
    playbook, match = planner.find(task.request(own(task)))
    assert playbook.name == name
    plan = playbook.plan({**match.parameters, **task.parameters(own(task))})
    assert plan.edits


@pytest.mark.parametrize("name", NAMES)
def test_every_task_of_a_plan_has_a_device_that_can_do_it(name):
    task = tasks.load(name)
    playbook = load(task.playbook.read_text(), name)
    for part in playbook.part.tasks:
        device = None if part.device is None or "${" in part.device else part.device
        labels = {k: v for k, v in part.labels.items() if "${" not in v}
        able = eligible({"skill": part.skill, "needs": {"device": device, "labels": labels}})
        assert able or "replanning" in task.file.tags  # a plan that must change may ask for more


@pytest.mark.parametrize("name", NAMES)
def test_a_fixture_makes_the_same_world_twice_and_another_one_for_another_seed(name, tmp_path):
    task = tasks.load(name)

    def made(number, seed):
        home, site = tmp_path / str(number), Site()
        fixture = Fixture(task.chance(seed), 1.8e9, lambda device: home / device, site, "http://x")
        task.make(fixture)
        tree = Tree(lambda device: home / device)
        files = {
            (device, path): tree.data(device, path)
            for device in FLEET
            if (home / device).exists()
            for path in tree.files(device)
        }
        return files, site.pages, fixture.known

    first = made(1, 5)
    assert made(2, 5) == first
    assert any(made(seed, seed) != first for seed in range(6, 16))  # one may look the same


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_done_before_the_run(name, tmp_path):
    """A task all of whose checkers are content with the fixture as it is asks for nothing."""
    task, site = tasks.load(name), Site()
    for device in FLEET:
        (tmp_path / device).mkdir()
    fixture = Fixture(task.chance(0), 1.8e9, lambda device: tmp_path / device, site, "http://x")
    task.make(fixture)
    tree = Tree(lambda device: tmp_path / device)
    world = World(tree, tree, [], fixture.known, task.file.parameters, 1.8e9)
    findings = judge(task.subtasks, world)
    assert any(not each.done for each in findings)


@pytest.mark.timeout(60)
async def test_reference_plans_do_all_that_is_asked_for(tmp_path):
    chosen = random.Random(1).sample(NAMES, min(PLAYED, len(NAMES)))
    played = tasks.load_all(sorted(chosen))
    async with open_stage("memory", tmp_path, played) as stage:
        for number, task in enumerate(played):
            seen = await play(task, stage, seed=3, number=number, faults=Peace())
            wrong = {each.subtask: each.wrong for each in seen.findings if each.wrong}
            assert (seen.status, wrong) == ("succeeded", {}), task.name


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"category": "chess"}, "there is no category 'chess'"),
        ({"devices": ["toaster"]}, "there is no device 'toaster'"),
        ({"needs": [["toaster"]]}, "there is no device 'toaster'"),
        ({"parameters": {"folder": "x"}}, "the harness gives 'folder' itself"),
        ({"titel": "x"}, "titel"),
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


def test_a_task_that_is_not_there_says_so():
    with pytest.raises(BenchmarkError, match="no task 'none'"):
        tasks.load("none")
