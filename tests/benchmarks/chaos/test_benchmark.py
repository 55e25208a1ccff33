import asyncio
import signal
import tempfile
from contextlib import asynccontextmanager

import pytest

from benchmarks.chaos import benchmark
from benchmarks.chaos.effects import Line, Mark
from benchmarks.chaos.evidence import Evidence, FinalState, Kill, Success, Told
from benchmarks.chaos.schedule import SIGNALS, Way
from benchmarks.frame import BenchmarkError, Figures, Options, Progress, Row
from benchmarks.supervisor import EndedError

START = Line(Mark.START, "r", "t", "a", 1, 9, 1.0)
END = Line(Mark.END, "r", "t", "a", 1, 9, 2.0)


class Played:
    """A campaign without processes: every kill hits one task, which ends a second later."""

    def __init__(self, lines):
        self._lines = lines
        self.kills = []

    async def strike(self, strike):
        self.kills.append(Kill(1.5, "agent-1", strike.target, strike.way, 0.5, (START,)))

    async def calm(self):
        told = Told("chaos 0", "r", "succeeded", placed={"a": 1}, news=[(2.5, "t")])
        told.successes["t"] = Success("a", 2, 2.5)
        told.tasks["t"] = FinalState("succeeded", "compute", "", executes=True)
        return Evidence(self._lines, [told], {"chaos 0": ["r"]}, self.kills)


@pytest.fixture
def measured(monkeypatch, tmp_path):
    """Run the benchmark on a campaign that comes to these lines, or to an error."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(benchmark, "cancel_when_told_to_stop", lambda: None)

    async def measured(lines=(START, END), error=None, options=None):
        @asynccontextmanager
        async def open_campaign(_root, *, seed):
            assert seed == 3
            yield Played(lines)
            if error:
                raise error

        monkeypatch.setattr(benchmark, "open_campaign", open_campaign)
        options = options or Options(seed=3, settings={"kills": 2})
        return [item async for item in benchmark.measure(options)]

    return measured


async def test_goals_that_are_met_leave_no_folder(measured, tmp_path):
    items = await measured()

    (values,) = (item.values for item in items if isinstance(item, Figures))
    rows = [item.values for item in items if isinstance(item, Row)]
    assert benchmark.GOALS.keys() <= values.keys()
    assert (values["kills"], values["completed"], values["inflight_kills"]) == (2, 1.0, 1.0)
    assert [row["victim"] for row in rows] == ["agent-1", "agent-1"]
    assert rows[0]["recovery_s"] == 1.0
    assert [item.share for item in items if isinstance(item, Progress)] == [0, 0, 1 / 3, 2 / 3]
    assert list(tmp_path.iterdir()) == []


async def test_violation_is_a_row_and_names_the_folder_that_is_kept(measured, tmp_path):
    items = await measured([START])

    rows = [item.values for item in items if isinstance(item, Row)]
    assert rows[-2]["violation"] == "lost"
    assert [str(path) for path in tmp_path.iterdir()] == [rows[-1]["folder"]]


@pytest.mark.parametrize(("quick", "kills"), [(True, 12), (False, 200)])
async def test_quick_kills_less(measured, quick, kills):
    items = await measured(options=Options(seed=3, quick=quick))

    assert sum(isinstance(item, Row) for item in items) == kills


async def test_program_that_ended_by_itself_is_one_line_with_the_folder(measured):
    with pytest.raises(BenchmarkError, match="agent ended with code 1; logs and journal are in"):
        await measured(error=ExceptionGroup("", [EndedError("agent ended with code 1")]))


async def test_stopped_campaign_leaves_no_folder(measured, tmp_path):
    with pytest.raises(asyncio.CancelledError):
        await measured(error=asyncio.CancelledError())

    assert list(tmp_path.iterdir()) == []


async def test_bug_is_not_made_a_line(measured):
    with pytest.raises(ZeroDivisionError):
        await measured(error=ExceptionGroup("", [ZeroDivisionError()]))


def test_every_way_has_its_signal():
    assert SIGNALS.keys() == set(Way)
    assert SIGNALS[Way.KILL] is signal.SIGKILL
