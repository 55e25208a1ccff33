"""Which worlds there are."""

import importlib.util
import json
import random
import sys
from types import SimpleNamespace

import pytest

from benchmarks.frame import BenchmarkError, Options
from benchmarks.scheduling import optimum
from benchmarks.scheduling.fleets import CLUSTER, FLEETS, SIZES
from benchmarks.scheduling.recipes import recipes
from benchmarks.scheduling.worlds import (
    EXACT_S,
    ONCE,
    OWN,
    QUICK_CLUSTER,
    SEEDS,
    SHELF_TASKS,
    worlds,
)
from tests.benchmarks.scheduling.papers import FT06


def graph(name, tasks, work=1.0):
    return json.dumps(
        {
            "id": name,
            "family": "by hand",
            "cats": ["work"],
            "names": None,
            "tasks": [[work, 0, None, 1]] * tasks,
            "edges": [],
        }
    )


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.json").write_text(graph("three", 3))
    (tmp_path / "b.json").write_text(graph("thirty", 30))
    return tmp_path


def found(folder, *, quick=False, seed=0, **settings):
    return list(worlds(Options(seed, quick, settings, {"instances": folder})))


def test_an_instance_has_a_world_for_each_fleet_and_seed(folder):
    every = found(folder, seeds=2, seed=7)

    assert [each.name for each in every[:12]] == [
        f"three/{kind}/{devices}/{seed}"
        for kind in ("unrelated", "related")
        for devices in (4, 8, 16)
        for seed in (7, 8)
    ]
    assert len({each.name for each in every}) == len(every) == 24
    assert all(
        each.fleet == FLEETS[each.kind](each.instance, each.devices, each.seed) for each in every
    )
    assert [each.shelf for each in every[:8]] == [True, False] * 3 + [False] * 2


def test_quick_worlds_are_one_of_each_fleet_and_a_single_cluster(folder):
    every = found(folder, quick=True)

    assert [(e.kind, e.devices, e.seed) for e in every if e.instance.name == "three"] == [
        *(("unrelated", devices, 0) for devices in SIZES),
        *((CLUSTER, devices, 0) for devices in QUICK_CLUSTER),
    ]
    assert [each.name for each in every if each.shelf] == ["three/unrelated/4/0"]


def test_large_instances_and_clusters_have_one_seed_unless_told(folder):
    (folder / "c.json").write_text(graph("large", ONCE))
    (folder / "d.json").write_text(graph("nearly", ONCE - 1))
    seeds = {
        (name, kind): {e.seed for e in found(folder) if (e.instance.name, e.kind) == (name, kind)}
        for name in ("large", "nearly")
        for kind in FLEETS
    }
    assert [len(each) for each in seeds.values()] == [1, 1, SEEDS, 1]
    assert len({each.seed for each in found(folder, seeds=3)}) == 3


def test_every_instance_meets_every_fleet_and_the_shelf_where_that_ends_soon(folder):
    (folder / "c.json").write_text(graph("many", SHELF_TASKS + 1))
    every = found(folder)

    assert len(every) == 2 * 3 * (SEEDS + 1) + 3 * 2
    assert {(e.instance.name, e.devices) for e in every if e.shelf} == {
        (name, devices) for name in ("three", "thirty") for devices in (4, 8, 16)
    }


def test_a_job_shop_keeps_its_own_fleet(tmp_path):
    (tmp_path / "ft06.jss").write_text(FT06)
    (only,) = found(tmp_path, seeds=1)

    assert only.name == "ft06/own/6/0"
    assert only.kind == OWN
    assert only.shelf
    assert only.fleet == only.instance.fleet


def test_larger_instances_are_left_out_when_asked(folder):
    assert {each.instance.name for each in found(folder, tasks=29)} == {"three"}


def test_where_nothing_is_to_be_scheduled_is_no_world(tmp_path):
    (tmp_path / "one.json").write_text(graph("one", 1))
    (tmp_path / "none.json").write_text(graph("none", 2, work=0.0))
    assert found(tmp_path) == []


def test_cpsat_searches_in_first_worlds_and_quickly_only_where_it_soon_ends(folder, monkeypatch):
    monkeypatch.setattr(optimum, "installed", lambda: True)
    full = {each.name: each.exact_s for each in found(folder, seeds=2)}
    quick = {each.name: each.exact_s for each in found(folder, quick=True)}

    assert full["thirty/unrelated/16/0"] == EXACT_S
    assert full["thirty/unrelated/16/1"] == full["thirty/related/16/0"] == 0
    assert {name for name, seconds in quick.items() if seconds} == {"three/unrelated/4/0"}
    told = found(folder, exact=3, seeds=1)
    assert {each.exact_s for each in told if each.kind != CLUSTER} == {3}
    (folder / "c.json").write_text(graph("many", optimum.TASKS + 1))
    assert {e.exact_s for e in found(folder) if e.instance.name == "many"} == {0}


def test_without_ortools_nothing_is_solved(folder, monkeypatch):
    def only_others(name):
        return None if name == "ortools" else importlib.util.find_spec(name)

    monkeypatch.setattr(optimum, "find_spec", only_others)
    assert {each.exact_s for each in found(folder)} == {0}


def test_two_of_one_name_and_what_cannot_be_read_are_one_line(folder):
    (folder / "c.json").write_text(graph("three", 4))
    with pytest.raises(BenchmarkError, match="two instances are called 'three'"):
        found(folder)
    (folder / "c.json").write_text("{")
    with pytest.raises(BenchmarkError, match=r"c\.json: cannot be read as JSON"):
        found(folder)


def test_unless_told_the_public_instances_are_run_and_one_of_each_generator():
    every = {each.instance.name for each in worlds(Options(quick=True, settings={"tasks": 70}))}
    assert every > {"estee-pegasus-sipht", "layered-60-0", "fork_join-60-0", "montage-60-0"}
    assert "dagbench-synthetic.one_task" not in every


def test_recipes_without_wfcommons_are_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "wfcommons", None)
    with pytest.raises(BenchmarkError, match="pip install wfcommons"):
        list(worlds(Options(settings={"recipes": 50})))


class Workflow:
    """As much of one of wfcommons as is used; its only task takes a time by chance."""

    def __init__(self, tasks, title):
        self._tasks, self._title = tasks, title

    def generate_json(self):
        task = {"id": "a_1", "name": "a_1", "parents": []}
        times = [{"id": "a_1", "runtimeInSeconds": self._tasks + random.random()}]
        workflow = {"specification": {"tasks": [task]}, "execution": {"tasks": times}}
        self.workflow_json = {"name": self._title, "workflow": workflow}


def recipe(least):
    """A recipe whose base graphs have so many tasks at least."""

    class Recipe:
        @classmethod
        def from_num_tasks(cls, tasks):
            return tasks, least

    return Recipe


class Generator:
    def __init__(self, asked):
        self._asked = asked

    def build_workflow(self, title):
        tasks, least = self._asked
        if tasks < least:
            raise ValueError(f"cannot create a graph with {tasks} nodes")
        return Workflow(tasks, title)


def test_a_recipe_is_asked_for_more_until_it_can_and_follows_from_its_seed(monkeypatch):
    package = SimpleNamespace(
        WorkflowGenerator=Generator, AbcRecipe=recipe(10), XyzRecipe=recipe(99)
    )
    monkeypatch.setitem(sys.modules, "wfcommons", package)
    made = list(recipes(20, 1))

    assert [each.name for each in made] == ["abc-20-1", "xyz-20-1"]
    assert [int(each.tasks[0].work) for each in made] == [20, 160]
    assert made == list(recipes(20, 1)) != list(recipes(20, 2))
    package.XyzRecipe = recipe(10_000)
    with pytest.raises(BenchmarkError, match=r"xyz-20-1.*ask for more"):
        list(recipes(20, 1))
