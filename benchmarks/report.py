"""A result as a page: figures beside their goals, and a picture of each chart.

`muster bench NAME --report DIR` writes it. Pictures are drawn by matplotlib (the extra `plots`),
which nothing else needs.
"""

import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from benchmarks.chart import Chart
from benchmarks.frame import BenchmarkError

_STYLE: Final = (
    "body{font:15px sans-serif;margin:2em auto;max-width:62em}td,th{padding:.1em .8em;"
    "text-align:left}td+td{text-align:right}td+td+td{text-align:left}img{max-width:49%}"
    ".missed{color:#b00}"
)
_COLOURS: Final = 10  # before they come again


def write(document: Mapping[str, Any], charts: Sequence[Chart], folder: Path) -> Path:
    """Write the page, its pictures and the result as JSON; return the page.

    Args:
        document: what `--json` prints.
        charts: what to draw.
        folder: is made where it is not there.

    Raises:
        BenchmarkError: there are charts, and no matplotlib.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pictures = [draw(chart, folder) for chart in charts]
    (folder / "result.json").write_text(json.dumps(document, indent=2), encoding="utf-8")
    page = folder / "index.html"
    page.write_text(_page(document, pictures), encoding="utf-8")
    return page


def draw(chart: Chart, folder: Path) -> Path:
    """Draw one chart into a PNG file.

    Raises:
        BenchmarkError: there is no matplotlib.
    """
    try:
        figure = import_module("matplotlib.figure").Figure((7, 4.5), layout="constrained")
    except ImportError as error:
        raise BenchmarkError("pictures need matplotlib: pip install 'muster[plots]'") from error
    axes = figure.subplots()
    for number, (name, marks) in enumerate(chart.lines.items()):
        x, y, low, high = zip(*marks, strict=True)
        style = "-" if number < _COLOURS else "--"
        axes.plot(x, y, linestyle=style, marker="o", markersize=3, label=name)
        axes.fill_between(x, low, high, alpha=0.15)
    axes.set(title=chart.title, xlabel=chart.x_label, ylabel=chart.y_label)
    if chart.logarithmic:
        axes.set_yscale("log")
    axes.grid(visible=True, alpha=0.3)
    figure.legend(fontsize="small", loc="outside right upper")
    path = folder / f"{chart.name}.png"
    figure.savefig(path, dpi=120)
    return path


def _page(document: Mapping[str, Any], pictures: Sequence[Path]) -> str:
    title = escape(f"{document['bench']}, seed {document['seed']}")
    figures, goals = document["figures"], document["goals"]
    rows = "".join(
        _row(name, figures.get(name), goals.get(name)) for name in sorted({*figures, *goals})
    )
    around = {key: value for key, value in document.items() if key not in _SHOWN}
    images = "".join(f'<img src="{escape(path.name)}" alt="">' for path in pictures)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style><h1>{title}</h1><table>{rows}</table>{images}"
        f"<pre>{escape(json.dumps(around, indent=2))}</pre></html>\n"
    )


_SHOWN: Final = ("bench", "figures", "goals", "rows")


def _row(name: str, value: float | None, goal: Sequence[Any] | None) -> str:
    wanted = "" if goal is None else f"{goal[0]} {goal[1]:g}"
    shown = "missing" if value is None else f"{value:,.4g}"
    return f"<tr><td>{escape(name)}<td>{shown}<td>{escape(wanted)}</tr>"
