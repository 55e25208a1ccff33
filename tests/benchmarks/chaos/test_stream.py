import asyncio

import pytest

from benchmarks.chaos import stream
from benchmarks.chaos.evidence import FinalState, Success
from benchmarks.chaos.stream import Stream
from orchestrator.client import CallFailedError, CoordinatorSilentError
from protocol.types import FailureKind

EVENTS = [
    ("TaskPlaced", {"task": "t", "attempt": "a"}),
    ("TaskUnknown", {"task": "t"}),
    ("AttemptSucceeded", {"task": "t", "attempt": "a"}),
    ("RunEnded", {"status": "succeeded"}),
]
TASK = {
    "spec": {"id": "t", "skill": "pay", "for_each": None},
    "state": "succeeded",
    "reason": "",
    "parent": None,
}


class Coordinator:
    """Answers as one does that is killed now and then: the first call of each kind is lost."""

    def __init__(self, *, denies=False):
        self.calls = []
        self.denies = denies

    async def call(self, skill, args):
        again = (skill, args) in self.calls
        self.calls.append((skill, args))
        await asyncio.sleep(0.1)
        if not again:
            raise CoordinatorSilentError
        if self.denies and skill == "events":
            raise CallFailedError("there is no run 'run'", FailureKind.BAD_INPUT)
        return getattr(self, skill)(**args)

    def submit(self, request, key, plan):
        assert request == key
        assert plan["edits"]
        return {"run": f"run of {key}"}

    def events(self, after, **_):
        events = [
            {"seq": n, "wall": float(n), "fact": fact, "data": data}
            for n, (fact, data) in enumerate(EVENTS, 1)
        ]
        return {
            "events": events[after : after + 2],
            "next": after + 2,
            "ended": after >= 2,
            "wall": 9.0,
        }

    def show(self, run):
        return {"run": {"run": run}, "tasks": [TASK], "next": None}

    def runs(self):
        return {"runs": [{"run": "r", "request": "x"}, {"run": "s", "request": "x"}], "next": None}


@pytest.fixture
def one_submitter(monkeypatch):
    monkeypatch.setattr(stream, "OPEN_RUNS", 1)


async def streamed(coordinator, seconds=1.0):
    streaming = Stream(coordinator, seed=0, log="log")
    asyncio.get_running_loop().call_later(seconds, streaming.close)
    await streaming.run()
    return streaming


@pytest.mark.usefixtures("one_submitter")
async def test_run_is_followed_to_its_end_over_every_failed_call():
    (told, *_) = (await streamed(Coordinator())).told

    assert (told.run, told.status, told.complete) == ("run of chaos 0", "succeeded", True)
    assert told.placed == {"a": 1}
    assert told.unknown == {"t"}
    assert told.successes == {"t": Success("a", 3, 3.0)}
    assert told.news == [(2.0, "t"), (3.0, "t")]
    assert told.tasks == {"t": FinalState("succeeded", "pay", "", executes=True)}


@pytest.mark.usefixtures("one_submitter")
async def test_failed_submission_is_repeated_with_its_key():
    coordinator = Coordinator()
    await streamed(coordinator)

    first, again = (args for skill, args in coordinator.calls[:2])
    assert first == again


async def test_so_many_runs_are_open_at_a_time():
    told = (await streamed(Coordinator(), seconds=0.01)).told

    assert len(told) == stream.OPEN_RUNS


@pytest.mark.usefixtures("one_submitter")
async def test_run_that_the_coordinator_denies_is_noted():
    (told, *_) = (await streamed(Coordinator(denies=True))).told

    assert told.denied == "there is no run 'run'"
    assert not told.complete


async def test_runs_are_listed_by_their_requests():
    listed = await Stream(Coordinator(), seed=0, log="log").listed()

    assert listed == {"x": ["r", "s"]}
