import signal

import pytest
from typer.testing import CliRunner

from benchmarks import cli
from benchmarks.frame import Figures, Options, Row
from benchmarks.simulation import benchmark, command, world
from benchmarks.simulation.report import Report
from protocol import telemetry

FIGURES = {"worlds", "violations", "worlds_per_s", "faults_per_world", "coverage"}


@pytest.fixture(autouse=True)
def unprepared(monkeypatch):
    monkeypatch.setattr(command, "prepare", lambda: None)
    telemetry.silence()
    yield
    telemetry.quiet()


@pytest.mark.real_time
def test_worlds_live_in_workers_and_are_counted():
    items = list(benchmark.measure(Options(seed=3, settings={"worlds": 2, "jobs": 1})))
    (figures,) = [item.values for item in items if isinstance(item, Figures)]
    tables = [item.values for item in items if isinstance(item, Row)]

    assert figures.keys() >= FIGURES
    assert (figures["worlds"], figures["violations"]) == (2, 0)
    assert figures["faults_least"] >= 3
    assert 0 < figures["coverage"] < 1
    assert sum("under" in row for row in tables) > 40


def test_world_that_went_wrong_is_one_line_that_says_how_to_see_it_again():
    row = benchmark.violation_row(Report(17, "I13: twice"))
    assert command.violations([row, {"fired": {}}]) == [
        "seed 17: I13: twice (replay: muster simulate --seed 17 --trace)"
    ]


def test_replay_prints_the_world_and_fails_where_something_went_wrong(monkeypatch):
    def judge(seeds, *, trace):
        trace(1.5, "d0", "begins act t1")
        return [Report(*seeds, "I13: twice", runs=1)]

    monkeypatch.setattr(command, "judge", judge)
    result = CliRunner().invoke(cli.app, ["simulate", "--seed", "5", "--trace"])

    assert result.exit_code == 1
    assert "1.5000 d0          begins act t1" in result.output
    assert "seed 5: I13: twice" in result.output


@pytest.mark.parametrize("more", [["--worlds", "5"], ["--coverage"], ["--json"]])
def test_replay_of_more_than_one_world_is_refused(more):
    result = CliRunner().invoke(cli.app, ["simulate", "--seed", "5", "--trace", *more])
    assert result.exit_code == 2
    assert "--trace replays one world" in result.stderr


def test_violation_fails_the_command_and_coverage_is_a_table(monkeypatch):
    def measure(_options):
        yield Row(benchmark.violation_row(Report(9, "I10: hangs")))
        yield Figures({"violations": 1})
        yield Row({"table": "task", "state": "ready", "cause": "place", "under": counts})

    counts = dict.fromkeys(map(str, benchmark.Kind), 1)
    broken = benchmark.Benchmark("simulate", (measure,), {"violations": ("<=", 0)})
    monkeypatch.setattr(benchmark, "BENCHMARK", broken)
    result = CliRunner().invoke(cli.app, ["simulate", "--worlds", "1", "--coverage"])

    assert result.exit_code == 1
    assert "task ready: place" in result.output
    assert "seed 9: I10: hangs" in result.output


def test_world_that_does_not_come_back_is_a_violation(monkeypatch):
    async def stuck(_self):
        signal.raise_signal(signal.SIGALRM)

    former = signal.getsignal(signal.SIGALRM)
    monkeypatch.setattr(world.World, "live", stuck)
    (report,) = benchmark.judge([1])

    assert report.violation == "it hung: the last fault was none"
    assert signal.getsignal(signal.SIGALRM) is former
