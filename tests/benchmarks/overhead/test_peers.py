import sys
from contextlib import asynccontextmanager, contextmanager
from importlib.util import find_spec
from pathlib import Path
from subprocess import Popen, check_output

import psutil
import pytest

from benchmarks.frame import BenchmarkError, Figures, Options, Progress, Row
from benchmarks.overhead.benchmark import BENCHMARK
from benchmarks.overhead.peers import measure as part
from benchmarks.overhead.peers.measure import Effort, asked, measure, race
from benchmarks.overhead.peers.ours import ours
from benchmarks.overhead.peers.port import Graph
from benchmarks.overhead.peers.programs import REDIS, redis
from benchmarks.overhead.peers.role import seconds
from benchmarks.overhead.peers.session import session
from benchmarks.overhead.peers.table import OURS, TABLE, Entry
from benchmarks.overhead.plans import SHAPES as SHAPES_OF
from benchmarks.overhead.processes import RoleError

HERE = "tests.benchmarks.overhead.test_peers"
EFFORT = Effort(rounds=3, tasks=100, chain=10, warm_up=8)
SHAPES = ("independent", "layered", "chain")


@contextmanager
def fake(folder):
    """A peer that passes the contract, talks too much, and leaves a child behind."""
    print("a word on standard output")  # noqa: T201
    (folder.parent.parent / "child").write_text(str(Popen(["sleep", "60"]).pid))  # noqa: S607
    yield lambda graph: lambda: sum(number for wave in graph.waves() for number in wave)


@contextmanager
def forgetful(_folder):
    yield lambda graph: lambda: graph.total - 1


@contextmanager
def broken(_folder):
    raise OSError("no workers today")
    yield


def contender(order, name, *seconds_a_task, fails=False):
    """Take the next number of seconds for each task, in each turn; twice as long in layers."""
    turns = iter(seconds_a_task)

    @asynccontextmanager
    async def started():
        order.append(name)
        each = next(turns)

        async def run(shape, tasks):
            if fails:
                raise RoleError("no workers today")
            return tasks * each * (2 if shape == "layered" else 1)

        yield run

    return started


async def rows_and_figures(items):
    items = [item async for item in items]
    rows = [item.values for item in items if isinstance(item, Row)]
    figures = [item.values for item in items if isinstance(item, Figures)]
    return rows, figures, [item for item in items if isinstance(item, Progress)]


@pytest.mark.parametrize(("shape", "waves"), [("independent", 1), ("layered", 4), ("chain", 1000)])
def test_waves_hold_every_task_after_its_predecessors(shape, waves):
    graph = Graph(shape, 1000)

    over = set()
    for wave in graph.waves():
        assert all(over.issuperset(graph.predecessors(number)) for number in wave)
        over.update(wave)
    assert len(graph.waves()) == waves
    assert over == set(range(1000))


def test_a_task_waits_for_the_longest_way_to_it(monkeypatch):
    monkeypatch.setitem(SHAPES_OF, "triangle", range)

    assert Graph("triangle", 3).waves() == ([0], [1], [2])


def test_a_run_that_loses_a_result_is_no_measurement(tmp_path):
    with forgetful(tmp_path) as prepare, pytest.raises(RuntimeError, match="add up to 44, not"):
        seconds(prepare, Graph("chain", 10))


@pytest.mark.real_time
async def test_a_peer_answers_from_a_process_of_its_own_and_nothing_is_left(monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    async with session(f"{HERE}:fake") as run:
        took = [await run(shape, 100) for shape in SHAPES]
        child = psutil.Process(int((tmp_path / "child").read_text()))
        assert child.is_running()

    assert all(0 < each < 10 for each in took)
    gone, _ = psutil.wait_procs([child], timeout=5)
    assert gone == [child] or child.status() == psutil.STATUS_ZOMBIE
    assert [each.name for each in tmp_path.iterdir()] == ["child"]


@pytest.mark.real_time
@pytest.mark.parametrize(
    ("peer", "words"),
    [("broken", "OSError: no workers today"), ("forgetful", "RuntimeError: .* add up to 44")],
)
async def test_a_peer_that_fails_leaves_its_last_words(peer, words):
    with pytest.raises(RoleError, match=words):
        async with session(f"{HERE}:{peer}") as run:
            await run("chain", 10)


@pytest.mark.real_time
async def test_a_peer_that_gives_no_answer_is_ended(monkeypatch):
    monkeypatch.setattr("benchmarks.overhead.peers.session.START_LIMIT_S", 0.01)
    monkeypatch.setattr("benchmarks.overhead.peers.session.STOP_LIMIT_S", 0.01)

    with pytest.raises(RoleError, match=r"gave no answer within 0\.01 s"):
        async with session(f"{HERE}:fake"):
            pass


async def test_all_are_measured_in_turns_and_judged_round_by_round():
    order = []
    sides = {
        "muster": contender(order, "muster", 0.001, 0.002, 0.004),
        "other": contender(order, "other", 0.008, 0.001, 0.002),
    }

    rows, (figures,), progress = await rows_and_figures(race(sides, EFFORT))

    assert order == ["muster", "other"] * 3
    assert figures == pytest.approx(
        {
            "peers.muster.tasks_per_s": 250,  # 500, 250 and 125 in layers
            "peers.muster.hop_ms": 2,
            "peers.other.tasks_per_s": 250,
            "peers.other.hop_ms": 2,
            "peers.other.rate_ratio": 0.5,  # of 8, 0.5 and 0.5
            "peers.other.hop_ratio": 2,
        }
    )
    assert rows[-1]["tasks_per_s_min"] == pytest.approx(62.5)
    assert rows[-1]["hop_ms_max"] == pytest.approx(8)
    assert [row["round"] for row in rows if "round" in row] == [0, 0, 1, 1, 2, 2]
    assert len(progress) == 6


async def test_a_peer_that_fails_leaves_the_race_and_has_no_figures():
    order = []
    sides = {
        "muster": contender(order, "muster", 1, 1, 1),
        "other": contender(order, "other", 1, 1, 1, fails=True),
    }

    rows, (figures,), _ = await rows_and_figures(race(sides, EFFORT))

    assert order == ["muster", "other", "muster", "muster"]
    assert [row["failed"] for row in rows if "failed" in row] == ["no workers today"]
    assert {name.split(".")[1] for name in figures} == {"muster"}


async def test_nothing_is_measured_beside_a_side_of_ours_that_fails():
    sides = {"muster": contender([], "muster", 1, fails=True)}

    with pytest.raises(RoleError, match="no workers today"):
        await rows_and_figures(race(sides, EFFORT))


async def test_what_is_not_installed_has_a_row_and_no_figure(monkeypatch):
    absent = Entry("nowhere:peer", ("no-such-package",), OURS, redis=True)
    monkeypatch.setattr(part, "TABLE", {"absent": absent})
    monkeypatch.setattr("benchmarks.overhead.peers.table.REDIS", "no-such-program")
    monkeypatch.setattr(part, "ours", contender([], "muster", 1, 1))

    rows, (figures,), _ = await rows_and_figures(measure(Options(quick=True, words={"peers": ""})))

    told = {"part": "peers", "peer": "absent"}
    assert {**told, "not_installed": ["no-such-package", "no-such-program"]} in rows
    assert {name.split(".")[1] for name in figures} == {"muster"}


async def test_what_is_installed_is_measured_with_its_version_and_promises(monkeypatch):
    monkeypatch.setattr(part, "TABLE", {"there": Entry("a:peer", ("pytest",), OURS)})
    monkeypatch.setattr(part, "ours", contender([], "muster", 1, 1))
    there = contender([], "there", 1, 1)
    monkeypatch.setattr(part, "session", lambda _peer, **_: there())

    rows, (figures,), _ = await rows_and_figures(
        measure(Options(quick=True, words={"peers": "there"}))
    )

    (row,) = [row for row in rows if "version" in row]
    assert (row["version"], row["journal"]) == (pytest.__version__, OURS.journal)
    assert figures["peers.there.hop_ratio"] == 1


async def test_without_the_option_nothing_is_done():
    assert [item async for item in measure(Options())] == []
    assert part.measure in BENCHMARK.parts
    assert "peers" in BENCHMARK.words


def test_names_choose_among_the_peers_and_a_wrong_one_is_refused():
    assert asked("") == list(TABLE)
    assert asked("ray, dask") == ["ray", "dask"]
    with pytest.raises(BenchmarkError, match="no peer spark; there is dask, ray"):
        asked("dask,spark")


@pytest.mark.parametrize("entry", TABLE.values(), ids=TABLE.keys())
def test_each_entry_leads_to_a_peer(entry):
    module, _, function = entry.peer.partition(":")

    assert f"\ndef {function}(" in Path(find_spec(module).origin).read_text()


def test_no_peer_is_imported_before_it_is_asked_for():
    code = "import sys, benchmarks.overhead.benchmark; print(*sys.modules)"
    names = check_output([sys.executable, "-c", code], text=True).split()

    assert not {"celery", "dask", "distributed", "langgraph", "ray", "taskiq"} & set(names)


@pytest.mark.broker
@pytest.mark.usefixtures("installed_mosquitto")
@pytest.mark.timeout(60)
async def test_ours_runs_the_same_graphs():
    async with ours() as run:
        assert 0 < await run("layered", 260) < 10


@pytest.mark.real_time
def test_redis_is_there_while_it_is_asked_for(tmp_path):
    if REDIS in TABLE["celery"].missing():
        pytest.skip("redis-server is not installed")
    before = set(psutil.Process().children())
    with redis(tmp_path) as url:
        assert url.startswith("redis://127.0.0.1:")
        assert list(tmp_path.iterdir())
        (child,) = set(psutil.Process().children()) - before
    assert not child.is_running()


@pytest.mark.real_time
@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", ["langgraph", "langgraph_sqlite"])
async def test_langgraph_runs_the_same_graphs(name):
    if missing := TABLE[name].missing():
        pytest.skip(f"not installed: {', '.join(missing)}")
    async with session(TABLE[name].peer) as run:
        assert all([0 < await run(shape, 20) < 30 for shape in SHAPES])
