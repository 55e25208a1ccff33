import json

import pytest

from benchmarks.frame import Benchmark, Figures, Options, Progress, Result, Row, run


def plain(options):
    yield Progress(0.5, "plain")
    yield Figures({"plain.cpu_ms": 0.2 if options.quick else 0.1})
    yield Row({"n": 1})


async def asynchronous(_options):
    yield Progress(0.5, "asynchronous")
    yield Figures({"async.per_s": 50.0})
    yield Row({"n": 2})


def judged(figures, goals):
    return Result("b", Options(), figures, goals, rows=())


async def test_figures_and_rows_of_all_parts_come_in_one_result():
    both = Benchmark("both", parts=(plain, asynchronous))

    result = await run(both, Options(quick=True), report=lambda _: None)

    assert result.figures == {"plain.cpu_ms": 0.2, "async.per_s": 50.0}
    assert result.rows == ({"n": 1}, {"n": 2})


async def test_progress_is_of_the_whole():
    heard = []

    await run(Benchmark("both", parts=(plain, asynchronous)), Options(), report=heard.append)

    assert heard == [
        Progress(0.25, "plain"),
        Progress(0.75, "asynchronous"),
        Progress(1.0, "done"),
    ]


@pytest.mark.parametrize(
    ("goal", "met"),
    [
        (("<=", 2.0), True),
        (("<=", 1.9), False),
        ((">=", 2.0), True),
        ((">=", 2.1), False),
    ],
)
def test_a_goal_compares_its_figure_to_the_bound(goal, met):
    assert judged({"f": 2.0}, {"f": goal}).met is met


def test_a_missing_figure_meets_no_goal():
    result = judged({"f": 2.0}, {"f": ("<=", 3.0), "g": ("<=", 3.0)})

    assert result.holds("f")
    assert not result.holds("g")
    assert not result.met


def test_document_has_the_agreed_names_and_survives_json():
    result = Result("b", Options(seed=7), {"f": 2.0}, {"f": ("<=", 3.0)}, rows=({"n": 1},))

    document = result.document({"commit": None, "machine": {}, "versions": {}})

    assert json.loads(json.dumps(document)) == {
        "bench": "b",
        "seed": 7,
        "quick": False,
        "settings": {},
        "commit": None,
        "machine": {},
        "versions": {},
        "figures": {"f": 2.0},
        "goals": {"f": ["<=", 3.0]},
        "met": True,
        "rows": [{"n": 1}],
    }
