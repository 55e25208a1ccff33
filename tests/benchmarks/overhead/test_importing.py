from benchmarks.frame import Figures, Options, Row
from benchmarks.overhead.importing import import_cost, measure


def test_importing_more_costs_more():
    bare_cpu_s, bare_rss_mb = import_cost("pass")
    cpu_s, rss_mb = import_cost("import asyncio, email.message, sqlite3, unittest")

    assert 0 < bare_cpu_s < cpu_s
    assert 0 < bare_rss_mb < rss_mb


def test_figures_are_what_the_import_adds():
    items = list(measure(Options(quick=True)))

    (figures,) = [item.values for item in items if isinstance(item, Figures)]
    assert figures.keys() == {"import.cpu_s", "import.rss_mb"}
    assert len([item for item in items if isinstance(item, Row)]) == 3
