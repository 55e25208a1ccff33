import json
from dataclasses import replace

import pytest

from benchmarks.crossdevice import benchmark, bundle
from benchmarks.crossdevice.campaign import Store, cases, run
from benchmarks.crossdevice.checking import Subtask
from benchmarks.crossdevice.faults import Kind
from benchmarks.crossdevice.session import open_stage
from benchmarks.crossdevice.summary import figures
from benchmarks.crossdevice.task import load
from benchmarks.frame import BenchmarkError, Options

TASK = load("log_triage_errors_by_cause")
FAULTY = {f"success.{kind}" for kind in Kind if kind is not Kind.NONE}
AROUND = {"stage": "memory", "commit": "c"}


def options(*, quick=False, **words):
    settings = {"seeds": int(words.pop("seeds", 1))}
    return Options(seed=5, quick=quick, settings=settings, words=words)


async def rows(stage, played, store, tmp_path):
    plays = run(stage, played, store=store, around=AROUND, bundles=tmp_path / "failed")
    return [row async for row in plays]


@pytest.mark.timeout(60)
async def test_plays_become_rows_with_all_that_a_figure_needs(tmp_path):
    faults = [Kind.NONE, Kind.DEVICE_BACK, Kind.BROKER, Kind.COORDINATOR, Kind.PARTITION]
    played = cases([TASK], arms=["ours", "sequential"], faults=faults, seeds=[1])
    file = tmp_path / "rows.jsonl"
    async with open_stage("memory", tmp_path / "stage", [TASK]) as stage:
        found = await rows(stage, played, Store(file), tmp_path)

    assert [row["success"] for row in found] == [True] * len(played)
    assert all(row["plan"]["struck"] is (row["fault"] != "none") for row in found)
    calm, *_, alone = found
    assert alone["arm"] == "sequential"
    assert 0.0 < calm["least_s"] <= calm["sequential_s"]
    assert calm["messages"] >= 3 * calm["attempts"]
    assert figures(found)["success.coordinator"] == 1.0
    again = await rows(None, played, Store(file), tmp_path)  # without a stage nothing is played
    assert again == found


@pytest.mark.timeout(60)
async def test_a_failed_play_leaves_all_that_it_takes_to_look_at_it(tmp_path):
    never = replace(TASK, subtasks=(Subtask("never", "It never is.", lambda _world: "it is not"),))
    played = cases([never], arms=["ours"], faults=[Kind.NONE], seeds=[1])
    async with open_stage("memory", tmp_path / "stage", [never]) as stage:
        (row,) = await rows(stage, played, Store(None), tmp_path)

    assert (row["success"], row["wrong"]) == (False, {"never": "it is not"})
    kept = tmp_path / "failed" / "log_triage_errors_by_cause-ours-none-1"
    assert row["bundle"] == str(kept)
    assert (kept / "replay.sh").read_text() == (
        "muster bench crossdevice --task log_triage_errors_by_cause --arm ours --fault none"
        " --seed 1 --stage memory\n"
    )
    facts = [json.loads(line)["fact"] for line in (kept / "events.jsonl").read_text().splitlines()]
    assert facts[-1] == "RunEnded"
    assert (kept / "now/laptop/triage.md").is_file()
    assert (kept / "given/server-1/logs/api.log").is_file()


def test_a_fault_is_played_again_after_the_play_in_peace_that_says_when_it_strikes():
    assert bundle.peace("broker") == "none,"
    assert bundle.peace("none") == ""


async def test_what_is_not_possible_is_not_played(tmp_path):
    played = cases([TASK], arms=["ours"], faults=[Kind.DEVICE_LOST], seeds=range(3))
    found = await rows(None, played, Store(None), tmp_path)
    assert [row["status"] for row in found] == ["impossible"] * 3


def test_another_commit_is_another_play(tmp_path):
    store = Store(tmp_path / "new" / "rows.jsonl")
    row = {"task": "t", "arm": "ours", "fault": "none", "seed": 0, **AROUND, "success": True}
    store.add(row)
    known = Store(tmp_path / "new" / "rows.jsonl")
    assert known.find(row) == row
    assert known.find({**row, "commit": "d"}) is None
    assert known.find({**row, "machine": "another"}) is None


@pytest.mark.parametrize("half", ['{"task": "u", "ar', '{"task": "u", "plan": {"a": 1}', '"task'])
def test_half_a_row_that_a_kill_left_is_no_row_and_spoils_none_after_it(tmp_path, half):
    (tmp_path / "rows.jsonl").write_text('{"task": "t"}\n' + half)
    store = Store(tmp_path / "rows.jsonl")
    store.add({"task": "v"})
    for known in (store, Store(tmp_path / "rows.jsonl")):
        assert known.find({"task": "t"}) == {"task": "t"}
        assert known.find({"task": "u"}) is None
    assert Store(tmp_path / "rows.jsonl").find({"task": "v"}) == {"task": "v"}


def test_a_file_of_something_else_is_not_added_to(tmp_path):
    (tmp_path / "notes.md").write_text("# My notes")
    (tmp_path / "data").write_bytes(b"\xff\xfe")
    (tmp_path / "folder").mkdir()
    for name in ("notes.md", "data", "folder", "notes.md/rows.jsonl"):
        with pytest.raises(BenchmarkError, match="--resume"):
            Store(tmp_path / name)
    assert (tmp_path / "notes.md").read_text() == "# My notes"


def test_options_choose_the_plays():
    every = benchmark.chosen(options(task=TASK.name, seeds="2", arm="all"))
    assert len(every) == 2 * 9 + 2 * 6
    one = benchmark.chosen(options(task=TASK.name, fault="slow,broker"))
    assert [(case.fault, case.arm, case.seed) for case in one] == [
        ("slow", "ours", 5),
        ("broker", "ours", 5),
    ]
    assert {case.fault for case in benchmark.chosen(options(quick=True))} == {"none"}


@pytest.mark.parametrize(
    ("words", "goals"),
    [
        ({}, {*benchmark.GOALS}),
        ({"fault": "none"}, {*benchmark.GOALS} - FAULTY - {"possible.device_lost"}),
        ({"fault": "none", "task": TASK.name}, {"success.none", "subtasks.none"}),
        ({"fault": "slow", "task": TASK.name}, {"success.slow"}),
        ({"fault": "device_lost", "task": TASK.name}, set()),  # its victim has what nobody has
        ({"arm": "static", "task": TASK.name}, set()),
    ],
)
def test_goals_are_those_of_what_is_played(words, goals):
    assert benchmark.goals(options(**words)).keys() == goals


def test_twelve_tasks_are_not_judged_as_the_suite():
    assert benchmark.goals(options(quick=True)).keys() == {"success.none", "subtasks.none"}


def test_time_left_is_that_of_plays_like_those_before():
    played = cases([TASK], arms=["ours"], faults=[*Kind][:4], seeds=[1])
    said = benchmark.progress([{"seconds": 100.0}, {"seconds": 20.0}, {}], played)
    assert said.share == 0.75
    assert said.label == f"3/4, 1 min left: {played[3].label}"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"arm": "best"}, "--arm 'best': there is ours, sequential"),
        ({"arm": ""}, "--arm '': there is"),
        ({"fault": "war"}, "--fault 'war': there is none"),
        ({"fault": ","}, "--fault ',': there is"),
        ({"task": "none"}, "--task 'none': there is approval"),
        ({"task": "table_monthly_sale"}, "there is table_monthly_sales$"),
        ({"task": ""}, "--task ''"),
        ({"seeds": "0"}, "nothing is played"),
        ({"arm": "ours,static", "fault": "slow"}, "static is played in peace alone"),
    ],
)
def test_an_option_that_names_nothing_says_what_there_is(words, said):
    with pytest.raises(BenchmarkError, match=said):
        benchmark.chosen(options(**{"task": TASK.name, **words}))


def test_what_is_named_twice_is_played_once():
    twice = options(task=f"{TASK.name},{TASK.name}", fault="none,none")
    assert len(benchmark.chosen(twice)) == 1
    assert len(benchmark.chosen(options(task="all", fault="none"))) > 60


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"stage": ""}, "--stage"),
        ({"stage": "memory,processes"}, "--stage takes one of"),
        ({"arm": "model"}, "needs --model FILE"),
        ({"arm": "model", "model": "/there/is/none"}, "--model"),
        ({"resume": "/dev/null/rows.jsonl"}, "--resume"),
        ({"bundles": "/dev/null/failed"}, "--bundles"),
    ],
)
async def test_what_cannot_be_is_said_before_anything_is_played(words, said):
    asked = options(**{"task": TASK.name, "fault": "none", "stage": "memory", **words})
    with pytest.raises(BenchmarkError, match=said):
        await anext(aiter(benchmark.measure(asked)))


async def test_benchmark_yields_rows_and_figures(tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark, "cancel_when_told_to_stop", lambda: None)
    bundles = tmp_path / "failed"
    chosen = options(task=TASK.name, fault="none", stage="memory", bundles=str(bundles))
    items = [item async for item in benchmark.measure(chosen)]
    kinds = [type(item).__name__ for item in items]
    assert kinds == ["Progress", "Row", "Progress", "Figures"]
    assert items[2].label == "1/1, 0 min left: done"
    assert items[3].values["success.none"] == 1.0
    assert {"seed", "commit", "machine", "load", "config", "versions"} <= items[1].values.keys()
    assert items[3].values["subtasks.idle"] == pytest.approx(1 / 3)
    assert not bundles.exists()  # nothing failed
