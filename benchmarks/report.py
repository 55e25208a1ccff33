"""A result as a page: figures beside their goals, and a picture of each chart.

`muster bench NAME --report DIR` writes it. Pictures are drawn by matplotlib (the extra `plots`),
which nothing else needs.
"""

import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TypeAlias

from benchmarks.chart import Boxes, Chart, Gantt, Picture
from benchmarks.frame import BenchmarkError

_STYLE: Final = (
    "body{font:15px sans-serif;margin:2em auto;max-width:62em}td,th{padding:.1em .8em;"
    "text-align:left}td+td{text-align:right}td+td+td{text-align:left}img{max-width:49%}"
    ".missed{color:#b00}"
)
_COLOURS: Final = 10  # before they come again
_DPI: Final = 200  # as papers ask for halftones in columns
_Figure: TypeAlias = Any  # matplotlib's, which need not be installed


def write(
    document: Mapping[str, Any], charts: Sequence[Picture], folder: Path, *, more: str = ""
) -> Path:
    """Write the page, its pictures and the result as JSON; return the page.

    Args:
        document: what `--json` prints.
        charts: what to draw.
        folder: is made where it is not there.
        more: of the page, as HTML.

    Raises:
        BenchmarkError: there are charts, and no matplotlib.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pictures = [draw(chart, folder) for chart in charts]
    (folder / "result.json").write_text(json.dumps(document, indent=2), encoding="utf-8")
    page = folder / "index.html"
    page.write_text(_page(document, pictures, more), encoding="utf-8")
    return page


def draw(chart: Picture, folder: Path) -> Path:
    """Draw one picture into a PNG file.

    Raises:
        BenchmarkError: there is no matplotlib.
    """
    try:
        figure = import_module("matplotlib.figure").Figure((7, 4.5), layout="constrained")
    except ImportError as error:
        raise BenchmarkError("pictures need matplotlib: pip install 'muster[plots]'") from error
    match chart:
        case Chart():
            _lines(chart, figure)
        case Boxes():
            _boxes(chart, figure)
        case Gantt():
            _gantt(chart, figure)
    path = folder / f"{chart.name}.png"
    figure.savefig(path, dpi=_DPI)
    return path


def _lines(chart: Chart, figure: _Figure) -> None:
    axes = figure.subplots()
    for number, (name, marks) in enumerate(chart.lines.items()):
        x, y, low, high = zip(*marks, strict=True)
        style = "-" if number < _COLOURS else "--"
        axes.plot(x, y, linestyle=style, marker="o", markersize=3, label=name)
        axes.fill_between(x, low, high, alpha=0.15)
    axes.set(title=chart.title, xlabel=chart.x_label, ylabel=chart.y_label)
    if chart.logarithmic:
        axes.set_yscale("log")
    if chart.logarithmic_x:
        axes.set_xscale("log")
    axes.grid(visible=True, alpha=0.3)
    figure.legend(fontsize="small", loc="outside right upper")


def _boxes(chart: Boxes, figure: _Figure) -> None:
    axes = figure.subplots()
    axes.boxplot(
        [list(values) for values in chart.groups.values()],
        whis=(5, 95),
        showfliers=False,
        showmeans=True,
        meanprops={"marker": "D", "markersize": 3},
    )
    axes.set_xticks(range(1, len(chart.groups) + 1), [*chart.groups], rotation=45, ha="right")
    axes.set(title=chart.title, ylabel=chart.label)
    axes.grid(visible=True, axis="y", alpha=0.3)


def _gantt(chart: Gantt, figure: _Figure) -> None:
    rows = figure.subplots(len(chart.panels), sharex=True, squeeze=False)[:, 0]
    kinds = sorted({bar.kind for bars in chart.panels.values() for bar in bars})
    for axes, (name, bars) in zip(rows, chart.panels.items(), strict=True):
        for number, kind in enumerate(kinds):
            mine = [bar for bar in bars if bar.kind == kind]
            axes.barh(
                [bar.lane for bar in mine],
                [bar.finish - bar.start for bar in mine],
                left=[bar.start for bar in mine],
                color=f"C{number % _COLOURS}",
                edgecolor="white",
                linewidth=0.4,
                label=kind if axes is rows[0] else None,
            )
        axes.invert_yaxis()
        axes.set_yticks(sorted({bar.lane for bar in bars}))
        axes.set(title=name, ylabel=chart.y_label)
    rows[-1].set_xlabel(chart.x_label)
    figure.suptitle(chart.title)
    figure.legend(fontsize="small", loc="outside right upper")


def _page(document: Mapping[str, Any], pictures: Sequence[Path], more: str) -> str:
    title = escape(f"{document['bench']}, seed {document['seed']}")
    figures, goals = document["figures"], document["goals"]
    rows = "".join(
        _row(name, figures.get(name), goals.get(name)) for name in sorted({*figures, *goals})
    )
    around = {key: value for key, value in document.items() if key not in _SHOWN}
    images = "".join(f'<img src="{escape(path.name)}" alt="">' for path in pictures)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style><h1>{title}</h1><table>{rows}</table>{images}{more}"
        f"<pre>{escape(json.dumps(around, indent=2))}</pre></html>\n"
    )


_SHOWN: Final = ("bench", "figures", "goals", "rows")


def _row(name: str, value: float | None, goal: Sequence[Any] | None) -> str:
    wanted = "" if goal is None else f"{goal[0]} {goal[1]:g}"
    shown = "missing" if value is None else f"{value:,.4g}"
    return f"<tr><td>{escape(name)}<td>{shown}<td>{escape(wanted)}</tr>"
