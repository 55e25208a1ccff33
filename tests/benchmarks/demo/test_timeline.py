import pytest
from rich.console import Console

from benchmarks.demo import timeline
from benchmarks.demo.timeline import Kill
from orchestrator.core import facts as f
from orchestrator.core.model import RunLimits
from orchestrator.journal import Entry
from protocol.types import DeviceCard, Effect, FailureKind

RUN = "run"


def placed(attempt, task="collect[web]", device="web"):
    return f.TaskPlaced(RUN, task, attempt, 1, device, 1, Effect.PURE, 1.0, 0.0, 0.0)


HISTORY = [
    (99.0, f.CoordinatorStarted(0.0, 0.0, 0.0)),
    (99.5, f.DeviceJoined(DeviceCard("web"))),
    (99.6, f.DeviceOnline("web", "1", 0.0)),
    (100.0, f.RunSubmitted(RUN, "", "", "", 0, RunLimits(), None, 0, 100.0, 0.0)),
    (101.0, placed("a")),
    (102.0, f.DeviceLost("web", "it went offline", 0.0)),
    (104.0, f.CoordinatorStarted(0.0, 0.0, 0.0)),
    (105.0, f.DeviceOnline("web", "1", 0.0)),
    (105.0, f.AttemptFailed(RUN, "collect[web]", "a", FailureKind.DEVICE_LOST, "gone")),
    (105.0, placed("b")),
    (110.0, f.AttemptSucceeded(RUN, "collect[web]", "b", None, 5.0)),
    (110.0, f.RunEnded(RUN, f.RunStatus.SUCCEEDED, "", 0.0)),
]
KILLS = [Kill("web", 102.0), Kill("coordinator", 103.0)]


@pytest.fixture
def read():
    entries = [Entry(n, wall, 0.0, fact) for n, (wall, fact) in enumerate(HISTORY)]
    return timeline.read(entries, KILLS, ["web", "laptop"])


def test_rows_tell_attempts_kills_and_returns_since_the_submission(read):
    told = timeline.document(read)

    assert told["web"] == {
        "attempts": [
            {"task": "collect[web]", "start_s": 1.0, "end_s": 5.0, "done": False},
            {"task": "collect[web]", "start_s": 5.0, "end_s": 10.0, "done": True},
        ],
        "killed_s": [2.0],
        "back_s": [5.0],
    }
    assert told["coordinator"] == {"attempts": [], "killed_s": [3.0], "back_s": [4.0]}
    assert told["laptop"] == {"attempts": [], "killed_s": [], "back_s": []}
    assert read.status is f.RunStatus.SUCCEEDED


def test_table_draws_a_line_for_each_device(read):
    console = Console(width=100)
    with console.capture() as shown:
        console.print(timeline.table(read))

    lines = {line.split()[0]: line for line in shown.get().splitlines() if line.strip()}
    assert "····┅┅┅┅✗┅┅┅┅┅┅┅┅┅┅┅●━━━━" in lines["web"]
    assert "collect lost, collect done" in lines["web"]
    assert "············✗···●···" in lines["coordinator"]
    assert "0 s" in lines["device"]
    assert "10.0 s" in lines["device"]
