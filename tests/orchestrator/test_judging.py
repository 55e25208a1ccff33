"""A judge beside the work: what it says is kept and shown, and what it does delays nobody."""

import asyncio
import json
from itertools import pairwise

import pytest

from agents.skills import skill
from orchestrator.cli import serving
from orchestrator.core.facts import RunJudged, TaskPlaced
from orchestrator.core.tuning import Tuning
from orchestrator.journal import SqliteJournal
from orchestrator.planner.judging import setup
from orchestrator.planner.judging.bounds import Bounds
from orchestrator.planner.judging.judge import Judge
from orchestrator.planner.judging.settings import JudgeSection
from orchestrator.render import graph
from orchestrator.service.documents import of_entry, run_from
from orchestrator.settings import Settings
from protocol.chat.exchange import Finish, Reply, Usage
from protocol.settings import SettingsError, read_settings
from tests.support.model_server import Drops, Fails, ModelServer, Says
from tests.support.muster import muster, plan, spec, work
from tests.support.service import served

KEY = "the-key-of-the-judge"
GOOD = {"score": 0.8, "reasons": ["all is there", "b was slow"]}
CHAIN = [spec(f"t{n}") for n in range(20)]
ORDER = [(f"t{n}", f"t{n + 1}") for n in range(19)]


@skill
async def tell() -> dict:
    """Tell a secret, and the rest."""
    return {"password": "hunter2hunter2", "lines": [f"line {n}" for n in range(3000)]}


async def until(found):
    async with asyncio.timeout(10):
        while not found():  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)


def over_http(server, **more):
    section = JudgeSection(base_url=server.url, model="m", key_env="KEY", **more)
    return setup.judge(section, environment={"KEY": KEY})


@pytest.mark.real_time
async def test_a_verdict_is_shown_survives_a_restart_and_saw_no_secret(tmp_path):
    path = tmp_path / "journal.db"
    async with ModelServer([Says(GOOD)], key=KEY).running() as server:
        here = {"judge": over_http(server), "journal": SqliteJournal(path)}
        async with served({"d": [tell]}, **here) as (orchestrator, _):
            run = await orchestrator.submit("tell all", plan=plan(spec("a", "tell")))
            assert (await run.result()).succeeded
            await until(lambda: run.snapshot().judged)
    [asked] = server.asked
    assert asked.format == "json_schema"
    assert "Request: tell all\nThe run succeeded" in asked.words
    assert '"list of":3000' in asked.words
    assert "hunter2" not in asked.words
    assert "line 7" not in asked.words

    async with served(journal=SqliteJournal(path)) as (orchestrator, client):
        shown = await client.call("show", {"run": run.id})
        assert shown["run"]["judged"] == {"run": run.id, "by": "m", **GOOD}
        text = str(graph.graph(run_from(shown["run"], shown["tasks"])))
        assert "\njudged 0.8: all is there; b was slow\n" in text
        told = [entry async for entry in orchestrator.run(run.id).events()]
        assert isinstance(told[-1].fact, RunJudged)
        assert json.loads(json.dumps(of_entry(told[-1])))["data"]["score"] == 0.8


@pytest.mark.real_time
@pytest.mark.parametrize(
    "answer",
    [
        Fails(401, {"error": "who?"}),
        Fails(500, "down"),
        Drops(),
        Says("I liked it."),
        Says({"score": 5, "reasons": []}),
        Says(GOOD, drop_after=1),
        Says(GOOD, first_s=5.0),
        Says(GOOD, token_s=5.0),
        Says(refusal="No."),
    ],
)
async def test_whatever_the_judge_does_the_run_is_the_same_and_the_next_is_judged(answer):
    script = iter([answer, Says(GOOD)])
    async with ModelServer(lambda _asked: next(script), key=KEY).running() as server:
        judge = over_http(server, tries=1, verdict_s=1.0)
        async with muster({"d": [work()]}, judge=judge) as (orchestrator, _):
            first = await orchestrator.submit("first", plan=plan("a"))
            assert (await first.result()).succeeded
            second = await orchestrator.submit("second", plan=plan("a"))
            assert (await second.result()).succeeded
            await until(lambda: second.snapshot().judged)
            assert first.snapshot().judged is None
            assert len(server.asked) == 2


@pytest.mark.real_time
async def test_a_judge_that_is_not_there_changes_nothing():
    section = JudgeSection(base_url="http://127.0.0.1:9/v1", model="m", tries=1)
    judge = setup.judge(section, environment={})
    async with muster({"d": [work()]}, judge=judge) as (orchestrator, _):
        for _ in range(2):
            run = await orchestrator.submit("do", plan=plan("a"))
            assert (await run.result()).succeeded


@pytest.mark.real_time
async def test_slow_tokens_leave_the_gaps_between_tasks_as_they_are():
    slow = ModelServer([Says(GOOD, token_s=1.0)], key=KEY)
    async with (
        slow.running() as server,
        muster({"d": [work()]}, judge=over_http(server)) as (o, _),
    ):
        first = await o.submit("first", plan=plan("a"))
        await first.result()
        await server.news.wait()
        run = await o.submit("second", plan=plan(*CHAIN, after=ORDER))
        assert (await run.result()).succeeded
        assert first.snapshot().judged is None  # it still thinks
        placed = [e.elapsed async for e in run.events() if isinstance(e.fact, TaskPlaced)]
    gaps = sorted(after - before for before, after in pairwise(placed))
    assert gaps[len(gaps) // 2] < 0.25  # milliseconds; a token takes 1 s


# On the virtual clock


class Slow:
    """A model that takes its time."""

    def __init__(self, seconds):
        self.asked = 0
        self._seconds = seconds

    async def complete(self, _call):
        self.asked += 1
        await asyncio.sleep(self._seconds)
        return Reply(json.dumps(GOOD), Finish.STOP, Usage())


async def happened(judge):
    """Let two runs go on one after the other; return when their facts were."""
    async with muster({"d": [work(duration_s=1.0)]}, judge=judge) as (orchestrator, _):
        times = []
        for name in ("first", "second"):
            run = await orchestrator.submit(name, plan=plan(*CHAIN, after=ORDER), key=name)
            await run.result()
            told = [entry async for entry in run.events() if type(entry.fact) is not RunJudged]
            times += [(type(entry.fact).__name__, entry.elapsed) for entry in told]
        await asyncio.sleep(1000.0)
        judged = [each.judged for each in orchestrator.runs()]
    start = times[0][1]
    return [(name, at - start) for name, at in times], judged


@pytest.mark.parametrize("seconds", [0.5, 15.0, 1e6])
async def test_with_a_judge_everything_happens_when_it_would_without_one(seconds):
    model = Slow(seconds)
    alone, judged = await happened(None)
    assert judged == [None, None]
    times, judged = await happened(Judge(model, bounds=Bounds(verdict_s=300.0)))
    assert [name for name, _ in times] == [name for name, _ in alone]
    assert [at for _, at in times] == pytest.approx([at for _, at in alone], abs=1e-3)
    assert [each is not None for each in judged] == [seconds < 300.0] * 2
    assert model.asked == 2


async def test_a_run_that_is_forgotten_meanwhile_is_not_judged():
    model = Slow(200.0)
    tuning = Tuning(keep_s=100.0)
    async with muster({"d": [work()]}, judge=Judge(model), tuning=tuning) as (orchestrator, _):
        run = await orchestrator.submit("do", plan=plan("a"))
        await run.result()
        await asyncio.sleep(300.0)
        assert model.asked == 1
        assert orchestrator.runs() == ()
        again = await orchestrator.submit("do", plan=plan("a"))
        assert (await again.result()).succeeded


async def test_a_run_that_another_coordinator_owns_is_left_to_its_judge():
    model = Slow(200.0)
    async with muster({"d": [work()]}, judge=Judge(model)) as (orchestrator, _):
        for _ in range(2):
            run = await orchestrator.submit("do", plan=plan("a"))
            await run.result()
        orchestrator.coordinator.engine.state.runs[run.id].superseded = True
        await asyncio.sleep(1000.0)
        assert model.asked == 1
        assert run.snapshot().judged is None


# Settings


def test_the_judge_is_a_table_of_its_own_and_off_without_one(tmp_path):
    path = tmp_path / "muster.toml"
    path.write_text(
        "[planner.judge]\nbase_url = 'http://127.0.0.1:1/v1'\nmodel = 'm'\nwaiting = 3\n"
    )
    read = read_settings(Settings, path, prefix="X", environment={})
    assert read.planner.judge.waiting == 3
    assert isinstance(serving.judge_of(read.planner), Judge)
    assert serving.judge_of(Settings().planner) is None


def test_a_key_that_is_not_there_is_said():
    section = JudgeSection(base_url="http://127.0.0.1:1/v1", model="m", key_env="KEY")
    with pytest.raises(
        SettingsError, match=r"planner.judge.key_env: the environment variable KEY"
    ):
        setup.judge(section, environment={})
