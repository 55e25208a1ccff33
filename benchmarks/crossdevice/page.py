"""The page's own parts: tables by arm, fault and category, and who worked when in each task."""

from collections.abc import Mapping, Sequence
from html import escape
from statistics import fmean
from typing import Any, Final

from benchmarks.crossdevice.arms import OURS
from benchmarks.crossdevice.faults import Kind
from benchmarks.crossdevice.fleet import FLEET
from benchmarks.crossdevice.summary import by, counted, success_of

Rows = Sequence[Mapping[str, Any]]
WIDTH: Final = 900  # of a picture, in pixels
LANE: Final = 9
COLOURS: Final = {True: "#3a7", False: "#d75"}
TURNS: Final = (
    "<p>Bounds are of the calls as they were: where one call at a time is made, with the waiting"
    " for one's turn. Compare latencies.</p>"
)
STYLE: Final = (
    "<style>.wide td,.wide th{text-align:right}.wide tr>:first-child{text-align:left}"
    "svg{background:#f6f6f6;display:block}details{margin:.4em 0}</style>"
)


def sections(rows: Rows) -> str:
    """Return the parts as HTML."""
    if not rows:
        return ""
    calm = [row for row in rows if row["fault"] == Kind.NONE]
    ours = [row for row in calm if row["arm"] == OURS]
    return "".join(
        (
            STYLE,
            _table("Faults", [r for r in rows if r["arm"] == OURS], "fault"),
            _table("Arms, in peace", calm, "arm"),
            TURNS,
            _table("Categories, ours in peace", ours, "category"),
            _scatter(ours),
            "<h2>Tasks</h2><p>Ours, in peace: who worked when. Red: of no use.</p>",
            *(_gantt(row) for row in sorted(ours, key=lambda row: (row["task"], row["seed"]))),
            _failed(rows),
        )
    )


def _table(title: str, rows: Rows, name: str) -> str:
    heads = ("plays", "possible", "counted", "success", "95 %", "subtasks", "latency s",
             "sequential s", "at least s", "width", "wasted", "replans", "messages")  # fmt: skip
    lines = "".join(
        f"<tr><td>{escape(key)}" + "".join(f"<td>{cell}" for cell in _cells(of))
        for key, of in by([dict(row) for row in rows], name).items()
    )
    head = "".join(f"<th>{each}" for each in (name, *heads))
    return f'<h2>{title}</h2><table class="wide"><tr>{head}{lines}</table>'


def _cells(rows: Rows) -> Sequence[str]:
    possible, plays = sum(row["possible"] for row in rows), len(rows)
    rows = counted(rows)
    if not rows:
        return [str(plays), str(possible), "0"]
    success = success_of(rows)
    worked = sum(row["worked_s"] for row in rows) or 1.0
    return [
        str(plays),
        str(possible),
        str(len(rows)),
        f"{success.value:.1%}",
        f"{success.low:.0%} to {success.high:.0%}",
        f"{fmean(row['done'] / row['subtasks'] for row in rows):.1%}",
        *(
            f"{fmean(row[each] for row in rows):.2f}"
            for each in ("latency_s", "sequential_s", "least_s", "width")
        ),
        f"{sum(row['wasted_s'] for row in rows) / worked:.1%}",
        str(sum(row["replans"] for row in rows)),
        f"{fmean(row['messages'] for row in rows):.0f}",
    ]


def _scatter(rows: Rows) -> str:
    """Draw latency over what is possible, one dot a task; on the line nothing is lost."""
    most = max((max(row["latency_s"], row["least_s"]) for row in rows), default=0.0) or 1.0
    size = 420
    dots = "".join(
        f'<circle cx="{row["least_s"] / most * size:.1f}" r="3" fill="#36a"'
        f' cy="{size - row["latency_s"] / most * size:.1f}">'
        f"<title>{escape(row['task'])}</title></circle>"
        for row in rows
    )
    return (
        f"<h2>Latency over the least possible</h2><p>Both axes: 0 to {most:.1f} s.</p>"
        f'<svg width="{size}" height="{size}">'
        f'<line x1="0" y1="{size}" x2="{size}" y2="0" stroke="#999"/>{dots}</svg>'
    )


def _gantt(row: Mapping[str, Any]) -> str:
    bars, height = _bars(row)
    done = f"{row['done']} of {row['subtasks']} subtasks"
    title = (
        f"{row['task']}, seed {row['seed']}: {row['latency_s']:.2f} s, at least"
        f" {row['least_s']:.2f}, one by one {row['sequential_s']:.2f};"
        f" {row['tasks']} tasks, {done}"
    )
    return (
        f"<details><summary>{escape(title)}</summary>"
        f'<svg width="{WIDTH}" height="{height}" font-size="9">{bars}</svg></details>'
    )


def _bars(row: Mapping[str, Any]) -> tuple[str, int]:
    """Return the bars of a picture, device below device, and its height."""
    scale, top, drawn = (WIDTH - 70) / max(row["latency_s"], 0.001), 0, []
    for device in FLEET:
        ends: list[float] = []
        for task, _, start, end, done in sorted(
            (each for each in row["gantt"] if each[1] == device), key=lambda each: each[2]
        ):
            lane = next((n for n, busy in enumerate(ends) if busy <= start), len(ends))
            ends[lane : lane + 1] = [end]
            drawn.append(
                f'<rect x="{70 + start * scale:.1f}" y="{top + lane * LANE}" height="{LANE - 1}"'
                f' width="{max(1.0, (end - start) * scale):.1f}" fill="{COLOURS[bool(done)]}">'
                f"<title>{escape(str(task))} {start:.2f} to {end:.2f} s</title></rect>"
            )
        if ends:
            drawn.append(f'<text x="2" y="{top + LANE}">{device}</text>')
            top += max(12, len(ends) * LANE) + 3
    return "".join(drawn), max(top, LANE)


def _failed(rows: Rows) -> str:
    lines = "".join(
        f"<li>{escape(str(row['task']))}, {row['arm']}, {row['fault']}, seed {row['seed']}:"
        f" {row['status']}; {escape(str(row['wrong'])[:400])} {escape(row.get('bundle', ''))}"
        for row in rows
        if row["possible"] and not row["success"]
    )
    return f"<h2>Not done, though it was possible</h2><ul>{lines or '<li>none'}</ul>"
