import asyncio
import importlib
import json
import sys
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from benchmarks import cli
from benchmarks.frame import Benchmark, BenchmarkError, Figures, Row


def measured(options):
    yield Figures({"speed.per_s": 10.0 + options.seed})


def broken(_options):
    raise BenchmarkError("no broker: install mosquitto")
    yield


async def stopped(_options):
    raise asyncio.CancelledError
    yield


@pytest.fixture
def bench(monkeypatch):
    """Run `muster bench toy …` with a toy benchmark that the test declares."""

    def run(*arguments, part=measured, goals=None, settings=None, paths=None):
        toy = Benchmark(
            "toy", parts=(part,), goals=goals or {}, settings=settings or {}, paths=paths or {}
        )
        monkeypatch.setattr(cli, "CATALOG", {"toy": "toy"})
        monkeypatch.setitem(sys.modules, "toy", SimpleNamespace(BENCHMARK=toy))
        return CliRunner().invoke(cli.app, ["bench", "toy", *arguments])

    return run


def test_json_is_one_object_on_standard_output(bench):
    result = bench("--json", "--seed", "3", goals={"speed.per_s": (">=", 13.0)})

    document = json.loads(result.stdout)
    assert document["figures"] == {"speed.per_s": 13.0}
    assert (document["bench"], document["seed"], document["met"]) == ("toy", 3, True)
    assert {"commit", "machine", "versions"} <= document.keys()


def test_exit_code_says_whether_the_goals_are_met(bench):
    assert bench(goals={"speed.per_s": (">=", 10.0)}).exit_code == 0
    assert bench(goals={"speed.per_s": (">=", 11.0)}).exit_code == 1
    assert bench(goals={"absent": (">=", 11.0)}).exit_code == 1


def test_table_shows_goals_beside_figures(bench):
    shown = bench(goals={"speed.per_s": (">=", 11.0), "absent": ("<=", 1.0)}).stdout

    lines = {line.split()[1]: line for line in shown.splitlines() if "│" in line}
    assert ">= 11 not met" in lines["speed.per_s"]
    assert "missing" in lines["absent"]


def test_report_is_a_page_in_the_folder_that_is_named(bench, tmp_path):
    result = bench("--report", str(tmp_path / "out"))
    assert result.exit_code == 0
    assert str(tmp_path / "out" / "index.html") in result.stderr
    assert "speed" in (tmp_path / "out" / "index.html").read_text()


def test_report_that_cannot_be_written_is_one_line_and_exit_code_2(bench, tmp_path):
    (tmp_path / "file").write_text("")
    result = bench("--report", str(tmp_path / "file"))
    assert result.exit_code == 2
    assert "no report" in result.stderr


def test_rows_are_written_as_they_come(bench, tmp_path):
    path = tmp_path / "rows.jsonl"

    def part(_options):
        yield Row({"number": 1})
        assert json.loads(path.read_text()) == {"number": 1}
        yield Row({"number": 2})
        raise BenchmarkError("no more")

    assert bench("--rows", str(path), part=part).exit_code == 2
    assert [json.loads(line)["number"] for line in path.read_text().splitlines()] == [1, 2]


def test_rows_that_cannot_be_written_stop_the_benchmark_before_it_begins(bench, tmp_path):
    result = bench("--rows", str(tmp_path), part=broken)
    assert result.exit_code == 2
    assert "--rows" in result.stderr
    assert "no broker" not in result.stderr


def test_what_cannot_be_run_is_one_line_and_exit_code_2(bench):
    result = bench(part=broken)

    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == "bench toy: no broker: install mosquitto"
    assert "Traceback" not in result.output


@pytest.mark.parametrize("words", [["--kills", "7"], ["--kills=7"]])
def test_option_of_its_own_reaches_the_benchmark(bench, words):
    result = bench("--json", *words, settings={"kills": "how many"})

    assert json.loads(result.stdout)["settings"] == {"kills": 7}


def test_a_path_of_its_own_reaches_the_benchmark(bench, tmp_path):
    def part(options):
        yield Figures({"here": float(options.paths["graphs"] == tmp_path)})

    result = bench("--json", "--graphs", str(tmp_path), part=part, paths={"graphs": "which"})

    document = json.loads(result.stdout)
    assert document["figures"] == {"here": 1.0}
    assert document["settings"] == {"graphs": str(tmp_path)}


@pytest.mark.parametrize("value", ["nowhere", ""])
def test_a_path_that_is_not_there_is_refused(bench, value):
    result = bench("--graphs", value, paths={"graphs": "which"})

    assert result.exit_code == 2
    assert "takes a file or folder that is there" in " ".join(
        result.stderr.replace("│", " ").split()
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--deaths", "7"], "bench toy has no '--deaths'; its own options are:"),
        (["kills"], "bench toy has no 'kills'"),
        (["--kills", "many"], "--kills takes a whole number from 0, got 'many'"),
        (["--kills"], "--kills takes a whole number from 0, got ''"),
    ],
)
def test_option_that_makes_no_sense_is_refused_with_those_there_are(bench, words, told):
    result = bench(*words, settings={"kills": "how many"})

    assert result.exit_code == 2
    assert told in " ".join(result.stderr.replace("│", " ").split())


def test_benchmark_without_options_of_its_own_says_so(bench):
    assert "it has no options of its own" in " ".join(
        bench("--kills", "7").stderr.replace("│", " ").split()
    )


def test_stopped_benchmark_says_so_and_ends_as_if_interrupted(bench):
    result = bench(part=stopped)

    assert result.exit_code == 130
    assert result.stderr.splitlines()[-1] == "bench toy: stopped"


def test_unknown_benchmark_is_refused_with_the_names_there_are():
    result = CliRunner().invoke(cli.app, ["bench", "nonsense"])

    assert result.exit_code == 2
    assert "overhead" in result.stderr


@pytest.mark.parametrize("name", cli.CATALOG)
def test_catalog_leads_to_benchmarks_of_that_name(name):
    assert importlib.import_module(cli.CATALOG[name]).BENCHMARK.name == name
