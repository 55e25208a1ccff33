"""Runs of a whole small Muster are learned from, and what goes wrong there harms none of them."""

import asyncio
import re
import threading

import pytest
import structlog

from agents.runtime import Agent
from orchestrator import ForEach, Limits, Needs, experience, learning
from orchestrator.cli.serving import memory_of, planner_of
from orchestrator.core.tuning import Tuning
from orchestrator.experience import advice, finished, wall
from orchestrator.learning import Learning
from orchestrator.planner import PlanRequest
from orchestrator.planner.memory import LearningError, Memory
from orchestrator.planner.memory.files import one_writer
from orchestrator.planner.playbook import PlaybookPlanner
from orchestrator.planner.scripted import ScriptedPlanner
from orchestrator.planner.several import SeveralPlanners
from orchestrator.reloading import ReloadingPlaybooks
from orchestrator.settings import read
from protocol.telemetry import Level, configure, quiet
from protocol.types import DeviceCard
from tests.support.model_server import ModelServer, Says
from tests.support.muster import muster, plan, spec, work

REQUESTS = (
    "count the errors of the last 5 minutes and report on alpha",
    "count the errors of the last 30 minutes and report on beta",
    "count the errors of the last 45 minutes and report on alpha",
)
FOURTH = "Count the errors of the last 2 minutes and report on beta."
DEVICES = {"alpha": [work(output=[1])], "beta": [work(output=[2])]}


@pytest.fixture
def log():
    """Return what was logged so far, warnings and errors."""
    configure(json=True, level=Level.WARNING)
    with structlog.testing.capture_logs() as lines:
        yield lines
    structlog.reset_defaults()
    quiet()


def counting(request):
    """Make the plan that a person would, for one of the requests."""
    minutes, where = re.search(r"last (\d+) minutes and report on (\w+)", request.request).groups()
    every = spec(
        "each", args={"since_s": 60 * int(minutes)}, for_each=ForEach(), limits=Limits(queue_s=9.0)
    )
    report = spec("report", args={"rows": {"$from": "each"}}, needs=Needs(device=where))
    return plan(every, report)


async def until(wanted):
    """Wait for what a thread will have done."""
    async with asyncio.timeout(60):
        while not wanted():  # noqa: ASYNC110 - a thread tells nobody
            await asyncio.sleep(0.1)


async def did(orchestrator, *requests):
    """Do requests one after the other, and return the last run."""
    for request in requests:
        run = await orchestrator.submit(request)
        assert (await run.result()).succeeded
    return run


def names(folder):
    return [each.name for each in Memory(folder, now=wall).works()]


async def test_what_ended_is_learned_before_the_orchestrator_is_left(tmp_path):
    planner = ScriptedPlanner(counting)
    async with muster(DEVICES, planner=planner, memory=tmp_path) as (orchestrator, _):
        await did(orchestrator, *REQUESTS)
    (learned,) = Memory(tmp_path, now=wall).works()
    assert (learned.name, learned.successes) == ("count-errors-report", 3)
    parameters = learned.candidate().playbook.part.parameters
    assert {each.type for each in parameters.values()} == {"duration", "string"}


async def test_the_rule_adopts_and_the_running_coordinator_answers_from_that(tmp_path):
    into = tmp_path / "learned"
    asked = ScriptedPlanner(counting)
    planner = SeveralPlanners([ReloadingPlaybooks([], into), asked])
    memory = Memory(tmp_path / "memory", now=wall, adopt_into=into)
    async with muster(DEVICES, planner=planner, memory=memory) as (orchestrator, _):
        await did(orchestrator, *REQUESTS)
        await until(lambda: any(into.glob("*.yaml")))
        run = await did(orchestrator, FOURTH)
        rows = {row.spec.id: row.spec for row in run.snapshot().tasks}
    assert len(asked.asked) == 3
    assert rows["each"].args == {"since_s": 120}
    assert rows["report"].needs.device == "beta"
    assert memory.works()[0].adopted == "count-errors-report"


async def test_without_the_rule_nothing_is_adopted(tmp_path):
    planner = ScriptedPlanner(counting)
    async with muster(DEVICES, planner=planner, memory=tmp_path) as (orchestrator, _):
        await did(orchestrator, *REQUESTS)
    assert Memory(tmp_path, now=wall).works()[0].adopted is None


async def test_a_damaged_file_is_told_once_and_the_rest_is_learned(tmp_path, log):
    (tmp_path / "works").mkdir()
    damaged = tmp_path / "works" / "mine.yaml"
    damaged.write_text("a: [\n")
    planner = ScriptedPlanner(counting)
    async with muster(DEVICES, planner=planner, memory=tmp_path) as (orchestrator, _):
        await did(orchestrator, *REQUESTS[:2])
    told = [line for line in log if line["event"] == "memory_damaged"]
    assert [line["reason"].partition(": ")[0] for line in told] == [f"{damaged}:2:1"]
    assert damaged.read_text() == "a: [\n"
    assert names(tmp_path) == ["count-errors-report"]


async def test_a_folder_that_cannot_be_written_harms_no_run(tmp_path, log):
    path = tmp_path / "memory"
    path.write_text("a file")
    planner = ScriptedPlanner(counting)
    async with muster(DEVICES, planner=planner, memory=path) as (orchestrator, _):
        await did(orchestrator, *REQUESTS[:2])
    told = [line for line in log if line["event"] == "run_not_learned"]
    assert [line["log_level"] for line in told] == ["warning", "warning"]
    assert "cannot be written" in told[0]["reason"]


class Odd(Memory):
    """A memory with a bug, which shows once."""

    odd = True

    def record(self, run):
        if self.odd:
            self.odd = False
            raise ZeroDivisionError
        return super().record(run)

    def advice(self, *_):
        raise ZeroDivisionError


async def test_a_bug_in_memory_harms_no_run_and_the_next_is_learned(tmp_path, log):
    memory, planner = Odd(tmp_path, now=wall), ScriptedPlanner(counting)
    async with muster(DEVICES, planner=planner, memory=memory) as (orchestrator, _):
        await did(orchestrator, *REQUESTS[:2])
    told = [line for line in log if line["event"] == "run_not_learned"]
    assert [(line["log_level"], line["reason"]) for line in told] == [
        ("error", "ZeroDivisionError")
    ]
    assert memory.works()[0].successes == 1


async def test_a_planner_goes_on_without_advice(tmp_path, log):
    assert await advice(Odd(tmp_path, now=wall))(PlanRequest("r", "count")) == ()
    assert [line["event"] for line in log] == ["no_advice"]


async def test_another_writer_is_waited_for(tmp_path):
    planner = ScriptedPlanner(counting)
    async with muster(DEVICES, planner=planner, memory=tmp_path) as (orchestrator, _):
        with one_writer(tmp_path):
            await did(orchestrator, REQUESTS[0])
            await asyncio.sleep(0.3)
        await asyncio.sleep(1.0)
        assert len(names(tmp_path)) == 1


async def test_another_writer_is_not_waited_for_for_ever(tmp_path, log):
    planner = ScriptedPlanner(counting)
    async with muster(DEVICES, planner=planner, memory=tmp_path) as (orchestrator, _):
        with one_writer(tmp_path):
            await did(orchestrator, REQUESTS[0])
            await asyncio.sleep(sum(experience.AGAIN_AFTER_S) + 1.0)
        await did(orchestrator, REQUESTS[1])
    assert [line["log_level"] for line in log if line["event"] == "run_not_learned"] == ["warning"]
    assert Memory(tmp_path, now=wall).works()[0].successes == 1


def test_runs_beyond_the_bound_are_not_learned_from(tmp_path, monkeypatch, log):
    monkeypatch.setattr(learning, "WAITING", 1)
    taking = Learning(tmp_path)
    taking.ended("first")
    taking.ended("second")
    (line,) = log
    assert (line["event"], line["run"]) == ("run_not_learned", "second")


class Slow(Memory):
    """A memory on a disk that takes its time."""

    gate = None

    def record(self, run):
        self.gate.wait(10)
        return super().record(run)


async def test_a_run_that_is_forgotten_meanwhile_is_not_learned_from(tmp_path):
    memory, planner = Slow(tmp_path, now=wall), ScriptedPlanner(counting)
    memory.gate = threading.Event()
    tuning = Tuning(keep_runs=1)
    async with muster(DEVICES, planner=planner, memory=memory, tuning=tuning) as (orchestrator, _):
        runs = [await orchestrator.submit(request) for request in REQUESTS]
        await runs[2].result()
        while len(orchestrator.runs()) > 1:  # noqa: ASYNC110 - nor does time pass while it waits
            await asyncio.sleep(0)
        (kept,) = orchestrator.runs()
        memory.gate.set()
    learned = {each.run for each in memory.works()[0].samples}
    assert kept.run in learned
    assert len(learned) < len(REQUESTS)


async def test_a_run_that_is_forgotten_while_its_facts_are_read_is_not_learned_from():
    planner = ScriptedPlanner(counting)
    async with muster(DEVICES, planner=planner, tuning=Tuning(keep_runs=1)) as (orchestrator, _):
        first = await did(orchestrator, REQUESTS[0])
        journal, read = orchestrator.coordinator.journal, orchestrator.coordinator.journal.entries

        async def entries(*args, **more):
            journal.entries = read
            await did(orchestrator, REQUESTS[1])
            return await read(*args, **more)

        journal.entries = entries
        with pytest.raises(Exception, match="there is no run"):
            await finished(orchestrator.coordinator, first.id)


async def test_a_run_that_is_too_large_is_not_learned_from(monkeypatch):
    monkeypatch.setattr(experience, "MOST_TASKS", 3)
    async with muster(DEVICES, planner=ScriptedPlanner(counting)) as (orchestrator, _):
        run = await did(orchestrator, REQUESTS[0])
        with pytest.raises(LearningError, match="more than 3 tasks"):
            await finished(orchestrator.coordinator, run.id)


@pytest.mark.parametrize(
    ("labels", "kind"),
    [({}, None), ({"role": "nas"}, "nas"), ({"role": "nas", "class": "x86"}, "x86")],
)
async def test_the_class_of_a_device_is_in_its_labels(labels, kind):
    async with muster({}, planner=ScriptedPlanner(plan("a"))) as (orchestrator, broker):
        link = broker.transport("muster/default/alpha")
        async with Agent(DeviceCard("alpha", labels=labels), [work()], transport=link):
            run = await did(orchestrator, "work")
            assert (await finished(orchestrator.coordinator, run.id)).classes.get("alpha") == kind


@pytest.mark.real_time
async def test_an_orchestrator_is_left_though_memory_hangs(tmp_path, monkeypatch, log):
    monkeypatch.setattr(learning, "SETTLE_S", 0.05)
    memory = Slow(tmp_path, now=wall)
    memory.gate = threading.Event()
    async with muster({"alpha": [work()]}, memory=memory) as (orchestrator, _):
        run = await orchestrator.submit("work", plan=plan("a"))
        await run.result()
    memory.gate.set()
    assert [line["event"] for line in log] == ["runs_not_learned"]


MODEL = """
[memory]
folder = "memory"
[planner]
choice = "llm"
[planner.llm]
base_url = "{url}"
model = "m"
"""


@pytest.mark.real_time
async def test_a_failure_leaves_a_tip_that_is_in_the_next_prompt(tmp_path):
    def task(skill):
        return {"cannot": None, "tasks": [{"id": "a", "skill": skill, "args": [], "device": None}]}

    nothing = {"cannot": "no other way", "tasks": []}
    script = [Says(task("print")), *[Says(nothing)] * 8]
    path = tmp_path / "muster.toml"
    async with ModelServer(script).running() as server:
        path.write_text(MODEL.format(url=server.url))
        settings = read(path, environment={})
        memory = memory_of(settings)
        planner = planner_of(settings.planner, memory)
        devices = {"alpha": [work("print", permanent=1.0)]}
        async with muster(devices, planner=planner, memory=memory) as (orchestrator, _):
            await until(orchestrator.devices)
            failed = await (await orchestrator.submit("put the poster on paper")).result()
            assert not failed.succeeded
            await until(memory.all_tips)
            before = len(server.asked)
            await (await orchestrator.submit("put another poster on paper")).result()
    tip = "print failed on alpha once (skill error: scripted: fails for good)"
    assert tip in server.asked[before].words
    assert tip not in server.asked[0].words


async def test_the_nearest_work_is_told_as_an_outline(tmp_path):
    memory = Memory(tmp_path, now=wall)
    async with muster(DEVICES, memory=memory) as (orchestrator, _):
        request = PlanRequest("r", REQUESTS[0])
        await (await orchestrator.submit(request.request, plan=counting(request))).result()
    (first, *_) = await advice(memory, PlaybookPlanner())(PlanRequest("r", REQUESTS[1]))
    assert first.startswith("Done before (run) for ")
    assert "each: work(since_s=300) for each device; report: work(" in first
